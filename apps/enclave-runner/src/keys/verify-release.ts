import { leafHash, open, verify, verifyInclusion, type Share } from '@usufruct/crypto';
import {
  equalBytes,
  fromBase64,
  fromHex,
  isErrorCode,
  refuse,
  type ContributionId,
  type Digest,
  type ErrorCode,
} from '@usufruct/kernel';
import {
  ReleaseLeafBcs,
  ShareBcs,
  shareReleaseInfo,
  TAGS,
  TreeHeadBcs,
  type ChainInfo,
  type DaoView,
  type HolderSetView,
  type JobView,
  type Release,
  type ReleaseAnswer,
  type ReleaseLeaf,
  type SignedTreeHead,
} from '@usufruct/protocol';
import type { RunnerKeys } from '../attest/runner-keys.js';

export type MemberRelease =
  | { readonly contributionId: ContributionId; readonly share: Share }
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
 * Judge one holder's answer before any of its shares is touched: the tree head is signed by that member, every entry
 * says exactly this release, and every entry is in the tree under that head. Then unwrap the shares. One flaw refuses
 * the whole answer with `UPSTREAM_INVALID` naming it: a holder that logs wrongly is not one to take keys from.
 */
export async function verifyReleaseAnswer(answer: ReleaseAnswer, expected: ReleaseExpected): Promise<MemberRelease[]> {
  const head = await verifiedHead(answer.head, expected);
  if (answer.releases.length !== expected.contributionIds.length) throw flaw('releases');
  return Promise.all(
    answer.releases.map((release, i) => verifiedRelease(release, expected.contributionIds[i]!, head, expected)),
  );
}

interface Head {
  readonly treeSize: number;
  readonly root: Uint8Array;
}

async function verifiedHead(
  { treeHead, signature }: SignedTreeHead,
  { set, member, dao }: ReleaseExpected,
): Promise<Head> {
  const message = fromBase64(treeHead);
  const publicKey = fromBase64(set.members[member]!.signingPublicKey);
  const isSigned = await verify({ publicKey, domainTag: TAGS.treeHead, message, signature: fromBase64(signature) });
  if (!isSigned) throw flaw('head.signature');
  const head = parsed(() => TreeHeadBcs.parse(message), 'head');
  // A holder signs its one log for its seat in the DAO's current set; a contribution may be of an older set.
  const isOwnSeat = head.holderSetId === set.id ? head.member === member : head.holderSetId === dao.policy.holderSetId;
  if (!isOwnSeat) throw flaw('head.member');
  return { treeSize: head.treeSize, root: fromHex(head.rootHash) };
}

async function verifiedRelease(
  release: Release,
  contributionId: ContributionId,
  head: Head,
  expected: ReleaseExpected,
): Promise<MemberRelease> {
  const entry = fromBase64(release.leaf);
  const leaf = parsed(() => ReleaseLeafBcs.parse(entry), 'leaf');
  requireThisRelease(leaf, contributionId, expected);
  const isIncluded = verifyInclusion({
    leafHash: leafHash(entry),
    leafIndex: release.leafIndex,
    proof: release.inclusionProof.map((hash) => fromBase64(hash)),
    ...head,
  });
  if (!isIncluded) throw flaw('inclusionProof');
  if (leaf.decision !== 'RELEASED') {
    return { contributionId, refusal: isErrorCode(leaf.decision) ? leaf.decision : 'UPSTREAM_INVALID' };
  }
  if (release.wrappedShare === undefined) throw flaw('wrappedShare');
  return { contributionId, share: await unwrap(fromBase64(release.wrappedShare), contributionId, expected) };
}

/** A refusal may come from a holder that has no share at all; then it names no seat. */
function requireThisRelease(leaf: ReleaseLeaf, contributionId: ContributionId, expected: ReleaseExpected): void {
  const { job, set, member, measurement, evidenceDigest, keys } = expected;
  const isThis =
    (leaf.decision !== 'RELEASED' || (leaf.holderSetId === set.id && leaf.shareIndex === member + 1)) &&
    leaf.jobId === job.id &&
    leaf.datasetId === job.datasetId &&
    leaf.contributionId === contributionId &&
    leaf.purpose === job.purpose &&
    leaf.kind === job.kind &&
    leaf.protection === job.protection &&
    leaf.measurement === measurement &&
    leaf.evidenceDigest === evidenceDigest &&
    equalBytes(leaf.runnerSigningKey, keys.bound.signingPublicKey);
  if (!isThis) throw flaw('leaf');
}

async function unwrap(
  sealed: Uint8Array,
  contributionId: ContributionId,
  { info, dao, job, challenge, member, keys }: ReleaseExpected,
): Promise<Share> {
  const context = { chainId: info.chainId, packageId: info.packageId, policyDigest: dao.policyDigest };
  const bytes = await open({
    privateKey: keys.hpke.privateKey,
    info: shareReleaseInfo({ ...context, challenge, jobId: job.id, contributionId }),
    aad: new Uint8Array(),
    sealed,
  });
  const share = parsed(() => ShareBcs.parse(bytes), 'share');
  if (share.index !== member + 1) throw flaw('share.index');
  return share;
}

function parsed<T>(parse: () => T, field: string): T {
  try {
    return parse();
  } catch (cause) {
    throw refuse('UPSTREAM_INVALID', { upstream: 'key holder', field }, cause);
  }
}

const flaw = (field: string) => refuse('UPSTREAM_INVALID', { upstream: 'key holder', field });
