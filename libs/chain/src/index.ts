export * from './follow-events.js';
export * from './local-chain-client.js';
export * from './open-chain.js';
export * from './port.js';
export * from './prepare.js';
export * from './signers.js';
export * from './stand-ins.js';
