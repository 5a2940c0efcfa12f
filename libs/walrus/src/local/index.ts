export { readConfig, type LocalStoreConfig } from './config.js';
export { startLocalStore, type RunningStore } from './start.js';
