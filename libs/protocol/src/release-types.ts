import { bcs } from '@mysten/bcs';
import type {
  Address,
  ContributionId,
  DaoId,
  DatasetId,
  Digest,
  GrantId,
  Hex32,
  HolderSetId,
  JobId,
  TimestampMs,
} from '@usufruct/kernel';
import { concatBytes, fromHex, lengthPrefixed, utf8 } from '@usufruct/kernel';
import { z } from 'zod';
import { zEvidenceBundle } from './attestation-types.js';
import { byteVector, bytes32, u64Number } from './bcs-types.js';
import { decodeCanonical } from './decode-canonical.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { LIMITS } from './limits.js';
import { ReleaseLeafBcs, type ReleaseLeaf } from './log-leaf.js';
import { zPoints } from './rotation-types.js';
import { zReader } from './reader.js';
import { zBase64, zHex32, zTimestampMs } from './wire.js';

/**
 * The key holder's HTTP interface. Bodies are JSON; byte fields are base64.
 *
 * GET  /v1/identity       → zHolderIdentity
 * GET  /v1/sealing-key    → zSignedSealingKey                           (sealing-key.ts; the key that shares are sealed to)
 * POST /v1/shares         zDepositShareRequest  → zDepositShareAnswer   (idempotent by manifest digest)
 * POST /v1/challenges     zChallengeRequest     → zChallengeAnswer      (32 bytes, single use, 60 s)
 * POST /v1/registrations  zRegistrationRequest  → zRegistrationAnswer   (appraises, signs a RunnerStatement)
 * POST /v1/releases       zReleaseRequest       → zReleaseAnswer        (one appraisal, one challenge, many contributions)
 * GET  /v1/anomalies?daoId=ID → zAnomalies                              (runners that asked for what their job cannot need)
 * GET  /v1/log/head       → zSignedTreeHead
 * GET  /v1/log/consistency?first=N&second=M → { proof: base64[] }
 * POST /v1/log/query      zLogQuery             → zLogAnswer            (the contributor's own entries, signed request)
 *
 * What private payout adds is in epoch-messages.ts.
 */
export const zHolderIdentity = z.object({
  signingPublicKey: zBase64(32),
  /** As a member of a set names it on the chain. Never for shares. */
  sealingPublicKey: zBase64(32),
  operator: zHex32<Address>(),
  chainId: z.string(),
  /** Which parts are stand-ins, in words; empty in production. */
  standIns: z.array(z.string()),
});
export type HolderIdentity = z.output<typeof zHolderIdentity>;

/** HPKE `info` under which a client seals a share to the holder's current sealing key (aad empty). */
export const shareSealInfo = (digest: Digest): Uint8Array => lengthPrefixed(utf8(TAGS.shareSeal), fromHex(digest));

/** `sealedShare`: HPKE to the key `sealedTo`, info = shareSealInfo(manifest digest), plaintext ShareBcs. */
export const zDepositShareRequest = z.object({
  manifest: zBase64(LIMITS.manifestBytes),
  signature: z.string().max(1024),
  /** The key of the holder's statement. It is only named: with another one the share does not open. */
  sealedTo: zBase64(32),
  sealedShare: zBase64(512),
});
export type DepositShareRequest = z.output<typeof zDepositShareRequest>;
/** Plaintext of the sealed share. */
export const ShareBcs = bcs.struct('Share', { index: bcs.u8(), value: byteVector() });
/** Null for anything but one share, and for what did not open. */
export const decodeShare = (plaintext: Uint8Array | null): { index: number; value: Uint8Array } | null =>
  plaintext === null ? null : decodeCanonical(ShareBcs, plaintext, SHARE_BYTES);
export const zDepositShareAnswer = z.object({
  manifestDigest: zHex32<Digest>(),
  index: z.int(),
  signature: zBase64(64),
});
export type DepositShareAnswer = z.output<typeof zDepositShareAnswer>;
/** What a holder signs (tag `shareReceipt`) when it has verified and durably stored a share. */
export const ShareReceiptBcs = bcs.struct('ShareReceipt', {
  manifestDigest: bytes32<Digest>(),
  holderSetId: bytes32<HolderSetId>(),
  index: bcs.u8(),
});

export const zChallengeRequest = z.discriminatedUnion('for', [
  z.object({ for: z.literal('release'), jobId: zHex32<JobId>() }),
  z.object({ for: z.literal('registration'), daoId: zHex32<DaoId>() }),
  z.object({ for: z.enum(['lease', 'egress']), jobId: zHex32<JobId>() }),
]);
export type ChallengeRequest = z.output<typeof zChallengeRequest>;
export const zChallengeAnswer = z.object({ challenge: zBase64(32), expiresAtMs: zTimestampMs });

