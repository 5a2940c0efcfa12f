import { Args, ArgsType, Context, Field, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { JobId, QuestionId } from '@usufruct/kernel';
import { CurrentViewer, RequireScope, requireViewer, type Viewer } from '../../platform/auth/index.js';
import { Base64, Hex32Scalar, PageArgs, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { QuestionType } from '../compute/index.js';
import { ContributionService, ContributionType } from '../contribute/index.js';
import { JobType } from '../job/index.js';
import { ReceiptService } from './receipt.service.js';
import { PayoutType, ReceiptConnection, ReceiptType, ReceiptUseType, Use, UseConnection } from './receipt.types.js';

@ArgsType()
class ReceiptsArgs extends PageArgs {
  @Field(() => Hex32Scalar)
  jobId!: JobId;
}

@Resolver(() => ReceiptType)
export class ReceiptResolver {
  constructor(private readonly service: ReceiptService) {}

  @RequireScope('read')
  @Query(() => ReceiptType, { nullable: true })
  receipt(
    @CurrentViewer() viewer: Viewer,
    @Args('jobId', { type: () => Hex32Scalar }) jobId: JobId,
    @Args('questionId', { type: () => Hex32Scalar }) questionId: QuestionId,
    @Context() { loaders }: GraphqlContext,
  ): Promise<ReceiptType | null> {
    return this.service.receipt(loaders, viewer.address, jobId, questionId);
  }

  @RequireScope('read')
  @Query(() => ReceiptConnection)
  receipts(
    @CurrentViewer() viewer: Viewer,
    @Args() args: ReceiptsArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<Connection<ReceiptType>> {
    return this.service.receiptsOf(loaders, viewer.address, args.jobId, args);
  }

  @ResolveField('receipt', () => Base64, {
    nullable: true,
    description:
      "The runner's BCS bytes and signature; null if the answer never passed through this API. Their digest is checked against the chain's.",
  })
  async bytes(@Parent() receipt: ReceiptType, @Context() { loaders }: GraphqlContext): Promise<string | null> {
    return (await this.service.proof(loaders, receipt))?.receipt ?? null;
  }

  @ResolveField(() => Base64, { nullable: true })
  async signature(@Parent() receipt: ReceiptType, @Context() { loaders }: GraphqlContext): Promise<string | null> {
    return (await this.service.proof(loaders, receipt))?.signature ?? null;
  }

  @ResolveField(() => [ReceiptUseType])
  uses(@Parent() receipt: ReceiptType, @Context() { loaders }: GraphqlContext): Promise<ReceiptUseType[]> {
    return this.service.uses(loaders, receipt);
  }

  @ResolveField(() => [PayoutType])
  payouts(@Parent() receipt: ReceiptType, @Context() { loaders }: GraphqlContext): Promise<PayoutType[]> {
    return this.service.payouts(loaders, receipt);
  }
}

@Resolver(() => JobType)
export class JobReceiptsResolver {
  constructor(private readonly service: ReceiptService) {}

  @ResolveField(() => ReceiptConnection)
  receipts(
    @Parent() job: JobType,
    @Args() page: PageArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<Connection<ReceiptType>> {
    return this.service.page(loaders, job.jobId, page);
  }
}

@Resolver(() => QuestionType)
export class QuestionReceiptResolver {
  constructor(private readonly service: ReceiptService) {}

  @ResolveField(() => ReceiptType, {
    nullable: true,
    description: 'The settled receipt as the chain tells it; null until then.',
  })
  settled(@Parent() question: QuestionType, @Context() { loaders }: GraphqlContext): Promise<ReceiptType | null> {
    return this.service.settled(loaders, question);
  }
}

@Resolver(() => ContributionType)
export class ContributionUsesResolver {
  constructor(
    private readonly service: ReceiptService,
    private readonly contributions: ContributionService,
  ) {}

  @ResolveField(() => UseConnection, {
    description: "Every paid use, newest first. For the owner and the DAO's administrators.",
  })
  async uses(
    @Parent() contribution: ContributionType,
    @Args() page: PageArgs,
    @Context() { loaders, viewer }: GraphqlContext,
  ): Promise<Connection<Use>> {
    await this.contributions.requireInsider(loaders, requireViewer(viewer, 'read'), contribution);
    return this.service.usesOf(loaders, contribution.contributionId, page);
  }
}
