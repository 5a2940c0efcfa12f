import { asAmount, asId, ERROR_CODES, type ContributionId, type DatasetId, type ErrorCode } from '@usufruct/kernel';
import {
  CHAIN_JOB_STATES,
  COMPUTATION_KINDS,
  JOB_STATES,
  parseAnswer,
  PAYOUT_MODES,
  PROTECTION_KINDS,
  zAmount,
  zHex32,
  zRevenueSplit,
  type JobState,
} from '@usufruct/protocol';
import { z } from 'zod';
import { errorInfoFromWire, toDetails } from '../../platform/errors/index.js';
import { globalId } from '../../platform/graphql/index.js';
import { toBigint, toMs } from '../../platform/prisma/index.js';
import type { ChainJob, JobEvent, JobProgress } from '../../platform/prisma/generated/client.js';
import type { JobEventType, JobType, Quote } from './job.types.js';

/** A job as both sides tell it: what the chain has locked, and what was quoted and has happened since. */
export interface JobRecord {
  readonly progress: JobProgress;
  /** Null until the job is funded. */
  readonly chain: ChainJob | null;
}

const zErrorCode = z.string().transform((code): ErrorCode => ERROR_CODES.find((each) => each === code) ?? 'INTERNAL');
const zLeftOut = z.array(z.object({ contributionId: zHex32<ContributionId>(), code: zErrorCode }));

/** A quote as it is kept: what was shown is what the job was prepared on. */
const zQuote = z.object({
  datasetId: zHex32<DatasetId>(),
  purpose: z.string(),
  kind: z.enum(COMPUTATION_KINDS),
  protection: z.enum(PROTECTION_KINDS),
  policyVersion: z.int(),
  pricePerQuestionUnits: zAmount,
  maxQuestions: z.int(),
  termMs: z.int(),
  escrowUnits: zAmount,
  usableContributions: z.int(),
  leftOut: zLeftOut,
});
export const storedQuote = (progress: JobProgress): Quote => ({
  __typename: 'Quote',
  ...parseAnswer(zQuote, progress.quote, 'database'),
});

const zState = z.enum(JOB_STATES);
/** Nothing follows these. A job that failed at its runner still ends on the chain, where its money is. */
const ENDED: readonly JobState[] = CHAIN_JOB_STATES.filter((state) => state !== 'funded');
export const hasEnded = (state: JobState): boolean => ENDED.includes(state);
export const stateOf = (row: { state: string }): JobState => parseAnswer(zState, row.state, 'database');

export function toJob({ progress, chain }: JobRecord): JobType {
  const terms = chain === null ? quotedTerms(progress) : fundedTerms(chain);
  return {
    __typename: 'Job',
    id: globalId('Job', asId(progress.jobId, 'jobId')),
    jobId: asId(progress.jobId, 'jobId'),
    requester: asId(progress.requester, 'requester'),
    ...terms,
    questionsSettled: chain?.questionsSettled ?? 0,
    escrowUnits: asAmount(chain === null ? 0n : toBigint(chain.escrowUnits)),
    refundUnits: chain === null || chain.refundUnits === null ? null : asAmount(toBigint(chain.refundUnits)),
    payoutMode: chain === null ? null : parseAnswer(z.enum(PAYOUT_MODES), chain.payoutMode, 'projection'),
    split: chain === null ? null : parseAnswer(zRevenueSplit, chain.split, 'projection'),
    clientPublicKey: chain?.clientPublicKey ?? null,
    fundedAtMs: chain === null ? null : toMs(chain.fundedAt),
    expiresAtMs: chain === null ? null : toMs(chain.expiresAt),
    state: stateOf(progress),
    lastEventSeq: progress.lastEventSeq,
    runnerId: progress.runnerId === null ? null : asId(progress.runnerId, 'runnerId'),
    documents: progress.documents,
    chunks: progress.chunks,
    leftOut: parseAnswer(zLeftOut, progress.leftOut, 'database'),
    error: errorInfoFromWire(progress.error),
  };
}

type Terms = Pick<
  JobType,
  'datasetId' | 'purpose' | 'kind' | 'protection' | 'policyVersion' | 'pricePerQuestionUnits' | 'maxQuestions'
>;

function quotedTerms(progress: JobProgress): Terms {
  const { datasetId, purpose, kind, protection, policyVersion, ...quote } = storedQuote(progress);
  const { pricePerQuestionUnits, maxQuestions } = quote;
  return { datasetId, purpose, kind, protection, policyVersion, pricePerQuestionUnits, maxQuestions };
}

const fundedTerms = (chain: ChainJob): Terms => ({
  datasetId: asId(chain.datasetId, 'datasetId'),
  purpose: chain.purpose,
  kind: parseAnswer(z.enum(COMPUTATION_KINDS), chain.kind, 'projection'),
  protection: parseAnswer(z.enum(PROTECTION_KINDS), chain.protection, 'projection'),
  policyVersion: chain.policyVersion,
  pricePerQuestionUnits: asAmount(toBigint(chain.pricePerQuestionUnits)),
  maxQuestions: chain.maxQuestions,
});

const zDetails = z.record(z.string(), z.string());
export const toJobEvent = (row: JobEvent): JobEventType => ({
  jobId: asId(row.jobId, 'jobId'),
  seq: row.seq,
  atMs: toMs(row.at),
  state: stateOf(row),
  name: row.name,
  questionId: row.questionId === null ? null : asId(row.questionId, 'questionId'),
  error: errorInfoFromWire(row.error),
  details: toDetails(parseAnswer(zDetails, row.details, 'database')),
});