/**
 * The k holders must sign the same statement bytes, so its times cannot be each holder's own. The runner proposes them
 * to all: each holder checks that `issuedAtMs` is within LIMITS.clockSkewMs of its own clock, and that `expiresAtMs` is
 * after it by `registrationTermMs(the DAO's appraisal policy)` at most and no later than what its own appraisal rests on
 * (collateral, certificates, lists) is good for. A holder that refuses a time as too late says the latest that it would
 * sign, `details.latestMs` of INVALID_ARGUMENT, so that the runner can propose one that enough of them sign.
 */
export const zRegistrationRequest = z.object({
  daoId: zHex32<DaoId>(),
  challenge: zBase64(32),
  issuedAtMs: zTimestampMs,
  expiresAtMs: zTimestampMs,
  /** The account that receives the runner's part. */
  payTo: zHex32<Address>(),
  /** Of the attested signing key over the RunnerStatement (tag `runnerStatement`) that the holder is asked to sign. */
  signature: zBase64(64),
  bundle: zEvidenceBundle,
});
export type RegistrationRequest = z.output<typeof zRegistrationRequest>;
export const zRegistrationAnswer = z.object({ statement: zBase64(2048), signature: zBase64(64) });

/** In the order given. Ids have one length, so no two lists join to the same bytes. */
export const contributionListDigest = (ids: readonly ContributionId[]): Digest =>
  taggedDigest(TAGS.contributionList, contributionListBytes(ids));
const contributionListBytes = (ids: readonly ContributionId[]): Uint8Array =>
  concatBytes(...ids.map((id) => fromHex(id)));

/**
 * One challenge is good for one list: the attested key signs both together, so that nobody on the way asks for more in
 * the runner's name, and a runner that asks for what its job does not name has put its name to it.
 */
export const zReleaseRequest = z.object({
  jobId: zHex32<JobId>(),
  challenge: zBase64(32),
  bundle: zEvidenceBundle,
  contributionIds: z.array(zHex32<ContributionId>()).min(1).max(LIMITS.contributionsPerDataset),
  /** Of the attested signing key over ReleaseRequestBcs (tag `releaseRequest`). */
  signature: zBase64(64),
});
export type ReleaseRequest = z.output<typeof zReleaseRequest>;
export const ReleaseRequestBcs = bcs.struct('ReleaseRequest', {
  chainId: bcs.string(),
  jobId: bytes32<JobId>(),
  challenge: byteVector(),
  /** `contributionListDigest` of what is asked for. */
  asked: bytes32<Digest>(),
});

export const TreeHeadBcs = bcs.struct('TreeHead', {
  holderSetId: bytes32<HolderSetId>(),
  member: bcs.u8(),
  treeSize: u64Number(),
  rootHash: bytes32<Digest>(),
  atMs: u64Number<TimestampMs>(),
});
/** `treeHead` is TreeHeadBcs; the signature (tag `treeHead`) is the holder's. */
export const zSignedTreeHead = z.object({ treeHead: zBase64(256), signature: zBase64(64) });
export type SignedTreeHead = z.output<typeof zSignedTreeHead>;

/** What is a holder's own in its decision about one contribution; the rest of the leaf follows from the request. */
export const zReleaseEntry = z.object({
  holderSetId: zHex32<HolderSetId>(),
  /** Position of the share, from 1; 0 where this holder has none. */
  shareIndex: z.int().min(0).max(255),
  grantId: zHex32<GrantId>(),
  /** `RELEASED` or the catalogue code of the refusal. */
  decision: z.string().max(64),
});
export type ReleaseEntry = z.output<typeof zReleaseEntry>;
export const zReleaseAnswer = z.object({
  /** In the order of the request; the leaves `firstIndex`, `firstIndex + 1`, … of the log. */
  entries: z.array(zReleaseEntry).max(LIMITS.contributionsPerDataset),
  /** One moment for all: what the chain said was read before it. */
  decidedAtMs: zTimestampMs,
  firstIndex: z.int().min(0),
  /** That all these leaves are in the tree under `head`: `rangeProof` of `@usufruct/crypto`. */
  inclusionProof: z.array(zBase64(32)).max(128),
  /**
   * Which of the released shares lie on polynomials that a re-sharing made, and its commitments. Nobody has to believe
   * them: their first is the manifest's, and shares that lie on such a polynomial combine to the manifest's secret.
   */
  reshared: z
    .array(z.object({ entry: z.int().min(0), version: z.int().min(1), commitments: zPoints }))
    .max(LIMITS.contributionsPerDataset)
    .optional(),
  /** One HPKE message with all shares that are released; absent when there is none. */
  sealedShares: zBase64(LIMITS.contributionsPerDataset * 34 + 48).optional(),
  head: zSignedTreeHead,
});
export type ReleaseAnswer = z.output<typeof zReleaseAnswer>;

