/**
 * Verifiable re-sharing of a Feldman-shared secret to another set of holders, another threshold, or both (Desmedt and
 * Jajodia 1997; verifiable as in Wong, Wang and Wing, SISW 2002). The secret is never put together.
 *
 * The shares lie on f of degree t-1. Dealer i draws g_i of degree t'-1 with g_i(0) = f(i), gives receiver j the
 * sub-share g_i(j) and publishes commitments D_i to g_i. Everybody checks D_i,0 = f(i)·B, which follows from the
 * commitments to f, and j checks its sub-share against D_i. With the Lagrange coefficients λ_i of t dealers, the share
 * of j is Σ λ_i·g_i(j) and the commitments are Σ λ_i·D_i: of a polynomial of degree t'-1 whose constant term is f(0).
 * So the first commitment stays, and whoever knows it can see that no re-sharing ever changed the secret.
 *
 * All receivers must use the same dealers: other dealers make another polynomial with the same secret. Fewer than t
 * dealers and fewer than t' receivers together learn nothing (tested as linear algebra, whatever they pool). A dealer
 * that keeps its old share keeps what it knew: old shares must be destroyed once enough receivers have theirs.
 */
import { refuse, type RandomSource } from '@usufruct/kernel';
import { requireInteger } from './guards.js';
import { combinePoints, decodeAll } from './committed.js';
import {
  brokenRandom,
  decodePoint,
  decodeScalar,
  decodeShare,
  evaluate,
  evaluateCommitted,
  Fn,
  isIndex,
  MAX_HOLDERS,
  Point,
  pointOf,
  randomScalar,
  weightsAtZero,
  type Share,
} from './polynomial.js';

export interface DealSubSharesParams {
  /** The dealer's own share; it must have been verified when it was received. */
  readonly share: Share;
  /** Of the polynomial to be: t'. */
  readonly threshold: number;
  /** How many receivers there are: n'. */
  readonly holderCount: number;
  /** The same bytes give the same dealing: a dealer that is asked twice must not deal twice. */
  readonly random: RandomSource;
}
export interface SubDeal {
  /** For receivers 1 to `holderCount`, 32 bytes each. Secret, each for its receiver alone. */
  readonly subShares: readonly Uint8Array[];
  /** `threshold` points. Public. */
  readonly commitments: readonly Uint8Array[];
}

/** Share a share. Refuses `INVALID_ARGUMENT` for other numbers, `SHARE_INVALID` for what is no share. */
export function dealSubShares({ share, threshold, holderCount, random }: DealSubSharesParams): SubDeal {
  requireInteger(holderCount, 1, MAX_HOLDERS, 'holderCount');
  requireInteger(threshold, 1, holderCount, 'threshold');
  const constant = decodeShare(share);
  if (constant === null) throw refuse('SHARE_INVALID', { index: String(share.index) });
  const coefficients = [constant, ...Array.from({ length: threshold - 1 }, () => randomScalar(random))];
  const subShares = Array.from({ length: holderCount }, (_, i) => {
    const value = evaluate(coefficients, BigInt(i + 1));
    // Chance 2^-252 with a working source; receivers refuse it, so the dealer must not make it.
    if (value === 0n) throw brokenRandom();
    return Fn.toBytes(value);
  });
  return { subShares, commitments: coefficients.map((a) => Point.BASE.multiply(a).toBytes()) };
}

/** What one dealer gave one receiver for one secret. */
export interface SubDealing {
  /** The dealer's index on the polynomial that its share lies on. */
  readonly dealerIndex: number;
  readonly commitments: readonly Uint8Array[];
  /** 32 bytes. Secret. */
  readonly subShare: Uint8Array;
}
export type PublicSubDealing = Omit<SubDealing, 'subShare'>;

/**
 * What is wrong with a dealing: `COMMITMENTS` are not `threshold` points, `CONSTANT_TERM` commits to another value than
 * the dealer's share, `SUB_SHARE` is not on the committed polynomial (which only its receiver can say).
 */
export type SubDealingFlaw = 'COMMITMENTS' | 'CONSTANT_TERM' | 'SUB_SHARE';

export interface ReceiverParams {
  /** Commitments to the polynomial that the dealers' shares lie on. */
  readonly fromCommitments: readonly Uint8Array[];
  /** Of the polynomial to be. */
  readonly threshold: number;
  /** Whose sub-share it is. */
  readonly receiverIndex: number;
}

/** Null for a good one. Refuses `INVALID_ARGUMENT` for malformed `fromCommitments`, which are not the dealer's. */
export function subDealingFlaw(
  dealing: SubDealing,
  { fromCommitments, threshold, receiverIndex }: ReceiverParams,
): SubDealingFlaw | null {
  const from = fromCommitments.map(decodePoint);
  const points = decodeAll(dealing.commitments, threshold);
  if (points === null || !isIndex(dealing.dealerIndex)) return 'COMMITMENTS';
  if (!points[0]!.equals(evaluateCommitted(from, dealing.dealerIndex))) return 'CONSTANT_TERM';
  const value = decodeScalar(dealing.subShare);
  if (value === null || !isIndex(receiverIndex)) return 'SUB_SHARE';
  return Point.BASE.multiply(value).equals(evaluateCommitted(points, receiverIndex)) ? null : 'SUB_SHARE';
}

/**
 * The receiver's share from verified dealings of exactly as many dealers as the old threshold.
 * Refuses `SHARE_INVALID` for a malformed sub-share or a dealer named twice.
 */
export function combineSubShares(
  dealings: readonly Pick<SubDealing, 'dealerIndex' | 'subShare'>[],
  receiverIndex: number,
): Share {
  const weights = weightsAtZero(dealings.map(({ dealerIndex }) => dealerIndex));
  const sum = dealings.reduce((total, { dealerIndex, subShare }, i) => {
    const value = decodeScalar(subShare);
    if (value === null) throw refuse('SHARE_INVALID', { index: String(dealerIndex) });
    return Fn.add(total, Fn.mul(value, weights[i]!));
  }, 0n);
  return { index: receiverIndex, value: Fn.toBytes(sum) };
}

/**
 * The commitments to the new polynomial, by anybody. Refuses `SHARE_INVALID` when the dealers together do not commit to
 * the secret of `secretCommitment` (the first commitment of the old polynomial, and of every one before it), naming
 * them all: which one lies is for `subDealingFlaw` to say; and for commitments of different lengths.
 */
export function combineCommitments(
  dealings: readonly PublicSubDealing[],
  secretCommitment: Uint8Array,
): readonly Uint8Array[] {
  const indexes = dealings.map(({ dealerIndex }) => dealerIndex);
  const threshold = dealings[0]?.commitments.length ?? 0;
  const decoded = dealings.map(({ commitments }) => decodeAll(commitments, threshold));
  const secret = pointOf(secretCommitment);
  const isWhole = threshold > 0 && secret !== null && decoded.every((points) => points !== null);
  const points = isWhole ? combinePoints(indexes, decoded, secret) : null;
  if (points === null) {
    throw refuse('SHARE_INVALID', { index: indexes.join(','), reason: 'these dealers do not commit to the secret' });
  }
  return [secretCommitment, ...points.map((point) => point.toBytes())];
}
