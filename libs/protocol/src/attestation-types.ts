import { bcs } from '@mysten/bcs';
import {
  fromBase64,
  fromHex,
  toHex32,
  utf8,
  type Address,
  type Check,
  type DaoId,
  type Digest,
  type Hex32,
  type JobId,
  type TimestampMs,
} from '@usufruct/kernel';
import { sha256 } from '@noble/hashes/sha2.js';
import { lengthPrefixed, u32le } from '@usufruct/kernel';
import { z } from 'zod';
import { byteVector, bytes32, u64Number } from './bcs-types.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { LIMITS } from './limits.js';
import { zBase64, zHex32 } from './wire.js';

export const EVIDENCE_PROFILES = ['tdx+nv', 'tdx', 'snp', 'nitro', 'software-dev'] as const;
export type EvidenceProfile = (typeof EVIDENCE_PROFILES)[number];

/**
 * Printable ASCII without a colon: the digest of an event joins name and payload by one, so with a colon in the name two
 * different events would have the same digest.
 */
export const zEventName = z
  .string()
  .max(128)
  .regex(/^[!-9;-~]+$/);
export const zRuntimeEvent = z.object({
  name: zEventName,
  payload: zBase64(4096),
  digest: z.string().regex(/^[0-9a-f]{96}$/),
});
export type RuntimeEvent = z.output<typeof zRuntimeEvent>;

/**
 * NVIDIA's token is a list of a list and of maps with a text for each device. Whatever walks one (as `evidenceDigest`
 * does) has a stack, and whoever sends one has proven nothing yet.
 */
const TOKEN_DEPTH_AT_MOST = 8;
const TOKEN_MEMBERS_AT_MOST = 32;
function isSmall(value: unknown, levels = TOKEN_DEPTH_AT_MOST): boolean {
  if (typeof value !== 'object' || value === null) return true;
  const members = Array.isArray(value) ? value.length : Object.keys(value).length;
  if (levels === 0 || members > TOKEN_MEMBERS_AT_MOST) return false;
  return Object.values(value).every((member) => isSmall(member, levels - 1));
}

/** ATTESTATION.md, Shapes. Bytes are base64; `jobId` is the DAO's id when a runner registers its key. */
export const zEvidenceBundle = z.object({
  v: z.literal(1),
  profile: z.enum(EVIDENCE_PROFILES),
  challenges: z.array(zBase64(32)).min(1).max(32),
  jobId: zHex32<JobId>(),
  hpkePublicKey: zBase64(32),
  signingPublicKey: zBase64(32),
  cpuEvidence: zBase64(64 * 1024),
  eventLog: z.array(zRuntimeEvent).max(256),
  appCompose: z
    .string()
    .max(64 * 1024)
    .optional(),
  gpuEvidence: z
    .array(zBase64(64 * 1024))
    .max(16)
    .optional(),
  gpuToken: z
    .unknown()
    .refine((token) => isSmall(token))
    .optional(),
});
export type EvidenceBundle = z.output<typeof zEvidenceBundle>;

/**
 * In a receipt: no evidence was made for the job, because Seal's key servers, which ask for none, gave all its keys.
 * What is attested of such a signer is its registration alone.
 */
export const NO_EVIDENCE = `0x${'0'.repeat(64)}` as Digest;

/**
 * What stands for a bundle in receipts and release logs: a digest of everything that an appraisal reads of it, the event
 * log, the app compose and NVIDIA's token included. Whoever is shown a bundle with this digest therefore judges what the
 * holder judged. It is not one of the text that the bundle travelled as: white space, the order of members and members
 * that nobody reads do not count, except within the token, which is taken as JSON writes it.
 *
 * Lists are framed of their own, so no bundle can be read as another one.
 */
export const evidenceDigest = (bundle: EvidenceBundle): Digest =>
  taggedDigest(
    TAGS.evidence,
    utf8(bundle.profile),
    lengthPrefixed(...bundle.challenges.map((challenge) => fromBase64(challenge))),
    fromHex(bundle.jobId),
    fromBase64(bundle.hpkePublicKey),
    fromBase64(bundle.signingPublicKey),
    fromBase64(bundle.cpuEvidence),
    lengthPrefixed(...bundle.eventLog.map(eventBytes)),
    optionalBytes(bundle.appCompose),
    lengthPrefixed(...(bundle.gpuEvidence ?? []).map((evidence) => fromBase64(evidence))),
    optionalBytes(JSON.stringify(bundle.gpuToken)),
  );

const eventBytes = ({ name, payload, digest }: RuntimeEvent): Uint8Array =>
  lengthPrefixed(utf8(name), fromBase64(payload), fromHex(digest));
/** One that is empty is not one that is missing. */
const optionalBytes = (text: string | undefined): Uint8Array =>
  text === undefined ? lengthPrefixed() : lengthPrefixed(utf8(text));

/** challenge = SHA-256(domain ‖ count ‖ sorted challenges); refuses nothing: the verifier checks list and length. */
export function combineChallenges(challenges: readonly Uint8Array[]): Uint8Array {
  const sorted = [...challenges].sort(compareBytes);
  return sha256(lengthPrefixed(utf8(TAGS.challenge), u32le(sorted.length), ...sorted));
}

