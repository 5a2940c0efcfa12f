import { Module } from '@nestjs/common';
import type { ProposalId } from '@usufruct/kernel';
import { NodeRegistry } from '../../platform/graphql/index.js';
import { DaoModule } from '../dao/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { HistoryProjector } from './history.projector.js';
import { DaoHistoryResolver } from './history.resolver.js';
import { HistoryService } from './history.service.js';
import { ProposalProjector } from './proposal.projector.js';
import { ProposalRepository } from './proposal.repository.js';
import { DaoProposalsResolver, ProposalResolver } from './proposal.resolver.js';
import { ProposalService } from './proposal.service.js';

@Module({
  imports: [ProjectionModule, DaoModule],
  providers: [
    ProposalProjector,
    ProposalRepository,
    ProposalService,
    DaoProposalsResolver,
    ProposalResolver,
    HistoryProjector,
    HistoryService,
    DaoHistoryResolver,
  ],
  exports: [ProposalService],
})
export class GovernanceModule {
  constructor(
    projection: ProjectionService,
    proposals: ProposalProjector,
    history: HistoryProjector,
    nodes: NodeRegistry,
    service: ProposalService,
  ) {
    projection.register(proposals);
    projection.register(history);
    nodes.register('Proposal', ([id], { loaders }) => service.proposal(loaders, id as ProposalId));
  }
}
