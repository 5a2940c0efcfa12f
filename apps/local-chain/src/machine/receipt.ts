import { verify } from '@usufruct/crypto';
import { asAmount, refuse, ZERO_UNITS, type RunnerId } from '@usufruct/kernel';
import { payoutsOf, type PaidUse } from '@usufruct/ledger';
import {
  LIMITS,
  receiptDigest,
  runnerIdOf,
  TAGS,
  UsageReceiptBcs,
  type ChainActionPayloads,
  type JobView,
  type RunnerView,
  type UsageReceipt,
} from '@usufruct/protocol';
import { receiptKey, runnerKey } from './collections.js';
import { decodeCanonical } from './decode.js';
import { refundAndClose, requireFunded } from './job.js';
import { countEarned } from './membership.js';
import { credit } from './money.js';
import { requireOpen } from './pause.js';
import { CLOCK_SKEW_MS, mustFind, type Room } from './room.js';
import { paidUses } from './uses.js';

const RECEIPT_BYTES = 2_048;

/**
 * Pay one receipt out of its job's escrow. Anybody may send it: the receipt says who signed, the chain who is paid.
 * Each question is paid once, whatever is sent how often.
 */
export async function settleReceipt(room: Room, action: ChainActionPayloads['settleReceipt']): Promise<void> {
  const receipt = decodeReceipt(room, action.receipt);
  const job = mustFind(room, 'job', receipt.jobId);
  requireOpen(mustFind(room, 'dao', job.daoId));
  const key = receiptKey(receipt.jobId, receipt.questionId);
  const settled = room.draft.read('receipt', key);
  if (settled !== undefined) throw refuse('RECEIPT_CONSUMED', { receiptDigest: settled.receiptDigest });
  requireFunded(job);
  requireTimely(room, job, receipt);
  const runner = requireRunner(room, job, receipt);
  await requireSignature(receipt, action);
  const uses = paidUses(room, job, receipt, action);
  requirePrice(job, receipt, uses);
  settle(room, { job, receipt, runner, uses, action, key });
}

function decodeReceipt(room: Room, bytes: Uint8Array): UsageReceipt {
  const receipt = decodeCanonical(UsageReceiptBcs, bytes, RECEIPT_BYTES);
  if (receipt === null) throw invalid('encoding');
  const { chainId, packageId, registryId } = room.chain;
  if (receipt.chainId !== chainId) throw invalid('chainId');
  if (receipt.packageId !== packageId) throw invalid('packageId');
  if (receipt.registryId !== registryId) throw invalid('registryId');
  return receipt;
}

/**
 * Issued within the job's term; settled within the freshness term, which may end after the job's term as long as
 * nobody has closed the job: a chain that was away for minutes must not cost the contributors their pay.
 */
function requireTimely(room: Room, job: JobView, { issuedAtMs }: UsageReceipt): void {
  if (issuedAtMs > room.nowMs + CLOCK_SKEW_MS || issuedAtMs + CLOCK_SKEW_MS < job.fundedAtMs)
    throw invalid('issuedAtMs');
  if (room.nowMs - issuedAtMs > LIMITS.receiptFreshnessMs) throw invalid('freshness');
  if (issuedAtMs >= job.expiresAtMs) throw refuse('JOB_EXPIRED', { jobId: job.id });
}

/** The signer was registered for this DAO when it signed, and its measurement is still approved now. */
function requireRunner(room: Room, job: JobView, receipt: UsageReceipt): RunnerView {
  if (receipt.signerKind !== 'tee') throw invalid('signerKind');
  const runner = room.draft.read('runner', runnerKey(job.daoId, runnerIdOf<RunnerId>(receipt.signerPublicKey)));
  if (runner === undefined) throw refuse('RUNNER_NOT_REGISTERED', { check: 'registered' });
  if (runner.expiresAtMs <= receipt.issuedAtMs) throw refuse('RUNNER_NOT_REGISTERED', { check: 'expired' });
  const { appraisal } = mustFind(room, 'dao', job.daoId).policy;
  if (!appraisal.measurements.includes(runner.measurement)) {
    throw refuse('RUNNER_NOT_REGISTERED', { check: 'measurement' });
  }
  if (!appraisal.profiles.some((profile) => profile === runner.profile)) {
    throw refuse('RUNNER_NOT_REGISTERED', { check: 'profile' });
  }
  return runner;
}

async function requireSignature(
  { signerPublicKey }: UsageReceipt,
  { receipt, signature }: ChainActionPayloads['settleReceipt'],
): Promise<void> {
  const valid = await verify({ publicKey: signerPublicKey, domainTag: TAGS.receipt, message: receipt, signature });
  if (!valid) throw invalid('signature');
}

/** A question that used nobody's data costs nothing. */
function requirePrice(job: JobView, receipt: UsageReceipt, uses: readonly PaidUse[]): void {
  const owed = uses.length === 0 ? ZERO_UNITS : job.pricePerQuestionUnits;
  if (receipt.priceUnits !== owed) throw invalid('price');
}

interface Settlement {
  readonly job: JobView;
  readonly receipt: UsageReceipt;
  readonly runner: RunnerView;
  readonly uses: readonly PaidUse[];
  readonly action: ChainActionPayloads['settleReceipt'];
  readonly key: string;
}

function settle(room: Room, { job, receipt, runner, uses, action, key }: Settlement): void {
  const dao = mustFind(room, 'dao', job.daoId);
  const { priceUnits, questionId } = receipt;
  const accounts = { treasury: dao.treasury, runner: runner.payTo, protocol: room.chain.protocolAccount };
  const payouts = payoutsOf({ priceUnits, split: job.split, ...accounts }, uses);
  for (const { account, role, amountUnits } of payouts) {
    credit(room.draft, account, amountUnits);
    if (role === 'contributor') countEarned(room, dao.id, account, amountUnits);
  }

  const questionsSettled = job.questionsSettled + 1;
  const escrowUnits = asAmount(job.escrowUnits - priceUnits, 'escrowUnits');
  const after = { ...job, questionsSettled, escrowUnits };
  const digest = receiptDigest(action.receipt);
  room.draft.write('job', job.id, after);
  room.draft.write('receipt', key, { receiptDigest: digest });
  room.emit({
    type: 'ReceiptSettled',
    jobId: job.id,
    questionId,
    receiptDigest: digest,
    priceUnits,
    uses: action.uses,
    payouts,
    questionsSettled,
    escrowLeftUnits: escrowUnits,
  });
  if (questionsSettled === job.maxQuestions) refundAndClose(room, after, 'succeeded');
}

const invalid = (check: string) => refuse('RECEIPT_INVALID', { check });
