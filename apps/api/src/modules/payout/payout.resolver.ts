import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { Address, AmountUnits } from '@usufruct/kernel';
import { CurrentViewer, RequireScope, requireViewer, type Viewer } from '../../platform/auth/index.js';
import { Amount, Hex32Scalar, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { ContributionService, ContributionType } from '../contribute/index.js';
import { PayoutService } from './payout.service.js';
import { Balance, LedgerArgs, LedgerEntryConnection, Reconciliation, type LedgerEntryType } from './payout.types.js';

@RequireScope('read')
@Resolver()
export class PayoutResolver {
  constructor(private readonly service: PayoutService) {}

  @Query(() => LedgerEntryConnection, {
    description: "Of the viewer's account, or of the treasury of a DAO that the viewer founded.",
  })
  ledgerEntries(@CurrentViewer() viewer: Viewer, @Args() args: LedgerArgs): Promise<Connection<LedgerEntryType>> {
    return this.service.entries(viewer.address, args);
  }

  @Query(() => Balance)
  balance(
    @CurrentViewer() viewer: Viewer,
    @Args('account', { type: () => Hex32Scalar }) account: Address,
  ): Promise<Balance> {
    return this.service.balance(viewer.address, account);
  }

  @Query(() => Reconciliation)
  reconciliation(@CurrentViewer() viewer: Viewer): Promise<Reconciliation> {
    return this.service.reconcileFor(viewer.address);
  }
}

@Resolver(() => ContributionType)
export class ContributionEarningsResolver {
  constructor(
    private readonly service: PayoutService,
    private readonly contributions: ContributionService,
  ) {}

  @ResolveField(() => Amount, {
    description:
      "The sum of all that receipts paid for this contribution; epochs pay its owner without saying for what. For the owner and the DAO's administrators.",
  })
  async earnedUnits(
    @Parent() contribution: ContributionType,
    @Context() { loaders, viewer }: GraphqlContext,
  ): Promise<AmountUnits> {
    await this.contributions.requireInsider(loaders, requireViewer(viewer, 'read'), contribution);
    return this.service.earned(loaders, contribution.contributionId);
  }
}
