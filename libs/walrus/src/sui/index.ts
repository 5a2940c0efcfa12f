export { walrusEpoch, type WalrusEpochOptions } from './epoch.js';
export { walrusContracts, type WalrusContractsOptions } from './contracts.js';
export { nodesTransport } from './nodes.js';
export { walrusQuilt } from './quilt.js';
export { suiLeaseChain, type SuiLeaseChainOptions } from './sui-leases.js';
export { openWalrusStore, type WalrusStoreOptions } from './open-walrus-store.js';
export type { SuiSigner } from './transactions.js';