/** What the leaves of one answer have in common. */
export type ReleaseCommon = Omit<ReleaseLeaf, keyof ReleaseEntry | 'contributionId'>;
/**
 * The log's leaves, ReleaseLeafBcs bytes, in the order of the contributions. Holder and runner both make them, the
 * runner from what it asked for: a holder that logged anything else cannot prove these.
 */
export function* releaseLeaves(
  common: ReleaseCommon,
  contributionIds: readonly ContributionId[],
  entries: readonly ReleaseEntry[],
): Generator<Uint8Array, void> {
  for (const [i, contributionId] of contributionIds.entries()) {
    yield ReleaseLeafBcs.serialize({ ...common, ...entries[i]!, contributionId }).toBytes();
  }
}

/** `info` of the sealed shares binds every part of the context (DESIGN.md stage 6). */
export const ShareReleaseInfoBcs = bcs.struct('ShareReleaseInfo', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  policyDigest: bytes32<Digest>(),
  challenge: byteVector(),
  jobId: bytes32<JobId>(),
  asked: bytes32<Digest>(),
});

export interface ShareReleaseInfo {
  readonly chainId: string;
  readonly packageId: Hex32;
  /** Digest of the DAO's policy that was current at the release (`DaoView.policyDigest`). */
  readonly policyDigest: Digest;
  /** The holder's own challenge, not the combination. */
  readonly challenge: Uint8Array;
  readonly jobId: JobId;
  /** `contributionListDigest` of all that was asked for. */
  readonly asked: Digest;
}
/**
 * HPKE `info` of the sealed shares; `aad` is `sealedSharesAad` of the contributions whose shares are inside, and the
 * plaintext their shares in that order, each ShareBcs of SHARE_BYTES.
 *
 * One message for all binds each share as a message of its own would: AES-GCM authenticates info (through the key), aad
 * and plaintext as one, so it opens only for this chain, package, policy, challenge, job and list, and the share at
 * position i only as that of contribution i. None can be taken out, moved to another contribution or put into another
 * answer without breaking all of them.
 */
export const shareReleaseInfo = (info: ShareReleaseInfo): Uint8Array =>
  lengthPrefixed(utf8(TAGS.shareRelease), ShareReleaseInfoBcs.serialize(info).toBytes());
export const sealedSharesAad = contributionListBytes;
/** Index (1), length (1), scalar (32). */
export const SHARE_BYTES = 34;

/** Signed by the contribution's owner: walletStatement(logQuery) over logQueryDigest, and by its reader for one holder. */
export const zLogQuery = z.object({
  contributionId: zHex32<ContributionId>(),
  issuedAtMs: zTimestampMs,
  signature: z.string().max(1024),
  reader: zReader,
});
export type LogQuery = z.output<typeof zLogQuery>;
export const LogQueryBcs = bcs.struct('LogQuery', {
  contributionId: bytes32<ContributionId>(),
  readerPublicKey: byteVector(),
  issuedAtMs: u64Number<TimestampMs>(),
});
export const logQueryDigest = (query: Parameters<typeof LogQueryBcs.serialize>[0]): Digest =>
  taggedDigest(TAGS.logQuery, LogQueryBcs.serialize(query).toBytes());
/**
 * Entries (LogLeafBcs bytes) of the contribution and of its dataset, oldest first; the head is of all that the holder
 * has.
 */
export const zLogAnswer = z.object({
  entries: z.array(z.object({ leaf: zBase64(2048), leafIndex: z.int(), inclusionProof: z.array(zBase64(32)) })),
  head: zSignedTreeHead,
});
export type LogAnswer = z.output<typeof zLogAnswer>;
export const zConsistencyAnswer = z.object({ proof: z.array(zBase64(32)).max(128) });

/** What a runner did that its job cannot need. */
export const ANOMALY_REASONS = ['more-than-dataset', 'other-dataset', 'too-often', 'too-many-runners'] as const;
export type AnomalyReason = (typeof ANOMALY_REASONS)[number];
/** Kept by the holder and shown to anybody: ids only, all of them public on the chain. The newest first. */
export const zAnomalies = z.object({
  anomalies: z.array(
    z.object({
      jobId: zHex32<JobId>(),
      daoId: zHex32<DaoId>(),
      datasetId: zHex32<DatasetId>(),
      runnerSigningKey: zBase64(32),
      measurement: z.string(),
      reason: z.enum(ANOMALY_REASONS),
      times: z.int(),
      firstAtMs: zTimestampMs,
      lastAtMs: zTimestampMs,
      /** ReleaseRequestBcs of the last one, and the runner's signature under it. */
      request: zBase64(512),
      signature: zBase64(64),
    }),
  ),
});
export type Anomaly = z.output<typeof zAnomalies>['anomalies'][number];
