import { Module } from '@nestjs/common';
import { ContributeModule } from '../contribute/index.js';
import { DaoModule } from '../dao/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { LedgerProjector } from './ledger.projector.js';
import { ContributionEarningsResolver, PayoutResolver } from './payout.resolver.js';
import { PayoutService } from './payout.service.js';

@Module({
  imports: [ProjectionModule, DaoModule, ContributeModule],
  providers: [LedgerProjector, PayoutService, PayoutResolver, ContributionEarningsResolver],
  exports: [PayoutService],
})
export class PayoutModule {
  constructor(projection: ProjectionService, projector: LedgerProjector) {
    projection.register(projector);
  }
}