/**
 * The challenge of who only wants to see the evidence: a hash of its nonce. Anybody may ask a runner for such evidence,
 * so it must never be an answer to a key holder's challenge, which would then release keys that no runner asked for.
 */
export const clientChallenge = (nonce: Uint8Array): Uint8Array =>
  sha256(lengthPrefixed(utf8(TAGS.clientChallenge), nonce));

export interface BoundKeys {
  readonly hpkePublicKey: Uint8Array;
  readonly signingPublicKey: Uint8Array;
}
export const gpuNonce = (challenge: Uint8Array, keys: BoundKeys): Uint8Array =>
  sha256(lengthPrefixed(utf8(TAGS.gpuNonce), challenge, keys.hpkePublicKey, keys.signingPublicKey));

/** report_data (64 bytes) = SHA-256("rd/v1" ‖ challenge ‖ keys ‖ SHA-256(GPU evidence) ‖ jobId) ‖ challenge. */
export function reportData(
  challenge: Uint8Array,
  keys: BoundKeys,
  gpuEvidence: readonly Uint8Array[],
  jobId: Hex32,
): Uint8Array {
  const gpuHash = sha256(lengthPrefixed(...gpuEvidence));
  const bound = sha256(
    lengthPrefixed(
      utf8(TAGS.reportData),
      challenge,
      keys.hpkePublicKey,
      keys.signingPublicKey,
      gpuHash,
      fromHex(jobId),
    ),
  );
  const out = new Uint8Array(64);
  out.set(bound, 0);
  out.set(challenge, 32);
  return out;
}

/** Versioned data, allow-lists only; an empty list affirms nothing. Part of the DAO's policy on the chain. */
export interface AppraisalPolicy {
  readonly version: number;
  readonly profiles: readonly EvidenceProfile[];
  /** Approved code measurements, lower-case hex (48 bytes for TDX and the software TEE). */
  readonly measurements: readonly string[];
  /** How long a result stays usable. */
  readonly resultTermMs: number;
}
export const EvidenceProfileBcs = bcs
  .string()
  .transform<EvidenceProfile, EvidenceProfile>({ input: (profile) => profile, output: asProfile });
export const AppraisalPolicyBcs = bcs.struct('AppraisalPolicy', {
  version: bcs.u32(),
  profiles: bcs.vector(EvidenceProfileBcs),
  measurements: bcs.vector(bcs.string()),
  resultTermMs: u64Number(),
});
export const appraisalPolicyDigest = (policy: AppraisalPolicy): Digest =>
  taggedDigest(
    TAGS.appraisalPolicy,
    AppraisalPolicyBcs.serialize({
      ...policy,
      profiles: [...policy.profiles],
      measurements: [...policy.measurements],
    }).toBytes(),
  );

export interface Claims {
  readonly profile: EvidenceProfile;
  readonly measurement: string;
  readonly debug: boolean;
  readonly hpkePublicKey: Uint8Array;
  readonly signingPublicKey: Uint8Array;
  readonly evidenceDigest: Digest;
  /** True for the software TEE: whoever shows the result must show this too. */
  readonly standIn: boolean;
}
export interface AttestationResult {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly claims?: Claims;
  readonly policyDigest: Digest;
  /**
   * Exclusive. The policy's term after the appraisal, or earlier: when the first certificate, list, document, answer or
   * token that the verdict rests on expires. Of a bad result the moment of the appraisal.
   */
  readonly expiresAtMs: TimestampMs;
}

/** How long a registered key stays good: the DAO's term for results, at most a day. */
export const registrationTermMs = ({ resultTermMs }: AppraisalPolicy): number =>
  Math.min(resultTermMs, LIMITS.runnerRegistrationTermMs);

/**
 * What a verifier (here: each key holder) signs so that a runner's key can be registered on the chain. The runner signs
 * the same bytes with its attested key before any holder does, so nobody between them chooses who is paid.
 */
export interface RunnerStatement {
  readonly chainId: string;
  readonly daoId: DaoId;
  readonly profile: string;
  readonly measurement: string;
  readonly signingPublicKey: Uint8Array;
  readonly hpkePublicKey: Uint8Array;
  readonly appraisalPolicyDigest: Digest;
  /** The account that receives the runner's part. */
  readonly payTo: Address;
  readonly issuedAtMs: TimestampMs;
  readonly expiresAtMs: TimestampMs;
}
export const RunnerStatementBcs = bcs.struct('RunnerStatement', {
  chainId: bcs.string(),
  daoId: bytes32<DaoId>(),
  profile: bcs.string(),
  measurement: bcs.string(),
  signingPublicKey: byteVector(),
  hpkePublicKey: byteVector(),
  appraisalPolicyDigest: bytes32<Digest>(),
  payTo: bytes32<Address>(),
  issuedAtMs: u64Number<TimestampMs>(),
  expiresAtMs: u64Number<TimestampMs>(),
});

/** The id of a runner is the digest of its attested signing key. */
export const runnerIdOf = <T extends Hex32>(signingPublicKey: Uint8Array): T => toHex32<T>(sha256(signingPublicKey));

function asProfile(text: string): EvidenceProfile {
  const known = EVIDENCE_PROFILES.find((p) => p === text);
  if (known === undefined) throw new Error('unknown evidence profile');
  return known;
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] !== right[i]) return left[i]! - right[i]!;
  }
  return left.length - right.length;
}
