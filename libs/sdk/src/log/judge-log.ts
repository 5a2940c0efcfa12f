import { checkThat, fromBase64, fromHex, refuse, type Check, type Digest } from '@usufruct/kernel';
import { leafHash, verify, verifyInclusion } from '@usufruct/crypto';
import {
  LogLeafBcs,
  TAGS,
  TreeHeadBcs,
  type ContributionView,
  type HolderSetView,
  type LogAnswer,
  type LogLeaf,
  type ReleaseLeaf,
} from '@usufruct/protocol';
import { holderName } from '../holders.js';
import type { LogState } from './judge-growth.js';

/** A lease of a key that rests on the whole dataset, or an output that left a job. */
export type DatasetEntry = Exclude<LogLeaf, { readonly type: 'release' }>;

export interface JudgedAnswer {
  readonly entries: readonly ReleaseLeaf[];
  /** About keys and outputs of the contribution's dataset. */
  readonly datasetEntries: readonly DatasetEntry[];
  readonly checks: readonly Check[];
  readonly head: LogState & { readonly atMs: number };
}

/**
 * One holder's answer by itself: signature of the tree head, that it is that member's, that every entry is in that tree
 * and is about this contribution or its dataset. Refuses `UPSTREAM_INVALID` for bytes that are none of this.
 */
export async function judgeAnswer(
  set: HolderSetView,
  member: number,
  contribution: Pick<ContributionView, 'id' | 'datasetId'>,
  { entries, head }: LogAnswer,
): Promise<JudgedAnswer> {
  const headBytes = fromBase64(head.treeHead);
  const { treeSize, rootHash, atMs, ...named } = parsedBytes(() => TreeHeadBcs.parse(headBytes), member);
  const isSigned = await verify({
    publicKey: fromBase64(set.members[member]!.signingPublicKey),
    domainTag: TAGS.treeHead,
    message: headBytes,
    signature: fromBase64(head.signature),
  });
  const leaves = entries.map(({ leaf }) => parsedBytes(() => LogLeafBcs.parse(fromBase64(leaf)), member));
  const releases = leaves.flatMap((entry) => (entry.type === 'release' ? [entry.leaf] : []));
  const datasetEntries = leaves.filter((entry) => entry.type !== 'release');
  const isMine =
    releases.every((leaf) => leaf.contributionId === contribution.id && isOfSeat(leaf, set, member)) &&
    datasetEntries.every(({ leaf }) => leaf.datasetId === contribution.datasetId);
  const checks: Check[] = [
    checkThat('HEAD_SIGNATURE', isSigned, 'the tree head is not signed by the key on the chain'),
    checkThat(
      'HEAD_MEMBER',
      named.holderSetId === set.id && named.member === member,
      'the tree head is of another log',
    ),
    checkThat(
      'INCLUSION',
      areIncluded(entries, treeSize, rootHash),
      'an entry is not in the signed tree',
      `${entries.length} entries`,
    ),
    checkThat('ENTRIES', isMine, 'an entry is about something else'),
  ];
  return { entries: releases, datasetEntries, checks, head: { treeSize, rootHash, atMs } };
}

/** Each place once: an entry that is shown twice would count twice. */
function areIncluded(entries: LogAnswer['entries'], treeSize: number, rootHash: Digest): boolean {
  if (new Set(entries.map(({ leafIndex }) => leafIndex)).size !== entries.length) return false;
  return entries.every(({ leaf, leafIndex, inclusionProof }) =>
    verifyInclusion({
      leafHash: leafHash(fromBase64(leaf)),
      leafIndex,
      treeSize,
      proof: inclusionProof.map((hash) => fromBase64(hash)),
      root: fromHex(rootHash),
    }),
  );
}

/**
 * A refusal by a holder that has no share (any more) names no share. Before a rotation the holder may have had another
 * place, which its log goes on to say.
 */
const isOfSeat = (leaf: ReleaseLeaf, set: HolderSetView, member: number): boolean =>
  leaf.holderSetId === set.id &&
  (leaf.shareIndex === member + 1 || set.version > 1 || (leaf.shareIndex === 0 && leaf.decision !== 'RELEASED'));

function parsedBytes<T>(parse: () => T, member: number): T {
  try {
    return parse();
  } catch (cause) {
    throw refuse('UPSTREAM_INVALID', { upstream: holderName(member) }, cause);
  }
}
