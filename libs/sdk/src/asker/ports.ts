import type { Address, AmountUnits, Clock, DatasetId, JobId, QuestionId, RandomSource } from '@usufruct/kernel';
import type { JobView } from '@usufruct/protocol';
import type { ClientContext } from '../context.js';
import type { FundParams } from '../jobs/fund.js';
import { fundJob } from '../jobs/fund.js';
import { questionIdOf } from '../jobs/question-record.js';
import { JobSession } from '../jobs/session.js';
import { orNull } from '../create.js';
import { readReceipt } from '../receipt/collect.js';
import type { Journal } from '../journal.js';

/** What the DAO asks for a question now, by the chain. */
export interface AskingTerms {
  readonly priceUnits: AmountUnits;
  readonly maxTermMs: number;
}
export type AskerSession = Pick<JobSession, 'jobId' | 'ask' | 'forget' | 'close' | 'onChain'>;

/** What an asker stands on; tests put something simpler in its place. */
export interface AskerPorts {
  /** Whose wallet pays: one journal may be of several. */
  readonly owner: Address;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: RandomSource;
  termsOf(datasetId: DatasetId): Promise<AskingTerms>;
  fund(params: FundParams): Promise<JobView>;
  session(jobId: JobId): AskerSession;
  /** The id of the question that this key names in a session. */
  questionIdOf(jobId: JobId, key: string): QuestionId;
  /** Whether a receipt for this question was settled, by the chain or by the API, whichever is ahead. */
  isPaid(jobId: JobId, questionId: QuestionId): Promise<boolean>;
}

export const askerPorts = (context: ClientContext): AskerPorts => ({
  owner: context.signer.address,
  journal: context.journal,
  clock: context.clock,
  random: context.random,
  termsOf: async (datasetId) => {
    const { daoId } = await context.chain.dataset(datasetId);
    const { policy } = await context.chain.dao(daoId);
    return { priceUnits: policy.pricePerQuestionUnits, maxTermMs: policy.maxJobTermMs };
  },
  fund: (params) => fundJob(context, params),
  session: (jobId) => new JobSession(context, jobId),
  questionIdOf: (jobId, key) => questionIdOf(context, jobId, key),
  isPaid: async (jobId, questionId) =>
    (await orNull(context.chain.settledReceipt(jobId, questionId))) !== null ||
    (await orNull(readReceipt(context, jobId, questionId))) !== null,
});
