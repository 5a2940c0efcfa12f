import { asAmount, ZERO_UNITS, type AmountUnits, type DaoId, type Digest } from '@usufruct/kernel';
import { EMPTY_RECEIPT_CHAIN, nextReceiptChain, receiptPoolAccountOf, type ReceiptPoolView } from '@usufruct/protocol';
import { poolMarkKey, type RecordOf, type StateReader } from './collections.js';
import { credit } from './money.js';
import type { Room } from './room.js';

/** What a DAO has set aside before its first private settlement. */
export const emptyPool = (daoId: DaoId): ReceiptPoolView => ({
  daoId,
  account: receiptPoolAccountOf(daoId),
  receiptCount: 0n,
  pooledUnits: ZERO_UNITS,
  receiptChain: EMPTY_RECEIPT_CHAIN,
  coveredReceipts: 0n,
  epochCount: 0n,
});

export const poolOf = (state: StateReader, daoId: DaoId): ReceiptPoolView =>
  state.read('receipt-pool', daoId) ?? emptyPool(daoId);

/** Set a receipt's part aside: its number in the DAO, and the chain of receipts up to it. */
export function addToPool(
  room: Room,
  daoId: DaoId,
  receipt: { readonly digest: Digest; readonly pooledUnits: AmountUnits },
): { readonly receiptNumber: bigint; readonly receiptChain: Digest } {
  const before = poolOf(room.draft, daoId);
  const receiptNumber = before.receiptCount + 1n;
  const receiptChain = nextReceiptChain(before.receiptChain, receipt.digest);
  const pooledUnits = asAmount(before.pooledUnits + receipt.pooledUnits);
  credit(room.draft, before.account, receipt.pooledUnits);
  room.draft.write('receipt-pool', daoId, { ...before, receiptCount: receiptNumber, receiptChain, pooledUnits });
  room.draft.write('pool-mark', poolMarkKey(daoId, receiptNumber), { receiptChain, pooledUnits });
  return { receiptNumber, receiptChain };
}

/** The pool as it was after this receipt; undefined for one to come. */
export const markAt = (state: StateReader, daoId: DaoId, receipt: bigint): RecordOf<'pool-mark'> | undefined =>
  receipt === 0n
    ? { receiptChain: EMPTY_RECEIPT_CHAIN, pooledUnits: ZERO_UNITS }
    : state.read('pool-mark', poolMarkKey(daoId, receipt));
