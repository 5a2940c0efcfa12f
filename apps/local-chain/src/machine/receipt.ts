import { asAmount, ZERO_UNITS, type Digest } from '@usufruct/kernel';
import { payoutsOf, type PaidUse } from '@usufruct/ledger';
import { receiptDigest, type ChainActionPayloads, type JobView, type UsageReceipt } from '@usufruct/protocol';
import { receiptKey } from './collections.js';
import { refundAndClose } from './job.js';
import { countEarned } from './membership.js';
import { credit } from './money.js';
import type { Room } from './room.js';
import { paidUses } from './uses.js';
import { invalid, verifiedReceipt, type VerifiedReceipt } from './verified-receipt.js';

/**
 * Pay one receipt out of its job's escrow. Anybody may send it: the receipt says who signed, the chain who is paid.
 * Each question is paid once, whatever is sent how often.
 */
export async function settleReceipt(room: Room, action: ChainActionPayloads['settleReceipt']): Promise<void> {
  const verified = await verifiedReceipt(room, action, 'direct');
  const { receipt, job, dao } = verified;
  const uses = paidUses(room, job, receipt, action);
  requirePrice(job, receipt, uses);
  const payouts = payoutsOf({ priceUnits: receipt.priceUnits, split: job.split, ...payeesOf(room, verified) }, uses);
  for (const { account, role, amountUnits } of payouts) {
    credit(room.draft, account, amountUnits);
    if (role === 'contributor') countEarned(room, dao.id, account, amountUnits);
  }
  consume(room, verified, receiptDigest(action.receipt), (settled) =>
    room.emit({ type: 'ReceiptSettled', ...settled, uses: action.uses, payouts }),
  );
}

/** A question that used nobody's data costs nothing. */
function requirePrice(job: JobView, receipt: UsageReceipt, uses: readonly PaidUse[]): void {
  const owed = uses.length === 0 ? ZERO_UNITS : job.pricePerQuestionUnits;
  if (receipt.priceUnits !== owed) throw invalid('price');
}

export const payeesOf = (room: Room, { dao, payTo }: VerifiedReceipt) => ({
  treasury: dao.treasury,
  runner: payTo,
  protocol: room.chain.protocolAccount,
});

/** What the events of both kinds of settlement say alike. */
export interface Settled {
  readonly jobId: JobView['id'];
  readonly questionId: UsageReceipt['questionId'];
  readonly receiptDigest: Digest;
  readonly priceUnits: UsageReceipt['priceUnits'];
  readonly questionsSettled: number;
  readonly escrowLeftUnits: JobView['escrowUnits'];
}

/** Count the question as answered and take its price out of the escrow; with the last one the job has succeeded. */
export function consume(
  room: Room,
  { receipt, job }: VerifiedReceipt,
  digest: Digest,
  emit: (settled: Settled) => void,
): void {
  const { priceUnits, questionId } = receipt;
  const questionsSettled = job.questionsSettled + 1;
  const escrowUnits = asAmount(job.escrowUnits - priceUnits, 'escrowUnits');
  const after = { ...job, questionsSettled, escrowUnits };
  room.draft.write('job', job.id, after);
  room.draft.write('receipt', receiptKey(job.id, questionId), { receiptDigest: digest });
  const about = { jobId: job.id, questionId, receiptDigest: digest, priceUnits };
  emit({ ...about, questionsSettled, escrowLeftUnits: escrowUnits });
  if (questionsSettled === job.maxQuestions) refundAndClose(room, after, 'succeeded');
}
