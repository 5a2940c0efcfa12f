export { PayoutModule } from './payout.module.js';
export { PayoutService } from './payout.service.js';
