import { Inject, Injectable } from '@nestjs/common';
import { policyRefusal } from '@usufruct/consent';
import {
  asAmount,
  refuse,
  U64_MAX,
  type Address,
  type AmountUnits,
  type Clock,
  type DatasetId,
  type JobId,
} from '@usufruct/kernel';
import { deriveId, LIMITS, PURPOSE_CODE } from '@usufruct/protocol';
import { connectionFrom, Loaders, pageOf, type Connection, type PageArgs } from '../../platform/graphql/index.js';
import { claimKey } from '../../platform/idempotency/index.js';
import { PrismaService, toDate, toJson } from '../../platform/prisma/index.js';
import { CLOCK } from '../../platform/tokens.js';
import { ConsentService } from '../consent/index.js';
import { DaoService, type DatasetType, type ProjectedDao } from '../dao/index.js';
import { ProjectionService } from '../projection/index.js';
import { JobDispatch } from './job-dispatch.js';
import { JobEvents } from './job-events.js';
import { storedQuote, toJob } from './job-record.js';
import { JobRepository } from './job.repository.js';
import type { JobEventsPage, JobType, PreparedJob, PrepareJobInput, Quote, QuoteInput } from './job.types.js';

@Injectable()
export class JobService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly prisma: PrismaService,
    private readonly repository: JobRepository,
    private readonly daos: DaoService,
    private readonly consent: ConsentService,
    private readonly projection: ProjectionService,
    private readonly events: JobEvents,
    private readonly dispatch: JobDispatch,
  ) {}

  /** What a job would cost and what it could use. Refuses what the DAO's policy or the lack of grants rules out. */
  async quote(loaders: Loaders, input: QuoteInput): Promise<Quote> {
    const dataset = await this.datasetOf(loaders, input.datasetId);
    const dao = await this.daos.daoView(loaders, dataset.daoId);
    if (dao.paused) throw refuse('DAO_PAUSED', { daoId: dao.id });
    if (dataset.tombstonedAtMs !== null) throw refuse('TOMBSTONED', { datasetId: input.datasetId });
    checkTerms(dao, input);
    const { pricePerQuestionUnits } = dao.policy;
    const { datasetId, purpose, kind, protection, maxQuestions, termMs } = input;
    const { usable, leftOut } = await this.consent.usability(dao, dataset, {
      purpose,
      kind,
      protection,
      pricePerQuestionUnits,
    });
    if (usable.length === 0) throw refuse('NO_USABLE_DATA', { datasetId });
    return {
      __typename: 'Quote',
      datasetId,
      purpose,
      kind,
      protection,
      policyVersion: dao.policyVersion,
      pricePerQuestionUnits,
      maxQuestions,
      termMs,
      escrowUnits: escrowOf(pricePerQuestionUnits, maxQuestions),
      usableContributions: usable.length,
      leftOut: [...leftOut],
    };
  }

  /** Record a quote under the id that the job will have on the chain. The same request gives the same quote. */
  async prepare(loaders: Loaders, requester: Address, input: PrepareJobInput): Promise<PreparedJob> {
    const { idempotencyKey, salt, ...terms } = input;
    const jobId = deriveId<JobId>('job', input.datasetId, requester, salt);
    const request = { jobId, ...terms };
    const known = await this.repository.record(jobId);
    const quote = known === null ? await this.quote(loaders, input) : null;
    const now = this.clock.nowMs();
    await this.prisma.$transaction(async (tx) => {
      const claim = { owner: requester, key: idempotencyKey, operation: 'prepareJob', request };
      if (!(await claimKey(tx, claim, now)) || quote === null) return;
      const { count } = await tx.jobProgress.createMany({
        data: [{ jobId, requester, state: 'quoted', quote: toJson(quote), createdAt: toDate(now) }],
        skipDuplicates: true,
      });
      if (count === 0) return;
      await this.events.append(tx, { jobId, state: 'quoted', name: 'JobQuoted', dedupeKey: 'quoted' });
      const state = 'awaiting_approval';
      await this.events.append(tx, { jobId, state, name: 'ApprovalAwaited', dedupeKey: state });
    });
    return this.prepared(jobId, input);
  }

  /** After fundJob: waits a little for the chain to tell it, and puts the job first in its queue. */
  async submit(requester: Address, jobId: JobId): Promise<JobType> {
    const record = await this.projection.waitFor(async () => {
      const found = await this.repository.record(jobId);
      const isOthers = found !== null && found.progress.requester !== requester;
      if (isOthers) throw refuse('NOT_FOUND', { jobId });
      return found === null || found.chain === null ? null : found;
    });
    if (record === null) {
      await this.requireOwn(requester, jobId);
      throw refuse('PAYMENT_REQUIRED', { jobId });
    }
    if (record.chain?.state === 'funded') await this.dispatch.hurry(jobId);
    return toJob(record);
  }

  async jobs(requester: Address, args: PageArgs): Promise<Connection<JobType>> {
    const page = pageOf('jobs', args);
    const records = await this.repository.of(requester, page);
    return connectionFrom('jobs', page, records, ({ progress }) => [progress.ordinal], toJob);
  }

  /** The caller's own job, or null. */
  async job(loaders: Loaders, requester: Address, jobId: JobId): Promise<JobType | null> {
    const record = await this.repository.load(loaders, jobId);
    return record === null || record.progress.requester !== requester ? null : toJob(record);
  }

  /** Refuses `NOT_FOUND` for what does not exist and for what is another's, alike. */
  async requireOwn(requester: Address, jobId: JobId): Promise<JobType> {
    const record = await this.repository.record(jobId);
    if (record === null || record.progress.requester !== requester) throw refuse('NOT_FOUND', { jobId });
    return toJob(record);
  }

  async eventsPage(requester: Address, jobId: JobId, after: number, first: number): Promise<JobEventsPage> {
    await this.requireOwn(requester, jobId);
    return this.events.page(jobId, after, first);
  }

  private async prepared(jobId: JobId, input: PrepareJobInput): Promise<PreparedJob> {
    const record = await this.repository.record(jobId);
    if (record === null) throw new Error('a job that was just prepared is gone');
    if (record.progress.quote === null) throw refuse('JOB_STATE', { jobId, state: record.progress.state });
    const quote = storedQuote(record.progress);
    const same =
      quote.purpose === input.purpose &&
      quote.kind === input.kind &&
      quote.protection === input.protection &&
      quote.maxQuestions === input.maxQuestions &&
      quote.termMs === input.termMs;
    if (!same) throw refuse('ALREADY_EXISTS', { jobId });
    return { __typename: 'PreparedJob', job: toJob(record), quote };
  }

  private async datasetOf(loaders: Loaders, datasetId: DatasetId): Promise<DatasetType> {
    const dataset = await this.daos.dataset(loaders, datasetId);
    if (dataset === null) throw refuse('NOT_FOUND', { datasetId });
    return dataset;
  }
}

function checkTerms(dao: ProjectedDao, input: QuoteInput): void {
  const { policy } = dao;
  if (!PURPOSE_CODE.test(input.purpose)) throw refuse('INVALID_ARGUMENT', { field: 'purpose', expected: 'a code' });
  const most = LIMITS.questionsPerJob;
  if (input.maxQuestions < 1 || input.maxQuestions > most) {
    throw refuse('INVALID_ARGUMENT', { field: 'maxQuestions', expected: `1 to ${most}` });
  }
  const longest = Math.min(policy.maxJobTermMs, LIMITS.jobTermMs);
  if (input.termMs < 1 || input.termMs > longest) {
    throw refuse('INVALID_ARGUMENT', { field: 'termMs', expected: `1 to ${longest}` });
  }
  const refusal = policyRefusal(dao, input);
  if (refusal !== null) throw refusal;
}

function escrowOf(price: AmountUnits, questions: number): AmountUnits {
  const total = price * BigInt(questions);
  if (total > U64_MAX) throw refuse('INVALID_ARGUMENT', { field: 'maxQuestions', expected: 'a smaller escrow' });
  return asAmount(total);
}
