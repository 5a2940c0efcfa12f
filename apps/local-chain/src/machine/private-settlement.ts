import { privatePayoutsOf } from '@usufruct/ledger';
import { OpeningAckBcs, receiptDigest, TAGS, type ChainActionPayloads } from '@usufruct/protocol';
import { requireMemberSignatures } from './member-signatures.js';
import { credit } from './money.js';
import { addToPool } from './receipt-pool.js';
import { consume, payeesOf } from './receipt.js';
import { mustFind, type Room } from './room.js';
import { invalid, verifiedReceipt } from './verified-receipt.js';

/**
 * Epoch mode: treasury, runner and protocol are paid, the contributors' part is set aside, and nobody sees the uses. So
 * nobody here checks grants or spends their budgets either: that is for the settler and the holders who countersign the
 * epoch that divides the part. That they can, they say beforehand: without the openings nobody could divide this part,
 * nor, since epochs leave no receipt out, that of any later one.
 */
export async function settlePrivately(room: Room, action: ChainActionPayloads['settlePrivately']): Promise<void> {
  const verified = await verifiedReceipt(room, action, 'epoch');
  const { receipt, job, dao } = verified;
  const { priceUnits } = receipt;
  if (priceUnits !== 0n && priceUnits !== job.pricePerQuestionUnits) throw invalid('price');
  const digest = receiptDigest(action.receipt);
  await requireMemberSignatures(mustFind(room, 'holder-set', dao.policy.holderSetId), {
    domainTag: TAGS.openingAck,
    message: OpeningAckBcs.serialize({
      chainId: room.chain.chainId,
      daoId: dao.id,
      receiptDigest: digest,
    }).toBytes(),
    signatures: action.acknowledgements,
    needed: dao.policy.verifierThreshold,
  });
  const { payouts, pooledUnits } = privatePayoutsOf({ priceUnits, split: job.split, ...payeesOf(room, verified) });
  for (const { account, amountUnits } of payouts) credit(room.draft, account, amountUnits);
  const place = addToPool(room, dao.id, { digest, pooledUnits });
  consume(room, verified, digest, (settled) =>
    room.emit({ type: 'ReceiptSettledPrivately', ...settled, daoId: dao.id, payouts, pooledUnits, ...place }),
  );
}
