import { combineCommitments, digestOf, subDealingFlaw, verify } from '@usufruct/crypto';
import { fromBase64, toBase64, type Digest } from '@usufruct/kernel';
import {
  dealingDigest,
  decodeDealing,
  decodeReshareResult,
  encodeReshareResult,
  polynomialDigest,
  SealedSubSharesBcs,
  splitPoints,
  TAGS,
  type DealAnswer,
  type Dealing,
  type DealingFault,
  type DealingFaultReason,
} from '@usufruct/protocol';
import type { ReshareLook } from './look.js';

/**
 * What a carrier sees for itself. `WITHHELD`: a dealer dealt, and to one receiver nothing. `FALSE_ACCUSATION`: a receiver
 * says of a dealer what its own signed bytes contradict, which it, or the way to it, has altered. `FALSE_ACKNOWLEDGEMENT`:
 * a member signed for what it was not given, with a signature that is none, or for a share that it then has not.
 */
export type SeenFault = 'WITHHELD' | 'FALSE_ACCUSATION' | 'FALSE_ACKNOWLEDGEMENT';

/** A manifest of a batch, with the commitments to the polynomial that its dealers' shares lie on. */
export interface DealtFrom {
  readonly manifestDigest: Digest;
  readonly isOrigin: boolean;
  readonly fromCommitments: readonly Uint8Array[];
}

/**
 * What anybody can see to be wrong with a dealing, apart from its points: that it is about something else, is not the
 * dealer's, or leaves out a receiver that it was to be sealed to. Null for none of that.
 */
export async function dealtFlaw(
  { dealing: text, sealed }: DealAnswer,
  { set, chainId }: ReshareLook,
  dealer: { readonly signingPublicKey: string; readonly index: number },
  batch: readonly DealtFrom[],
  receivers: readonly string[],
): Promise<DealingFaultReason | SeenFault | null> {
  const bytes = fromBase64(text, 'dealing');
  const dealing = decodeDealing(bytes);
  if (dealing === null) return 'MALFORMED';
  if (toBase64(dealing.dealer) !== dealer.signingPublicKey) return 'SIGNATURE';
  const isHere = dealing.chainId === chainId && dealing.holderSetId === set.id && dealing.toVersion === set.version;
  if (!isHere || dealing.entries.length !== batch.length) return 'ENTRIES';
  for (const [i, { manifestDigest, isOrigin, fromCommitments: commitments }] of batch.entries()) {
    const entry = dealing.entries[i]!;
    const from = isOrigin
      ? manifestDigest
      : polynomialDigest({ manifestDigest, holderSetId: set.id, version: entry.fromVersion, commitments });
    if (entry.manifestDigest !== manifestDigest || entry.from !== from || entry.index !== dealer.index)
      return 'ENTRIES';
  }
  for (const receiver of receivers) {
    const part = sealed.find((one) => one.receiver === receiver);
    if (part === undefined) return 'WITHHELD';
    const message = SealedSubSharesBcs.serialize({
      dealing: dealingDigest(bytes),
      receiver: fromBase64(receiver),
      sealedTo: fromBase64(part.sealedTo),
      sealed: digestOf(fromBase64(part.sealed)),
    }).toBytes();
    const signature = fromBase64(part.signature);
    const publicKey = dealing.dealer;
    if (!(await verify({ publicKey, domainTag: TAGS.sealedSubShares, message, signature }))) return 'SIGNATURE';
  }
  return null;
}

/**
 * Whether what a receiver says of a dealing that passed `dealtFlaw` cannot be: its signature and entries were looked at
 * here, and its points can be. What only the receiver can know (`SUB_SHARE`, `UNSEALABLE`, `SEALING_KEY`), what it alone
 * remembers (`EQUIVOCATION`), and what its own view of the chain says (`TOMBSTONED`) nobody can tell from here.
 */
export function isContradicted(
  { reason, manifestDigest }: Pick<DealingFault, 'reason' | 'manifestDigest'>,
  dealing: string,
  batch: readonly DealtFrom[],
  threshold: number,
): boolean {
  if (reason === 'MALFORMED' || reason === 'SIGNATURE' || reason === 'ENTRIES') return true;
  if (reason !== 'COMMITMENTS' && reason !== 'CONSTANT_TERM') return false;
  const at = batch.findIndex((one) => one.manifestDigest === manifestDigest);
  const entry = decodeDealing(fromBase64(dealing))?.entries[at];
  const source = batch[at];
  if (entry === undefined || source === undefined) return true;
  const { index: dealerIndex, commitments } = entry;
  // No scalar: where everything public is good, the sub-share is what it stops at.
  const publicly = { dealerIndex, commitments, subShare: new Uint8Array() };
  const receiver = { fromCommitments: source.fromCommitments, threshold, receiverIndex: 1 };
  return subDealingFlaw(publicly, receiver) === 'SUB_SHARE';
}

/** Whether a member signed, with its key, a result about this batch from these dealers. What it is said to be is not looked at. */
export async function isAcknowledgement(
  { result: text, signature }: { readonly result: string; readonly signature: string },
  { set, chainId }: ReshareLook,
  member: number,
  dealings: readonly string[],
): Promise<boolean> {
  const message = fromBase64(text, 'result');
  const result = decodeReshareResult(message);
  const those = dealings.map((one) => decodeDealing(fromBase64(one))).filter((one) => one !== null);
  const [first] = those;
  if (result === null || first === undefined || result.chainId !== chainId) return false;
  const isHere = result.holderSetId === set.id && result.toVersion === set.version;
  const isOfThese = result.dealers.join() === indexesOf(those).join() && result.entries.length === first.entries.length;
  const isOfBatch = first.entries.every(({ manifestDigest, from }, i) => {
    const entry = result.entries[i];
    return entry?.manifestDigest === manifestDigest && entry.from === from;
  });
  const publicKey = fromBase64(set.members[member]!.signingPublicKey);
  return (
    isHere &&
    isOfThese &&
    isOfBatch &&
    (await verify({ publicKey, domainTag: TAGS.reshareResult, message, signature: fromBase64(signature) }))
  );
}

/** What every member that was given these dealings signs. Refuses `SHARE_INVALID` where they do not fit together. */
export function resultOf(
  { set, chainId }: ReshareLook,
  batch: readonly DealtFrom[],
  dealings: readonly string[],
): string {
  const { id: holderSetId, version } = set;
  const those = dealings.map((one) => decodeDealing(fromBase64(one))).filter((one) => one !== null);
  const inOrder = those.sort((a, b) => a.entries[0]!.index - b.entries[0]!.index);
  const entries = batch.map(({ manifestDigest, fromCommitments }, i) => {
    const dealt = inOrder.map((one) => one.entries[i]!);
    const parts = dealt.map(({ index: dealerIndex, commitments }) => ({ dealerIndex, commitments }));
    const commitments = combineCommitments(parts, fromCommitments[0]!);
    const to = polynomialDigest({ manifestDigest, holderSetId, version, commitments });
    return { manifestDigest, from: dealt[0]!.from, to };
  });
  const result = { chainId, holderSetId, toVersion: version, dealers: indexesOf(those), entries };
  return toBase64(encodeReshareResult(result));
}

const indexesOf = (dealings: readonly Dealing[]): number[] =>
  dealings.map(({ entries }) => entries[0]?.index ?? 0).sort((a, b) => a - b);

/** The commitments that a carrier knows a manifest's dealers by. */
export const fromCommitmentsOf = (commitments: string | null, origin: readonly Uint8Array[]): readonly Uint8Array[] =>
  commitments === null ? origin : splitPoints(fromBase64(commitments, 'commitments'));
