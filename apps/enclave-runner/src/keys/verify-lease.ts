import { leafHash, open, verifyInclusion, type Share } from '@usufruct/crypto';
import { equalBytes, fromBase64, isErrorCode, refuse, type Digest, type TimestampMs } from '@usufruct/kernel';
import {
  LeaseLeafBcs,
  leasedShareInfo,
  ShareBcs,
  type ChainInfo,
  type DaoView,
  type HolderSetView,
  type JobView,
  type LeaseAnswer,
  type LeasedKey,
  type LeaseLeaf,
} from '@usufruct/protocol';
import type { RunnerKeys } from '../attest/runner-keys.js';
import { holderFlaw, parsedFromHolder } from './holder-flaw.js';
import { verifiedHead } from './verify-release.js';

export interface LeaseExpected {
  readonly info: ChainInfo;
  readonly job: JobView;
  readonly dao: DaoView;
  readonly set: HolderSetView;
  readonly member: number;
  readonly challenge: Uint8Array;
  readonly evidenceDigest: Digest;
  readonly key: LeasedKey;
  readonly keyId: Digest;
  readonly measurement: string;
  readonly keys: RunnerKeys;
}

/**
 * Judge one holder's answer before its share is touched: the entry says exactly this lease and is in the log under a
 * head that the member signed. Refuses with the code of a refusal that is in the log so, and `UPSTREAM_INVALID` for
 * everything else: a holder that logs wrongly is not one to take a key from.
 */
export async function verifyLeaseAnswer(
  answer: LeaseAnswer,
  expected: LeaseExpected,
): Promise<{ readonly share: Share; readonly leasedUntilMs: TimestampMs }> {
  const { treeSize, root } = await verifiedHead(answer.head, expected);
  const entry = fromBase64(answer.leaf);
  const leaf = parsedFromHolder(() => LeaseLeafBcs.parse(entry), 'leaf');
  const proof = answer.inclusionProof.map((hash) => fromBase64(hash));
  if (!isThis(leaf, expected)) throw holderFlaw('leaf');
  if (!verifyInclusion({ leafHash: leafHash(entry), leafIndex: answer.leafIndex, treeSize, proof, root })) {
    throw holderFlaw('inclusionProof');
  }
  const { decision, leasedUntilMs } = leaf;
  if (decision !== 'LEASED')
    throw isErrorCode(decision) ? refuse(decision, { keyId: expected.keyId }) : holderFlaw('leaf');
  const { info, dao, job, challenge, keyId, keys, member } = expected;
  const { chainId, packageId } = info;
  const { policyDigest } = dao;
  if (answer.sealedShare === undefined) throw holderFlaw('sealedShare');
  const bytes = await open({
    privateKey: keys.hpke.privateKey,
    info: leasedShareInfo({ chainId, packageId, policyDigest, challenge, jobId: job.id, keyId, leasedUntilMs }),
    aad: new Uint8Array(),
    sealed: fromBase64(answer.sealedShare),
  });
  const share = parsedFromHolder(() => ShareBcs.parse(bytes), 'share');
  if (share.index !== member + 1) throw holderFlaw('share.index');
  return { share, leasedUntilMs };
}

/** A refusal may be of another version than the key's: then that is the reason. */
const isThis = (
  leaf: LeaseLeaf,
  { job, set, member, key, keyId, measurement, evidenceDigest, keys }: LeaseExpected,
): boolean =>
  (leaf.decision !== 'LEASED' || (leaf.shareIndex === member + 1 && leaf.grantSetVersion === key.grantSetVersion)) &&
  leaf.holderSetId === set.id &&
  leaf.jobId === job.id &&
  leaf.datasetId === key.datasetId &&
  leaf.keyId === keyId &&
  leaf.keyKind === key.keyKind &&
  leaf.purpose === job.purpose &&
  leaf.kind === job.kind &&
  leaf.protection === job.protection &&
  leaf.measurement === measurement &&
  leaf.evidenceDigest === evidenceDigest &&
  equalBytes(leaf.runnerSigningKey, keys.bound.signingPublicKey);
