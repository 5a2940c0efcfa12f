import { bcs } from '@mysten/bcs';
import type { Address, ContributionId, DatasetId, Digest, Hex32, HolderSetId, TimestampMs } from '@usufruct/kernel';
import { refuse } from '@usufruct/kernel';
import { byteVector, bytes32, u64Number } from './bcs-types.js';
import type { KeyMode } from './codes.js';
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

/** The secret is dealt t-of-n to the members of the holder set; each has its share and nobody has the others'. */
export interface HeldKeys {
  readonly kind: 'holders';
  readonly threshold: number;
  readonly holderCount: number;
  /** Feldman commitments: `threshold` ristretto255 points of 32 bytes. */
  readonly commitments: readonly Uint8Array[];
}
/**
 * The secret is encrypted to Seal's key servers for the identity of this contribution, t-of-n. WEAKER than holders: a
 * server asks its full node whether `grant::seal_approve` would pass, and nothing else: it makes no challenge, sees no
 * evidence and keeps no log that anybody can read; and what it may once derive can be derived for ever, so nothing can
 * be erased.
 */
export interface SealedKeys {
  readonly kind: 'seal';
  readonly threshold: number;
  /** The servers' objects on Sui, each once. */
  readonly keyServers: readonly Hex32[];
  /** Seal's `EncryptedObject`, which names the same servers and threshold. */
  readonly encryptedSecret: Uint8Array;
}
/** Who gives a runner the key of the contribution; chosen by its owner, and never changed behind anybody's back. */
export type ManifestKeys = HeldKeys | SealedKeys;

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
  /** Appraises the runners of the DAO; and has the shares, where `keys` says so. */
  readonly holderSetId: HolderSetId;
  readonly keys: ManifestKeys;
  readonly parts: readonly ManifestPart[];
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

const VARIANTS = { holders: 'Holders', seal: 'Seal' } as const satisfies Record<KeyMode, string>;
const ManifestKeysBcs = bcs
  .enum('ManifestKeys', {
    [VARIANTS.holders]: bcs.struct('HeldKeys', {
      threshold: bcs.u8(),
      holderCount: bcs.u8(),
      commitments: bcs.vector(byteVector()),
    }),
    [VARIANTS.seal]: bcs.struct('SealedKeys', {
      threshold: bcs.u8(),
      keyServers: bcs.vector(bytes32<Hex32>()),
      encryptedSecret: byteVector(),
    }),
  })
  .transform<ManifestKeys, ManifestKeys>({
    input: (keys) =>
      keys.kind === 'holders'
        ? { Holders: { ...keys, commitments: [...keys.commitments] } }
        : { Seal: { ...keys, keyServers: [...keys.keyServers] } },
    output: (keys) =>
      keys.$kind === 'Holders' ? { kind: 'holders', ...keys.Holders } : { kind: 'seal', ...keys.Seal },
  });

export const ManifestBcs = bcs.struct('Manifest', {
  version: bcs.u8(),
  chainId: bcs.string(),
  datasetId: bytes32<DatasetId>(),
  contributionId: bytes32<ContributionId>(),
  owner: bytes32<Address>(),
  salt: bytes32<Hex32>(),
  holderSetId: bytes32<HolderSetId>(),
  keys: ManifestKeysBcs,
  parts: bcs.vector(ManifestPartBcs),
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
  ManifestBcs.serialize({ ...manifest, parts: [...manifest.parts] }).toBytes();

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
  return m.keys.kind === 'holders' ? heldKeysFlaw(m.keys) : sealedKeysFlaw(m.keys);
}

function heldKeysFlaw({ threshold, holderCount, commitments }: HeldKeys): string | null {
  if (threshold < 1 || threshold > holderCount) return 'threshold';
  if (commitments.length !== threshold || commitments.some((each) => each.length !== 32)) return 'commitments';
  return null;
}

function sealedKeysFlaw({ threshold, keyServers, encryptedSecret }: SealedKeys): string | null {
  if (keyServers.length === 0 || keyServers.length > LIMITS.sealKeyServers) return 'keyServers';
  if (new Set(keyServers).size !== keyServers.length) return 'keyServers';
  if (threshold < 1 || threshold > keyServers.length) return 'threshold';
  if (encryptedSecret.length === 0 || encryptedSecret.length > LIMITS.sealEncryptedSecretBytes)
    return 'encryptedSecret';
  return null;
}

/** The manifest's keys with holders. Refuses `MANIFEST_INVALID` for a manifest whose keys holders do not have. */
export function heldKeys({ keys }: Pick<Manifest, 'keys'>): HeldKeys {
  if (keys.kind !== 'holders') throw refuse('MANIFEST_INVALID', { field: 'keys', expected: 'holders' });
  return keys;
}
