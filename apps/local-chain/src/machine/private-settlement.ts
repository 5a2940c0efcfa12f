import { privatePayoutsOf } from '@usufruct/ledger';
import { receiptDigest, type ChainActionPayloads } from '@usufruct/protocol';
import { credit } from './money.js';
import { addToPool } from './receipt-pool.js';
import { consume, payeesOf } from './receipt.js';
import type { Room } from './room.js';
import { invalid, verifiedReceipt } from './verified-receipt.js';

/**
 * Epoch mode: treasury, runner and protocol are paid, the contributors' part is set aside, and nobody sees the uses. So
 * nobody here checks grants or spends their budgets either: that is for the settler and the holders who countersign the
 * epoch that divides the part.
 */
export async function settlePrivately(room: Room, action: ChainActionPayloads['settlePrivately']): Promise<void> {
  const verified = await verifiedReceipt(room, action, 'epoch');
  const { receipt, job, dao } = verified;
  const { priceUnits } = receipt;
  if (priceUnits !== 0n && priceUnits !== job.pricePerQuestionUnits) throw invalid('price');
  const { payouts, pooledUnits } = privatePayoutsOf({ priceUnits, split: job.split, ...payeesOf(room, verified) });
  for (const { account, amountUnits } of payouts) credit(room.draft, account, amountUnits);
  const digest = receiptDigest(action.receipt);
  const place = addToPool(room, dao.id, { digest, pooledUnits });
  consume(room, verified, digest, (settled) =>
    room.emit({ type: 'ReceiptSettledPrivately', ...settled, daoId: dao.id, payouts, pooledUnits, ...place }),
  );
}
