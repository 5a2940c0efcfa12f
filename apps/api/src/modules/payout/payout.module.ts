import { Module } from '@nestjs/common';
import type { EpochId } from '@usufruct/kernel';
import { NodeRegistry } from '../../platform/graphql/index.js';
import { ContributeModule } from '../contribute/index.js';
import { DaoModule } from '../dao/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { LedgerProjector } from './ledger.projector.js';
import { EpochProjector } from './epoch.projector.js';
import { DaoEpochsResolver, EpochResolver } from './epoch.resolver.js';
import { EpochService } from './epoch.service.js';
import { ContributionEarningsResolver, PayoutResolver } from './payout.resolver.js';
import { PayoutService } from './payout.service.js';
import { DaoTreasuryResolver, ReceiptPoolResolver } from './treasury.resolver.js';
import { TreasuryService } from './treasury.service.js';

@Module({
  imports: [ProjectionModule, DaoModule, ContributeModule],
  providers: [
    LedgerProjector,
    PayoutService,
    PayoutResolver,
    ContributionEarningsResolver,
    EpochProjector,
    EpochService,
    DaoEpochsResolver,
    EpochResolver,
    TreasuryService,
    DaoTreasuryResolver,
    ReceiptPoolResolver,
  ],
  exports: [PayoutService],
})
export class PayoutModule {
  constructor(
    projection: ProjectionService,
    ledger: LedgerProjector,
    epochProjector: EpochProjector,
    nodes: NodeRegistry,
    epochs: EpochService,
  ) {
    projection.register(ledger);
    projection.register(epochProjector);
    nodes.register('Epoch', ([id], { loaders }) => epochs.epoch(loaders, id as EpochId));
  }
}
