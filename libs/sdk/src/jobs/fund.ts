import {
  fromBase64,
  refuse,
  toBase64,
  toHex32,
  type AmountUnits,
  type DatasetId,
  type Hex32,
  type JobId,
} from '@usufruct/kernel';
import { generateSigningKey, signingPublicKey } from '@usufruct/crypto';
import { deriveId, zBase64, zHex32, type ComputationKind, type JobView, type ProtectionKind } from '@usufruct/protocol';
import { z } from 'zod';
import { valueOrThrow } from '../api/graphql.js';
import type { ClientContext } from '../context.js';
import { orNull } from '../create.js';
import { readRecord, recordOnce } from '../journal.js';
import { executeOnce } from '../transactions.js';
import { PREPARE_JOB, QUOTE, SUBMIT_JOB, type Quote } from './operations.js';

export interface JobTerms {
  readonly datasetId: DatasetId;
  /** A DUO code or a DPV purpose that the DAO's policy lists. */
  readonly purpose: string;
  readonly maxQuestions: number;
  readonly termMs: number;
  readonly kind?: ComputationKind;
  readonly protection?: ProtectionKind;
}
export interface FundParams extends JobTerms {
  /** Names this job in the journal: the same key never funds a second one. */
  readonly key: string;
  /** What the user agreed to. A policy that asks for more now is refused with `POLICY_OUTDATED` before anything is paid. */
  readonly escrowAtMostUnits?: AmountUnits;
}

const withDefaults = ({
  datasetId,
  purpose,
  maxQuestions,
  termMs,
  kind,
  protection,
}: JobTerms): Required<JobTerms> => ({
  datasetId,
  purpose,
  maxQuestions,
  termMs,
  kind: kind ?? 'rag',
  protection: protection ?? 'tee',
});

/** What the job would cost and which contributions it may use, as the API sees it: advice, no promise. */
export async function quoteJob(context: ClientContext, terms: JobTerms): Promise<Quote> {
  return valueOrThrow((await context.api.request(QUOTE, { input: withDefaults(terms) })).quote);
}

/**
 * `job/<key>` names the job; `client-key/<job id>` is SECRET: it authorises questions, that is, spends the escrow.
 * It is deleted when the job is closed.
 */
const zJobRecord = z.object({ salt: zHex32<Hex32>(), idempotencyKey: z.string() });
const zClientKey = z.object({ secretKey: zBase64(32) });
const clientKeyRecord = (jobId: JobId): string => `client-key/${jobId}`;

/**
 * Lock the price of all questions on the chain, once, however often this is repeated with the same key; then let the
 * API know. Refuses with the chain's code (`INSUFFICIENT_BALANCE`, `PURPOSE_DENIED`, …) before anything is locked,
 * and `IDEMPOTENCY_KEY_REUSED` for the key of a job with other terms.
 */
export async function fundJob(context: ClientContext, params: FundParams): Promise<JobView> {
  const { chain, journal, signer } = context;
  const terms = withDefaults(params);
  const record = await recordOnce(journal, `job/${params.key}`, zJobRecord, () => ({
    salt: toHex32(context.random(32)),
    idempotencyKey: toBase64(context.random(24)),
  }));
  const jobId = deriveId<JobId>('job', terms.datasetId, signer.address, record.salt);
  const funded = await orNull(chain.job(jobId));
  if (funded !== null) return submitted(context, funded, terms);
  const { secretKey } = await recordOnce(journal, clientKeyRecord(jobId), zClientKey, () => ({
    secretKey: toBase64(generateSigningKey(context.random).secretKey),
  }));
  const prepared = await context.api.request(PREPARE_JOB, { input: { ...terms, ...record } });
  valueOrThrow(prepared.prepareJob);
  const { kind: computation, ...rest } = terms;
  const { daoId } = await chain.dataset(terms.datasetId);
  const { policy, policyVersion } = await chain.dao(daoId);
  const { pricePerQuestionUnits } = policy;
  if (
    params.escrowAtMostUnits !== undefined &&
    pricePerQuestionUnits * BigInt(terms.maxQuestions) > params.escrowAtMostUnits
  ) {
    throw refuse('POLICY_OUTDATED', { field: 'pricePerQuestionUnits' });
  }
  const clientPublicKey = signingPublicKey(fromBase64(secretKey));
  const transactionKey = `job/${params.key}/transaction`;
  await executeOnce({
    ...context,
    key: transactionKey,
    actions: [
      {
        kind: 'fundJob',
        ...rest,
        salt: record.salt,
        computation,
        policyVersion,
        pricePerQuestionUnits,
        clientPublicKey,
      },
    ],
  });
  const job = await chain.job(jobId);
  await journal.delete(transactionKey);
  return submitted(context, job, terms);
}

/** The secret half of the job's client key. `NOT_FOUND` on a device that did not fund the job, or after its end. */
export async function clientKey(context: ClientContext, jobId: JobId): Promise<Uint8Array> {
  const record = await readRecord(context.journal, clientKeyRecord(jobId), zClientKey);
  if (record === null) throw refuse('NOT_FOUND', { object: 'client key', jobId });
  return fromBase64(record.secretKey);
}

/** End the session: what is not spent comes back. Closing a job that has ended already is no error. */
export async function closeJob(context: ClientContext, jobId: JobId): Promise<JobView> {
  const before = await context.chain.job(jobId);
  const key = `job-close/${jobId}`;
  if (before.state === 'funded') await executeOnce({ ...context, key, actions: [{ kind: 'closeJob', jobId }] });
  const closed = await context.chain.job(jobId);
  await context.journal.delete(clientKeyRecord(jobId));
  await context.journal.delete(key);
  return closed;
}

/** The key of a job means one set of terms: who asks for others must not be handed a session under the old ones. */
const isOf = (job: JobView, terms: Required<JobTerms>): boolean =>
  job.purpose === terms.purpose &&
  job.kind === terms.kind &&
  job.protection === terms.protection &&
  job.maxQuestions === terms.maxQuestions &&
  job.expiresAtMs - job.fundedAtMs === terms.termMs;

/** The API sees funded jobs by itself; telling it only saves a moment, so its refusal to listen is no failure. */
async function submitted(context: ClientContext, job: JobView, terms: Required<JobTerms>): Promise<JobView> {
  if (!isOf(job, terms)) throw refuse('IDEMPOTENCY_KEY_REUSED', { jobId: job.id });
  await context.api.request(SUBMIT_JOB, { jobId: job.id }).catch(() => undefined);
  return job;
}
