export { LeaseModule } from './lease.module.js';
export { KeeperWallet } from './keeper-wallet.js';
export { LeaseKeeper } from './lease-keeper.js';
export { LeaseService } from './lease.service.js';
