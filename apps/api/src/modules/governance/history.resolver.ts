import { Args, Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import { requireViewer } from '../../platform/auth/index.js';
import type { Connection, GraphqlContext } from '../../platform/graphql/index.js';
import { DaoType } from '../dao/index.js';
import { HistoryService } from './history.service.js';
import { DaoEventConnection, DaoEventsArgs, type DaoEventType } from './history.types.js';

@Resolver(() => DaoType)
export class DaoHistoryResolver {
  constructor(private readonly service: HistoryService) {}

  /** Who does what in a DAO is not for everybody who passes by, though the chain tells those who ask it. */
  @ResolveField(() => DaoEventConnection, { description: 'Newest first. For who is signed in.' })
  events(
    @Parent() dao: DaoType,
    @Args() args: DaoEventsArgs,
    @Context() { loaders, viewer }: GraphqlContext,
  ): Promise<Connection<DaoEventType>> {
    requireViewer(viewer, 'read');
    return this.service.events(loaders, dao.daoId, args);
  }
}
