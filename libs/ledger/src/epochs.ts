import { deriveSessionKey, leafHash, MerkleLog, verifyInclusion } from '@usufruct/crypto';
import {
  asAmount,
  checkThat,
  fromHex,
  refuse,
  sumUnits,
  toHex32,
  verdictOf,
  ZERO_UNITS,
  type Address,
  type AmountUnits,
  type DaoId,
  type Digest,
  type Hex32,
  type RandomSource,
  type Verdict,
} from '@usufruct/kernel';
import {
  epochLeafEntry,
  LIMITS,
  TAGS,
  type EpochLeaf,
  type EpochStatement,
  type RevenueSplit,
} from '@usufruct/protocol';
import { contributorPayouts, contributorsPartOf, type PaidUse } from './payouts.js';

/** A receipt that was settled privately, with the uses that only the settler and the holders see. */
export interface PrivateReceipt {
  readonly priceUnits: AmountUnits;
  /** That of the receipt's job. */
  readonly split: RevenueSplit;
  readonly uses: readonly PaidUse[];
}
export interface AccountPart {
  readonly account: Address;
  readonly amountUnits: AmountUnits;
}

/**
 * What each account gets of an epoch: each receipt's contributors' part divided as direct mode would have divided it,
 * added up by account, ascending by address; accounts that get nothing are left out. The parts add up to all that was
 * set aside for these receipts. Refuses `INVALID_ARGUMENT` for a receipt with a price and nothing used.
 */
export function epochPartsOf(receipts: readonly PrivateReceipt[]): AccountPart[] {
  const units = new Map<Address, bigint>();
  for (const { priceUnits, split, uses } of receipts) {
    for (const { account, amountUnits } of contributorPayouts(contributorsPartOf(priceUnits, split), uses)) {
      if (amountUnits > 0n) units.set(account, (units.get(account) ?? 0n) + amountUnits);
    }
  }
  // Addresses are lower-case hex of one length, so text order is byte order.
  return [...units]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([account, amount]) => ({ account, amountUnits: asAmount(amount) }));
}

/** Of nobody: no wallet has this address, so a leaf that names it tells of no account. */
const NOBODY = toHex32<Hex32>(new Uint8Array(32)) as string as Address;

/**
 * The parts that become leaves. Epochs leave no receipt out, and the contract wants a leaf: where nobody gets anything
 * (questions that used nobody's data, a price of zero) one leaf gives zero to nobody, or such receipts would hold up all
 * that are paid behind them.
 */
function leafPartsOf(receipts: readonly PrivateReceipt[]): AccountPart[] {
  const parts = epochPartsOf(receipts);
  const isFree = parts.length === 0 && receipts.length > 0;
  return isFree ? [{ account: NOBODY, amountUnits: ZERO_UNITS }] : parts;
}

export interface BuiltEpoch {
  readonly leaves: readonly EpochLeaf[];
  readonly totalUnits: AmountUnits;
  readonly tree: EpochTree;
}

/**
 * The leaves of an epoch under fresh salts, and their tree. Every call makes another root: a settler stores what it got
 * before it signs anything. Where nobody gets anything it is one leaf of zero units of address zero. Refuses
 * `INVALID_ARGUMENT` for no receipts.
 */
export function buildEpoch(epoch: {
  readonly daoId: DaoId;
  readonly number: bigint;
  readonly receipts: readonly PrivateReceipt[];
  readonly random: RandomSource;
}): BuiltEpoch {
  const { daoId, number, random } = epoch;
  const parts = leafPartsOf(epoch.receipts);
  if (parts.length === 0 || parts.length > LIMITS.leavesPerEpoch) {
    throw refuse('INVALID_ARGUMENT', { field: 'receipts', expected: 'at least one, for no more accounts than leaves' });
  }
  const leaves = parts.map((part, index) => ({ daoId, number, index, ...part, salt: toHex32<Hex32>(random(32)) }));
  return { leaves, totalUnits: sumUnits(parts.map((part) => part.amountUnits)), tree: new EpochTree(leaves) };
}

/**
 * The salts of an epoch's leaves from one secret seed of 32 bytes (HKDF-SHA256 with the leaf's place as context), so that
 * those who recompute the epoch need the seed and no list. Give it to `buildEpoch` and to nothing else: each call of the
 * result gives the next salt.
 */
export function saltsFrom(seed: Uint8Array): RandomSource {
  let place = 0;
  return () => {
    const context = new Uint8Array(4);
    new DataView(context.buffer).setUint32(0, place);
    place += 1;
    return Uint8Array.from(deriveSessionKey({ domainTag: TAGS.epochSalt, secret: seed, context }));
  };
}

/** The RFC 6962 tree over an epoch's leaves. */
export class EpochTree {
  readonly #log: MerkleLog;

  constructor(leaves: readonly EpochLeaf[]) {
    this.#log = new MerkleLog(leaves.map((leaf) => leafHash(epochLeafEntry(leaf))));
  }
  get root(): Digest {
    return toHex32<Digest>(this.#log.root());
  }
  /** What the owner of this leaf shows beside it: the siblings from the leaf up. */
  proofOf(index: number): Digest[] {
    return this.#log.inclusionProof(index).map((hash) => toHex32<Digest>(hash));
  }
}

/** Whether the leaf is in the tree: what a contributor checks before it claims, and what the chain will check. */
export const isLeafOf = (
  { root, leafCount }: Pick<EpochStatement, 'root' | 'leafCount'>,
  leaf: EpochLeaf,
  proof: readonly Digest[],
): boolean =>
  verifyInclusion({
    leafHash: leafHash(epochLeafEntry(leaf)),
    leafIndex: leaf.index,
    treeSize: leafCount,
    proof: proof.map((hash) => fromHex(hash)),
    root: fromHex(root),
  });

/**
 * What a holder compares before it countersigns: that the statement commits to the epoch that it has built itself of the
 * same receipts and salts, and to nothing else. That the receipts are the ones of the statement, and that their uses open
 * their commitments under grants that covered them, is for the caller to have checked.
 */
export const verifyEpoch = (
  { leafCount, totalUnits, root }: Pick<EpochStatement, 'leafCount' | 'totalUnits' | 'root'>,
  built: BuiltEpoch,
): Verdict =>
  verdictOf([
    checkThat('leafCount', built.leaves.length === leafCount, 'the statement names another number of leaves'),
    checkThat('totalUnits', built.totalUnits === totalUnits, 'the total is another'),
    checkThat('root', built.tree.root === root, 'the leaves have another root'),
  ]);
