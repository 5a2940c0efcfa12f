import { Module } from '@nestjs/common';
import type { DaoId, DatasetId } from '@usufruct/kernel';
import { NodeRegistry } from '../../platform/graphql/index.js';
import { ProjectionModule, ProjectionService } from '../projection/index.js';
import { DaoProjector } from './dao.projector.js';
import { DaoRepository } from './dao.repository.js';
import { DaoResolver } from './dao.resolver.js';
import { DaoService } from './dao.service.js';
import { DatasetResolver } from './dataset.resolver.js';
import { MembershipProjector } from './membership.projector.js';
import { ApplicationResolver, DaoMembershipResolver, MemberResolver } from './membership.resolver.js';
import { MembershipService } from './membership.service.js';
import { DaoPolicyHistoryResolver, PolicyVersionResolver } from './policy-history.resolver.js';
import { PolicyHistoryService } from './policy-history.service.js';

@Module({
  imports: [ProjectionModule],
  providers: [
    DaoRepository,
    DaoService,
    DaoProjector,
    DaoResolver,
    DatasetResolver,
    PolicyHistoryService,
    DaoPolicyHistoryResolver,
    PolicyVersionResolver,
    MembershipProjector,
    MembershipService,
    DaoMembershipResolver,
    MemberResolver,
    ApplicationResolver,
  ],
  exports: [DaoService, MembershipService],
})
export class DaoModule {
  constructor(
    projection: ProjectionService,
    projector: DaoProjector,
    membershipProjector: MembershipProjector,
    nodes: NodeRegistry,
    service: DaoService,
    membership: MembershipService,
  ) {
    projection.register(projector);
    projection.register(membershipProjector);
    nodes.register('Member', ([daoId, address = '0x'], { loaders }) =>
      membership.member(loaders, daoId as DaoId, address),
    );
    nodes.register('Dao', ([id], { loaders }) => service.dao(loaders, id as DaoId));
    nodes.register('Dataset', ([id], { loaders }) => service.dataset(loaders, id as DatasetId));
  }
}
