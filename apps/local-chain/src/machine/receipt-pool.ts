import {
  asAmount,
  asTimestampMs,
  refuse,
  ZERO_UNITS,
  type AmountUnits,
  type DaoId,
  type Digest,
} from '@usufruct/kernel';
import {
  EMPTY_RECEIPT_CHAIN,
  LIMITS,
  nextReceiptChain,
  receiptPoolAccountOf,
  type ReceiptPoolView,
} from '@usufruct/protocol';
import { poolMarkKey, type RecordOf, type StateReader } from './collections.js';
import type { EffectRule } from './effect-rule.js';
import { credit, debit } from './money.js';
import { mustFind, type Room } from './room.js';

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
  const mark = { receiptChain, pooledUnits, settledAtMs: room.nowMs };
  room.draft.write('pool-mark', poolMarkKey(daoId, receiptNumber), mark);
  return { receiptNumber, receiptChain };
}

/** The pool as it was after this receipt; undefined for one to come. */
export const markAt = (state: StateReader, daoId: DaoId, receipt: bigint): RecordOf<'pool-mark'> | undefined =>
  receipt === 0n
    ? { receiptChain: EMPTY_RECEIPT_CHAIN, pooledUnits: ZERO_UNITS, settledAtMs: asTimestampMs(0) }
    : state.read('pool-mark', poolMarkKey(daoId, receipt));

/** While an epoch is in its challenge window nothing is decided about the receipts after it. */
export function requireUnchallenged(room: Room, daoId: DaoId): void {
  const window = room.draft.read('epoch-window', daoId);
  if (window !== undefined && room.nowMs < window.endsAtMs) throw refuse('EPOCH_STATE', { state: 'challenged' });
}

/**
 * Exactly the next receipts, which nobody has divided in all that time: their part becomes the treasury's. No vote can be
 * quicker than those who divide, and epochs that were proposed keep theirs.
 */
export const writeOffReceipts: EffectRule<'writeOffReceipts'> = {
  check: ({ fromReceipt, toReceipt }) => {
    if (fromReceipt < 1n || toReceipt < fromReceipt) {
      throw refuse('INVALID_ARGUMENT', { field: 'receipts', expected: 'a run of one at least, numbered from 1' });
    }
  },
  apply: (room, { daoId }, { fromReceipt, toReceipt }) => {
    const pool = poolOf(room.draft, daoId);
    const before = markAt(room.draft, daoId, pool.coveredReceipts);
    const last = markAt(room.draft, daoId, toReceipt);
    const isRun = fromReceipt === pool.coveredReceipts + 1n && fromReceipt <= toReceipt;
    if (!isRun || before === undefined || last === undefined) {
      throw refuse('INVALID_ARGUMENT', { field: 'receipts', expected: 'exactly the next ones that no epoch covers' });
    }
    requireUnchallenged(room, daoId);
    if (room.nowMs < last.settledAtMs + LIMITS.writeOffAfterMs) {
      throw refuse('INVALID_ARGUMENT', { field: 'toReceipt', expected: 'one that was settled 30 days ago' });
    }
    const amountUnits = asAmount(last.pooledUnits - before.pooledUnits);
    debit(room.draft, pool.account, amountUnits);
    credit(room.draft, mustFind(room, 'dao', daoId).treasury, amountUnits);
    room.draft.write('receipt-pool', daoId, { ...pool, coveredReceipts: toReceipt });
    room.emit({ type: 'ReceiptsWrittenOff', daoId, fromReceipt, toReceipt, amountUnits });
  },
};
