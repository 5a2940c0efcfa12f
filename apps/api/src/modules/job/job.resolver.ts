import { Args, Context, Mutation, Parent, Query, ResolveField, Resolver, Subscription } from '@nestjs/graphql';
import { refuse, type JobId } from '@usufruct/kernel';
import { CurrentViewer, RequireScope, type Viewer } from '../../platform/auth/index.js';
import { Hex32Scalar, PageArgs, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { DaoService, DatasetType } from '../dao/index.js';
import { JobEvents } from './job-events.js';
import { JobService } from './job.service.js';
import {
  JobConnection,
  JobEventsArgs,
  JobEventsPage,
  JobEventsPageArgs,
  JobEventType,
  JobType,
  PrepareJobInput,
  PrepareJobResult,
  QuoteInput,
  QuoteResult,
  SubmitJobResult,
  type PreparedJob,
  type Quote,
} from './job.types.js';

@Resolver(() => JobType)
export class JobResolver {
  constructor(
    private readonly service: JobService,
    private readonly events: JobEvents,
    private readonly daos: DaoService,
  ) {}

  @RequireScope('read')
  @Query(() => QuoteResult)
  quote(@Args('input') input: QuoteInput, @Context() { loaders }: GraphqlContext): Promise<Quote> {
    return this.service.quote(loaders, input);
  }

  @RequireScope('jobs')
  @Mutation(() => PrepareJobResult, {
    description:
      'Record the terms before the wallet funds the job on the chain. Repeatable with the same key and body.',
  })
  prepareJob(
    @CurrentViewer() viewer: Viewer,
    @Args('input') input: PrepareJobInput,
    @Context() { loaders }: GraphqlContext,
  ): Promise<PreparedJob> {
    return this.service.prepare(loaders, viewer.address, input);
  }

  @RequireScope('jobs')
  @Mutation(() => SubmitJobResult, {
    description: 'Optional: the API sees funded jobs by itself; this only hurries it.',
  })
  submitJob(
    @CurrentViewer() viewer: Viewer,
    @Args('jobId', { type: () => Hex32Scalar }) jobId: JobId,
  ): Promise<JobType> {
    return this.service.submit(viewer.address, jobId);
  }

  @RequireScope('read')
  @Query(() => JobConnection, { description: "The viewer's own, newest first." })
  jobs(@CurrentViewer() viewer: Viewer, @Args() page: PageArgs): Promise<Connection<JobType>> {
    return this.service.jobs(viewer.address, page);
  }

  @RequireScope('read')
  @Query(() => JobType, { nullable: true })
  job(
    @CurrentViewer() viewer: Viewer,
    @Args('jobId', { type: () => Hex32Scalar }) jobId: JobId,
    @Context() { loaders }: GraphqlContext,
  ): Promise<JobType | null> {
    return this.service.job(loaders, viewer.address, jobId);
  }

  @RequireScope('read')
  @Query(() => JobEventsPage)
  jobEventsPage(@CurrentViewer() viewer: Viewer, @Args() args: JobEventsPageArgs): Promise<JobEventsPage> {
    return this.service.eventsPage(viewer.address, args.jobId, args.after, args.first);
  }

  @RequireScope('read')
  @Subscription(() => JobEventType, {
    description: 'Every event with seq > after, in order, then new ones as they happen. Ends with the job.',
    resolve: (event: JobEventType) => event,
  })
  async jobEvents(
    @CurrentViewer() viewer: Viewer,
    @Args() { jobId, after }: JobEventsArgs,
  ): Promise<AsyncGenerator<JobEventType>> {
    await this.service.requireOwn(viewer.address, jobId);
    return this.events.follow(jobId, after);
  }

  @ResolveField(() => DatasetType)
  async dataset(@Parent() job: JobType, @Context() { loaders }: GraphqlContext): Promise<DatasetType> {
    const dataset = await this.daos.dataset(loaders, job.datasetId);
    if (dataset === null) throw refuse('NOT_FOUND', { datasetId: job.datasetId });
    return dataset;
  }
}
