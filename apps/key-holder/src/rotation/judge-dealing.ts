import { digestOf, verify } from '@usufruct/crypto';
import { equalBytes, concatBytes, fromBase64, toBase64, UsufructError, type Digest } from '@usufruct/kernel';
import {
  dealingDigest,
  decodeDealing,
  polynomialDigest,
  SealedSubSharesBcs,
  subSharesInfo,
  TAGS,
  type Dealing,
  type DealtEntry,
  type DealingFault,
  type DealingFaultReason,
  type HolderSetView,
  type SubSharesRequest,
} from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { openSealed } from '../sealing/sealed.js';

/** A manifest of the batch, with the commitments of the polynomial that the dealers' shares are said to lie on. */
export interface Source {
  readonly manifestDigest: Digest;
  readonly commitments: readonly Uint8Array[];
  /** Whether that is the manifest's own. */
  readonly isOrigin: boolean;
}
export interface JudgeParams {
  readonly set: HolderSetView;
  readonly chainId: string;
  /** This holder's place in the version, from 0. */
  readonly member: number;
  readonly sources: readonly Source[];
}
export interface GoodDealing {
  readonly dealer: Uint8Array;
  /** The dealer's position, the same on all polynomials of the batch. */
  readonly index: number;
  readonly entries: readonly DealtEntry[];
  /** In the order of the entries. Secret. */
  readonly subShares: readonly Uint8Array[];
}
type Judged =
  | { readonly good: GoodDealing; readonly fault: null }
  | { readonly good: null; readonly fault: Omit<DealingFault, 'dealing'> };

/**
 * Judge one dealer's dealing and open what it sealed to this holder: all but the sub-shares themselves, which are judged
 * with those of the other dealers (`judgeShares`) before anything is kept. Everything that is wrong is the fault of the
 * dealer, whose signature is over all of it; only `MALFORMED`, `SIGNATURE` and `SEALING_KEY` (it took longer than this
 * holder keeps a key) may be the carrier's.
 */
export async function judgeDealing(
  holder: Holder,
  given: SubSharesRequest['dealings'][number],
  params: JudgeParams,
): Promise<Judged> {
  const bytes = fromBase64(given.dealing, 'dealing');
  const dealing = decodeDealing(bytes);
  if (dealing === null) return bad(null, 'MALFORMED');
  const about = { dealing: dealingDigest(bytes), receiver: holder.keys.signing.publicKey };
  const sealed = fromBase64(given.sealed, 'sealed');
  const sealedTo = fromBase64(given.sealedTo, 'sealedTo');
  const message = SealedSubSharesBcs.serialize({ ...about, sealedTo, sealed: digestOf(sealed) }).toBytes();
  if (!(await isSignedBy(dealing.dealer, message, fromBase64(given.signature, 'signature')))) {
    return bad(null, 'SIGNATURE');
  }
  const flaw = entriesFlaw(dealing, params);
  if (flaw !== null) return bad(dealing, ...flaw);
  const opened = await openNamed(holder, { sealedTo: given.sealedTo, info: subSharesInfo(about), sealed });
  if (opened === 'SEALING_KEY') return bad(dealing, opened);
  if (opened?.length !== 32 * dealing.entries.length) return bad(dealing, 'UNSEALABLE');
  const subShares = dealing.entries.map((_, i) => opened.subarray(32 * i, 32 * (i + 1)));
  const other = dealing.entries.find((entry) => isOtherThanBefore(holder, params.set, entry));
  if (other !== undefined) return bad(dealing, 'EQUIVOCATION', other.manifestDigest);
  const { dealer, entries } = dealing;
  return { good: { dealer, index: entries[0]!.index, entries, subShares }, fault: null };
}

const bad = (dealing: Dealing | null, reason: DealingFaultReason, manifestDigest: Digest | null = null): Judged => ({
  good: null,
  fault: { dealer: dealing === null ? null : toBase64(dealing.dealer), reason, manifestDigest },
});

/** A key of another length is nobody's. */
async function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return publicKey.length === 32 && (await verify({ publicKey, domainTag: TAGS.sealedSubShares, message, signature }));
}

/** It is about this set, version and batch, from a dealer whose word counts. */
function entriesFlaw(
  dealing: Dealing,
  { set, chainId, sources }: JudgeParams,
): [DealingFaultReason, Digest | null] | null {
  const { entries } = dealing;
  if (set.tombstonedKeys.includes(toBase64(dealing.dealer))) return ['TOMBSTONED', null];
  const isHere = dealing.chainId === chainId && dealing.holderSetId === set.id && dealing.toVersion === set.version;
  if (!isHere || entries.length !== sources.length) return ['ENTRIES', null];
  for (const [i, { manifestDigest, commitments, isOrigin }] of sources.entries()) {
    const entry = entries[i]!;
    const { fromVersion: version } = entry;
    const from = isOrigin
      ? manifestDigest
      : polynomialDigest({ manifestDigest, holderSetId: set.id, version, commitments });
    const isThis = entry.manifestDigest === manifestDigest && entry.from === from && entry.index === entries[0]!.index;
    if (!isThis) return ['ENTRIES', manifestDigest];
  }
  return null;
}

/** Null where it does not open: whatever is wrong with it, the dealer has signed it. */
async function openNamed(
  holder: Holder,
  sealed: Parameters<typeof openSealed>[1],
): Promise<Uint8Array | null | 'SEALING_KEY'> {
  try {
    return await openSealed(holder, sealed);
  } catch (error) {
    if (error instanceof UsufructError && error.code === 'SEALING_KEY_RETIRED') return 'SEALING_KEY';
    throw error;
  }
}

const isOtherThanBefore = (
  { subShares }: Holder,
  { id: holderSetId, version: toVersion }: HolderSetView,
  { manifestDigest, from, index, commitments }: DealtEntry,
): boolean => {
  const known = subShares.find({ holderSetId, manifestDigest, toVersion, from, dealerIndex: index });
  return known !== undefined && !equalBytes(known.commitments, concatBytes(...commitments));
};
