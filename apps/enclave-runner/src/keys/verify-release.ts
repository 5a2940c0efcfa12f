import { leafHash, open, verify, verifyRange, type Share } from '@usufruct/crypto';
import { fromBase64, fromHex, isErrorCode, type ContributionId, type Digest, type ErrorCode } from '@usufruct/kernel';
import {
  contributionListDigest,
  releaseLeaves,
  sealedSharesAad,
  SHARE_BYTES,
  ShareBcs,
  shareReleaseInfo,
  splitPoints,
  TAGS,
  TreeHeadBcs,
  type ChainInfo,
  type DaoView,
  type HolderSetView,
  type JobView,
  type ReleaseAnswer,
  type ReleaseEntry,
  type SignedTreeHead,
} from '@usufruct/protocol';
import type { RunnerKeys } from '../attest/runner-keys.js';
import { forSlices } from '../slices.js';
import { holderFlaw, parsedFromHolder } from './holder-flaw.js';

/** A share, and the polynomial that its holder says it lies on: null for the manifest's own. */
export interface ReleasedShare extends Share {
  readonly commitments: readonly Uint8Array[] | null;
}
export type MemberRelease =
  | { readonly contributionId: ContributionId; readonly share: ReleasedShare }
  | { readonly contributionId: ContributionId; readonly refusal: ErrorCode };

export interface ReleaseExpected {
  readonly info: ChainInfo;
  readonly job: JobView;
  readonly dao: DaoView;
  readonly set: HolderSetView;
  /** Position of the holder in the set, from 0; its share has the index after it. */
  readonly member: number;
  readonly challenge: Uint8Array;
  readonly contributionIds: readonly ContributionId[];
  readonly measurement: string;
  readonly evidenceDigest: Digest;
  readonly keys: RunnerKeys;
}

/**
 * Judge one holder's answer before any of its shares is touched: the tree head is signed by that member, and the entries
 * that say exactly this release, made here from what was asked, are in the tree under that head. Then open the shares,
 * which open together or not at all. One flaw refuses the whole answer with `UPSTREAM_INVALID` naming it: a holder that
 * logs wrongly is not one to take keys from. That a share is the right one is for whoever combines it.
 */
export async function verifyReleaseAnswer(answer: ReleaseAnswer, expected: ReleaseExpected): Promise<MemberRelease[]> {
  const head = await verifiedHead(answer.head, expected);
  const { contributionIds } = expected;
  if (answer.entries.length !== contributionIds.length) throw holderFlaw('entries');
  for (const entry of answer.entries) requireOwnSeat(entry, expected);
  await requireLogged(answer, head, expected);
  const released = contributionIds.filter((_id, i) => answer.entries[i]!.decision === 'RELEASED');
  const shares = await openShares(answer.sealedShares, released, expected);
  const polynomials = polynomialsIn(answer);
  let next = 0;
  return contributionIds.map((contributionId, i): MemberRelease => {
    const { decision, shareIndex } = answer.entries[i]!;
    if (decision === 'RELEASED') {
      const share = shares[next++]!;
      if (share.index !== shareIndex) throw holderFlaw('share.index');
      return { contributionId, share: { ...share, commitments: polynomials.get(i) ?? null } };
    }
    return { contributionId, refusal: isErrorCode(decision) ? decision : 'UPSTREAM_INVALID' };
  });
}

interface Head {
  readonly treeSize: number;
  readonly root: Uint8Array;
}

/** The head of that member's log, signed by it. Refuses `UPSTREAM_INVALID`. */
export async function verifiedHead(
  { treeHead, signature }: SignedTreeHead,
  { set, member, dao }: Pick<ReleaseExpected, 'set' | 'member' | 'dao'>,
): Promise<Head> {
  const message = fromBase64(treeHead);
  const publicKey = fromBase64(set.members[member]!.signingPublicKey);
  const isSigned = await verify({ publicKey, domainTag: TAGS.treeHead, message, signature: fromBase64(signature) });
  if (!isSigned) throw holderFlaw('head.signature');
  const head = parsedFromHolder(() => TreeHeadBcs.parse(message), 'head');
  // A holder signs its one log for its seat in the DAO's current set; a contribution may be of an older set.
  const isOwnSeat = head.holderSetId === set.id ? head.member === member : head.holderSetId === dao.policy.holderSetId;
  if (!isOwnSeat) throw holderFlaw('head.member');
  return { treeSize: head.treeSize, root: fromHex(head.rootHash) };
}

/** A refusal may come from a holder that has no share at all; then it names no seat. */
function requireOwnSeat({ decision, holderSetId, shareIndex }: ReleaseEntry, { set, member }: ReleaseExpected): void {
  if (decision !== 'RELEASED') return;
  // Until its shares are of the set's version a holder's place may be another than the one that they are for.
  const isOwn = shareIndex === member + 1 || (set.version > 1 && shareIndex > 0);
  if (holderSetId !== set.id || !isOwn) throw holderFlaw('entry');
}

const polynomialsIn = ({ reshared = [] }: ReleaseAnswer): Map<number, readonly Uint8Array[]> =>
  new Map(reshared.map(({ entry, commitments }) => [entry, splitPoints(fromBase64(commitments, 'commitments'))]));

/** No share without its place in the log: of this job, purpose, code, key, evidence and moment, and of this decision. */
async function requireLogged(answer: ReleaseAnswer, head: Head, expected: ReleaseExpected): Promise<void> {
  const { job, contributionIds, measurement, evidenceDigest, keys } = expected;
  const common = {
    jobId: job.id,
    datasetId: job.datasetId,
    purpose: job.purpose,
    kind: job.kind,
    protection: job.protection,
    measurement,
    runnerSigningKey: keys.bound.signingPublicKey,
    evidenceDigest,
    atMs: answer.decidedAtMs,
  };
  const leafHashes: Uint8Array[] = [];
  await forSlices(releaseLeaves(common, contributionIds, answer.entries), (leaf) => leafHashes.push(leafHash(leaf)));
  const proof = answer.inclusionProof.map((hash) => fromBase64(hash));
  if (!verifyRange({ leafHashes, firstIndex: answer.firstIndex, proof, ...head })) throw holderFlaw('inclusionProof');
}

async function openShares(
  sealedShares: string | undefined,
  released: readonly ContributionId[],
  { info, dao, job, challenge, contributionIds, keys }: ReleaseExpected,
): Promise<Share[]> {
  if (released.length === 0) return [];
  if (sealedShares === undefined) throw holderFlaw('sealedShares');
  const { chainId, packageId } = info;
  const asked = contributionListDigest(contributionIds);
  const plaintext = await open({
    privateKey: keys.hpke.privateKey,
    info: shareReleaseInfo({ chainId, packageId, policyDigest: dao.policyDigest, challenge, jobId: job.id, asked }),
    aad: sealedSharesAad(released),
    sealed: fromBase64(sealedShares),
  });
  if (plaintext.length !== released.length * SHARE_BYTES) throw holderFlaw('sealedShares.length');
  const shares: Share[] = [];
  await forSlices(released.keys(), (i) => {
    const share = parsedFromHolder(
      () => ShareBcs.parse(plaintext.subarray(i * SHARE_BYTES, (i + 1) * SHARE_BYTES)),
      'share',
    );
    shares.push(share);
  });
  plaintext.fill(0);
  return shares;
}
