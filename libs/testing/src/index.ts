export * from './builders.js';
export * from './fake-chain.js';
export * from './manifest.js';
export * from './tee.js';
export * from './values.js';
export * from './wallet.js';
