import {
  refuse,
  type ContributionId,
  type DaoId,
  type Digest,
  type JobId,
  type QuestionId,
  type RunnerId,
} from '@usufruct/kernel';
import { runnerIdOf, zAmount, zBase64, zHex32, zPayout, zTimestampMs, zUse, type Answer } from '@usufruct/protocol';
import { z } from 'zod';
import { connectionOf, everyNode, PAGE_INFO } from '../api/connections.js';
import { operation } from '../api/graphql.js';
import type { ClientContext } from '../context.js';
import { orNull } from '../create.js';
import type { ReceiptEvidence } from './evidence.js';
import { decodeReceipt } from './verify.js';

const RECEIPT_FIELDS = `jobId questionId receipt signature receiptDigest transaction priceUnits settledAtMs
  uses { contributionId grantId weight } payouts { account role contributionId amountUnits }`;
const zReceiptView = z.object({
  jobId: zHex32<JobId>(),
  questionId: zHex32<QuestionId>(),
  receipt: zBase64(2048).nullable(),
  signature: zBase64(64).nullable(),
  receiptDigest: zHex32<Digest>(),
  transaction: zHex32<Digest>(),
  priceUnits: zAmount,
  settledAtMs: zTimestampMs,
  uses: z.array(zUse),
  payouts: z.array(zPayout),
});
/** A settled receipt as the API's projection has it. */
export type ReceiptView = z.output<typeof zReceiptView>;

const RECEIPT = operation<{ jobId: JobId; questionId: QuestionId }>()(
  `query Receipt($jobId: Hex32!, $questionId: Hex32!) { receipt(jobId: $jobId, questionId: $questionId) { ${RECEIPT_FIELDS} } }`,
  z.object({ receipt: zReceiptView.nullable() }),
);
const RECEIPTS = operation<{ jobId: JobId; after: string | null }>()(
  `query Receipts($jobId: Hex32!, $after: String) { receipts(jobId: $jobId, after: $after, first: 50) {
    edges { node { ${RECEIPT_FIELDS} } } ${PAGE_INFO} } }`,
  z.object({ receipts: connectionOf(zReceiptView) }),
);

export async function readReceipt(context: ClientContext, jobId: JobId, questionId: QuestionId): Promise<ReceiptView> {
  const { receipt } = await context.api.request(RECEIPT, { jobId, questionId });
  if (receipt === null) throw refuse('NOT_FOUND', { object: 'receipt' });
  return receipt;
}

export const listReceipts = ({ api }: ClientContext, jobId: JobId): Promise<ReceiptView[]> =>
  everyNode(async (after) => (await api.request(RECEIPTS, { jobId, after })).receipts);

export interface ReceiptToCollect {
  readonly receipt: string;
  readonly signature: string;
  /** The settling transaction, as anyone claims it: what it did is read from the chain. */
  readonly transaction: Digest | null;
  readonly answer: Answer | null;
}

/**
 * Read from the chain what `verifyReceipt` needs: all at once where the job's DAO is known. Refuses `RECEIPT_INVALID` for
 * bytes that are no receipt.
 */
export async function collectEvidence(context: ClientContext, given: ReceiptToCollect): Promise<ReceiptEvidence> {
  const { chain } = context;
  const { receipt, signature, answer, transaction } = given;
  const parsed = decodeReceipt(receipt);
  if (parsed === null) throw refuse('RECEIPT_INVALID', { check: 'ENCODING' });
  const { jobId } = parsed;
  const registrationsIn = (daoId: DaoId) =>
    Promise.all([chain.dao(daoId), orNull(chain.runner(daoId, runnerIdOf<RunnerId>(parsed.signerPublicKey)))]);
  const known = daosOf(context).get(jobId);
  const [info, job, settlement, early, told] = await Promise.all([
    chain.info(),
    chain.job(jobId),
    transaction === null ? null : chain.transaction(transaction),
    known === undefined ? null : registrationsIn(known),
    ownersOf(context, idsOf(answer?.uses ?? [])),
  ]);
  const paid = idsOf(
    (settlement?.events ?? []).flatMap(({ data }) => (data.type === 'ReceiptSettled' ? data.uses : [])),
  );
  const isTold = new Set(told.map(({ contributionId }) => contributionId));
  const [[dao, runner], others] = await Promise.all([
    early ?? registrationsIn(job.daoId),
    ownersOf(
      context,
      paid.filter((id) => !isTold.has(id)),
    ),
  ]);
  remember(context, jobId, job.daoId);
  return { receipt, signature, chain: info, job, dao, runner, settlement, owners: [...told, ...others], answer };
}

/** Whose a job is never changes; what else is said of it is read each time. */
const daosByJob = new WeakMap<ClientContext['chain'], Map<JobId, DaoId>>();
const REMEMBERED_JOBS = 100;
const daosOf = ({ chain }: ClientContext): ReadonlyMap<JobId, DaoId> => daosByJob.get(chain) ?? new Map();

function remember({ chain }: ClientContext, jobId: JobId, daoId: DaoId): void {
  const known = daosByJob.get(chain) ?? new Map<JobId, DaoId>();
  daosByJob.set(chain, known.set(jobId, daoId));
  const [oldest] = known.keys();
  if (known.size > REMEMBERED_JOBS && oldest !== undefined) known.delete(oldest);
}

const idsOf = (uses: readonly { readonly contributionId: ContributionId }[]): ContributionId[] => [
  ...new Set(uses.map(({ contributionId }) => contributionId)),
];

async function ownersOf(
  { chain }: ClientContext,
  contributionIds: readonly ContributionId[],
): Promise<ReceiptEvidence['owners']> {
  if (contributionIds.length === 0) return [];
  const contributions = await chain.contributions(contributionIds);
  return contributionIds.map((contributionId, i) => {
    const contribution = contributions[i] ?? null;
    if (contribution === null) throw refuse('NOT_FOUND', { contribution: contributionId });
    return { contributionId, owner: contribution.owner };
  });
}

/** What was settled, from the API: for a receipt whose answer this client did not ask for or has forgotten. */
export async function collectSettled(
  context: ClientContext,
  jobId: JobId,
  questionId: QuestionId,
  answer: Answer | null,
): Promise<ReceiptEvidence> {
  const { receipt, signature, transaction } = await readReceipt(context, jobId, questionId);
  if (receipt === null || signature === null) throw refuse('NOT_FOUND', { object: 'signed receipt' });
  return collectEvidence(context, { receipt, signature, transaction, answer });
}
