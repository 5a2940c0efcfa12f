import { Args, Context, Parent, ResolveField, Resolver } from '@nestjs/graphql';
import type { AmountUnits } from '@usufruct/kernel';
import { requireViewer } from '../../platform/auth/index.js';
import { Amount, PageArgs, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { DaoType } from '../dao/index.js';
import { ReceiptPoolType } from './epoch.types.js';
import { LedgerEntryConnection, type LedgerEntryType } from './payout.types.js';
import { TreasuryService } from './treasury.service.js';

@Resolver(() => DaoType)
export class DaoTreasuryResolver {
  constructor(private readonly service: TreasuryService) {}

  @ResolveField(() => Amount, { description: 'What the treasury holds.' })
  treasuryUnits(@Parent() dao: DaoType, @Context() { loaders }: GraphqlContext): Promise<AmountUnits> {
    return this.service.balanceOf(loaders, dao.treasury);
  }

  @ResolveField(() => LedgerEntryConnection, {
    description: 'All that the treasury has gained and paid, newest first. For who is signed in.',
  })
  treasuryMovements(
    @Parent() dao: DaoType,
    @Args() page: PageArgs,
    @Context() { loaders, viewer }: GraphqlContext,
  ): Promise<Connection<LedgerEntryType>> {
    requireViewer(viewer, 'read');
    return this.service.movements(loaders, dao.treasury, page);
  }
}

@Resolver(() => ReceiptPoolType)
export class ReceiptPoolResolver {
  constructor(private readonly service: TreasuryService) {}

  @ResolveField(() => Amount, { description: 'What no epoch has taken yet.' })
  balanceUnits(@Parent() pool: ReceiptPoolType, @Context() { loaders }: GraphqlContext): Promise<AmountUnits> {
    return this.service.balanceOf(loaders, pool.account);
  }
}
