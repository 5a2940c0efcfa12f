import { sha256 } from '@usufruct/crypto';
import { equalBytes, fromBase64Url, refuse, toHex32, type BlobId, type ContributionId } from '@usufruct/kernel';
import { decodeManifest, SignedManifestBcs } from '@usufruct/protocol';
import { quiltIdentifier, readPart, type PartName } from '@usufruct/walrus';
import type { ClientContext } from '../context.js';
import { blobIdOf, manifestName, mayHold, registeredManifest } from './manifest-blob.js';
import type { BlobSource } from './repair.js';

export interface CopyOptions {
  readonly contributionId: ContributionId;
  /** Keep these bytes by this name, of hexadecimal digits and `.blob`; the same name always comes with the same bytes. */
  readonly keep: (name: string, bytes: Uint8Array) => Promise<void>;
}
export interface Copied {
  readonly contributionId: ContributionId;
  readonly names: readonly string[];
  readonly sizeBytes: number;
}

/**
 * Read all that the store has of a contribution, each blob compared with what was signed, and give it out to be kept: the
 * owner's own copy, from which `repair` puts back what the store loses. It is ciphertext and the signed manifest; no key
 * is read. Of a small part in a quilt the whole quilt is kept, too, because a quilt can be put back only whole.
 *
 * Refuses `BLOB_UNAVAILABLE` and `BLOB_MISMATCH` as the store does: a copy is whole or none.
 */
export async function copyStorage(
  { chain, store }: ClientContext,
  { contributionId, keep }: CopyOptions,
): Promise<Copied> {
  const view = await chain.contribution(contributionId);
  const sizes = new Map<string, number>();
  const keepOnce = async (name: string, bytes: Uint8Array): Promise<void> => {
    if (sizes.has(name)) return;
    await keep(name, bytes);
    sizes.set(name, bytes.length);
  };
  const copy = async (name: PartName, isRight: (bytes: Uint8Array) => boolean): Promise<Uint8Array> => {
    const bytes = await readPart(store, name, isRight);
    const whole = sizes.has(wholeName(name.blobId)) ? null : await store.get(name.blobId);
    if (whole !== null && !mayHold(whole, bytes)) throw refuse('BLOB_MISMATCH', { blobId: name.blobId });
    if (whole !== null) await keepOnce(wholeName(name.blobId), whole);
    if (whole === null || !equalBytes(whole, bytes)) {
      await keepOnce(fileName(name.blobId, quiltIdentifier(name.digest)), bytes);
    }
    return bytes;
  };
  const isManifest = (bytes: Uint8Array): boolean => registeredManifest(bytes, view) !== null;
  const stored = await copy(manifestName(view), isManifest);
  const { parts } = decodeManifest(SignedManifestBcs.parse(stored).manifest);
  for (const { blob, sha256: digest, sizeBytes } of parts) {
    await copy({ blobId: blobIdOf(blob), digest, sizeBytes }, (bytes) => toHex32(sha256(bytes)) === digest);
  }
  return {
    contributionId,
    names: [...sizes.keys()],
    sizeBytes: [...sizes.values()].reduce((sum, size) => sum + size, 0),
  };
}

/** A kept copy, to be read from by `repair`. `read` gives null for a name that was not kept. */
export function copyAsSource(read: (name: string) => Promise<Uint8Array | null>): BlobSource {
  const orRefuse = async (blobId: BlobId, name: string): Promise<Uint8Array> => {
    const bytes = await read(name);
    if (bytes === null) throw refuse('BLOB_UNAVAILABLE', { blobId });
    return bytes;
  };
  return {
    get: (blobId) => orRefuse(blobId, wholeName(blobId)),
    getPatch: async (patch) => {
      if ('patchId' in patch) throw refuse('UNSUPPORTED', { field: 'patchId' });
      return orRefuse(patch.quiltId, fileName(patch.quiltId, patch.identifier));
    },
  };
}

/** Hexadecimal, because a file system may not tell upper from lower case. */
const hexOf = (blobId: BlobId): string => toHex32(fromBase64Url(blobId)).slice(2);
const wholeName = (blobId: BlobId): string => `${hexOf(blobId)}.blob`;
const fileName = (quiltId: BlobId, identifier: string): string => `${hexOf(quiltId)}.${identifier}`;
