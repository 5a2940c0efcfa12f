export * from './code-enums.js';
export * from './connection.js';
export * from './context.js';
export * from './limits.js';
export * from './loaders.js';
export * from './node.js';
export * from './page-keys.js';
export * from './scalars.js';
