import { asAmount, type Address, type AmountUnits, type Digest, type EpochId, type Hex32 } from '@usufruct/kernel';
import type { EpochLeaf, ReceiptPoolView } from '@usufruct/protocol';
import type { Play } from '../play/actor.js';
import { OWNERS, STRANGER, word } from '../play/cast.js';

/** The leaves of each epoch that was proposed; whoever claims needs them. */
const leavesOf = new WeakMap<Play['ledger'], Map<EpochId, EpochLeaf[]>>();
export const knownLeaves = ({ ledger }: Play): Map<EpochId, EpochLeaf[]> => {
  const known = leavesOf.get(ledger) ?? new Map<EpochId, EpochLeaf[]>();
  leavesOf.set(ledger, known);
  return known;
};

/** What the next epoch has to cover: up to which receipt, of which chain, and how much of it. */
export function rangeOf({ ledger }: Play, pool: ReceiptPoolView): { to: bigint; chain: Digest; total: AmountUnits } {
  const marked = (number: bigint) => ledger.read('pool-mark', `${pool.daoId}/${number}`);
  const to = pool.receiptCount;
  const after = marked(to)!;
  const before = marked(pool.coveredReceipts)?.pooledUnits ?? 0n;
  return { to, chain: after.receiptChain, total: asAmount(after.pooledUnits - before) };
}

/** Parts of the total for some accounts, one of them zero; now and then more than there is, as cheats would sign. */
export function leavesFor(play: Play, pool: ReceiptPoolView): EpochLeaf[] {
  const { random, needs } = play;
  const { total } = rangeOf(play, pool);
  const accounts: Address[] = [...random.some(OWNERS), STRANGER];
  const part = total / BigInt(accounts.length);
  const rest = total - part * BigInt(accounts.length - 1);
  const number = pool.epochCount + 1n;
  const leaf = (account: Address, amountUnits: bigint, index: number): EpochLeaf => ({
    daoId: pool.daoId,
    number,
    index,
    account,
    amountUnits: asAmount(amountUnits),
    salt: word<Hex32>(`leaf ${index}`),
  });
  const excess = needs.excess === true || random.chance(0.2) ? 1n : 0n;
  const leaves = accounts.map((account, index) => leaf(account, index === 0 ? rest + excess : part, index));
  return [...leaves, leaf(OWNERS[0]!, 0n, leaves.length)];
}
