import { bcs } from '@mysten/bcs';
import type { Address, ContributionId, DatasetId, Digest, Hex32, HolderSetId, TimestampMs } from '@usufruct/kernel';
import { refuse } from '@usufruct/kernel';
import { byteVector, bytes32, u64Number } from './bcs-types.js';
import { taggedDigest } from './digest.js';
import { TAGS } from './domain-tags.js';
import { LIMITS } from './limits.js';

/** One Walrus blob of the ciphertext, in order. */
export interface ManifestPart {
  /** The Walrus blob id as 32 bytes hex (the HTTP interface writes the same bytes as base64url). */
  readonly blob: Hex32;
  readonly sha256: Digest;
  readonly sizeBytes: number;
}

/**
 * What the contributor's wallet signs. Public: it holds ids, hashes and sizes only; the file's name and format travel
 * inside the ciphertext.
 */
export interface Manifest {
  readonly version: 1;
  readonly chainId: string;
  readonly datasetId: DatasetId;
  readonly contributionId: ContributionId;
  readonly owner: Address;
  readonly salt: Hex32;
  readonly holderSetId: HolderSetId;
  readonly threshold: number;
  readonly holderCount: number;
  readonly parts: readonly ManifestPart[];
  /** Feldman commitments: `threshold` ristretto255 points of 32 bytes. */
  readonly commitments: readonly Uint8Array[];
  readonly keyCommitment: Digest;
  /** Digest of the DAO's policy that the contributor saw. */
  readonly policyDigest: Digest;
  readonly createdAtMs: TimestampMs;
}

const ManifestPartBcs = bcs.struct('ManifestPart', {
  blob: bytes32<Hex32>(),
  sha256: bytes32<Digest>(),
  sizeBytes: u64Number(),
});

export const ManifestBcs = bcs.struct('Manifest', {
  version: bcs.u8(),
  chainId: bcs.string(),
  datasetId: bytes32<DatasetId>(),
  contributionId: bytes32<ContributionId>(),
  owner: bytes32<Address>(),
  salt: bytes32<Hex32>(),
  holderSetId: bytes32<HolderSetId>(),
  threshold: bcs.u8(),
  holderCount: bcs.u8(),
  parts: bcs.vector(ManifestPartBcs),
  commitments: bcs.vector(byteVector()),
  keyCommitment: bytes32<Digest>(),
  policyDigest: bytes32<Digest>(),
  createdAtMs: u64Number<TimestampMs>(),
});

/** The manifest and the wallet's signature, as stored in one blob next to the ciphertext. */
export interface SignedManifest {
  readonly manifest: Uint8Array;
  /** A serialised Sui signature (base64) over the wallet statement of the manifest's digest. */
  readonly signature: string;
}
export const SignedManifestBcs = bcs.struct('SignedManifest', { manifest: byteVector(), signature: bcs.string() });

export const encodeManifest = (manifest: Manifest): Uint8Array =>
  ManifestBcs.serialize({ ...manifest, parts: [...manifest.parts], commitments: [...manifest.commitments] }).toBytes();

/** Decode and check the shape. Refuses with `MANIFEST_INVALID`; proves nothing about who signed it. */
export function decodeManifest(bytes: Uint8Array): Manifest {
  const manifest = parseStrict(bytes);
  const flaw = manifestFlaw(manifest);
  if (flaw !== null) throw refuse('MANIFEST_INVALID', { field: flaw });
  return { ...manifest, version: 1 };
}

export const manifestDigest = (manifestBytes: Uint8Array): Digest => taggedDigest(TAGS.manifest, manifestBytes);

function parseStrict(bytes: Uint8Array): Omit<Manifest, 'version'> & { version: number } {
  if (bytes.length > LIMITS.manifestBytes) throw refuse('MANIFEST_INVALID', { field: 'size' });
  try {
    const parsed = ManifestBcs.parse(bytes);
    // BCS is canonical: what does not serialise back to the same bytes had trailing or non-minimal bytes.
    const again = ManifestBcs.serialize(parsed).toBytes();
    if (again.length === bytes.length && again.every((byte, i) => byte === bytes[i])) return parsed;
  } catch {
    // falls through to the one refusal below: why the bytes are malformed is nobody's business
  }
  throw refuse('MANIFEST_INVALID', { field: 'encoding' });
}

function manifestFlaw(m: Omit<Manifest, 'version'> & { version: number }): string | null {
  if (m.version !== 1) return 'version';
  if (m.parts.length === 0 || m.parts.length > LIMITS.partsPerContribution) return 'parts';
  if (m.parts.some((p) => p.sizeBytes <= 0 || p.sizeBytes > LIMITS.partBytes)) return 'parts.sizeBytes';
  if (m.threshold < 1 || m.threshold > m.holderCount) return 'threshold';
  if (m.commitments.length !== m.threshold || m.commitments.some((c) => c.length !== 32)) return 'commitments';
  return null;
}
