import { sha256 } from '@usufruct/crypto';
import {
  asBlobId,
  fromHex,
  refuse,
  toBase64Url,
  toHex32,
  UsufructError,
  type BlobId,
  type ContributionId,
  type Hex32,
} from '@usufruct/kernel';
import {
  decodeManifest,
  manifestDigest,
  SignedManifestBcs,
  type BlobReference,
  type ContributionView,
  type LeaseRenewal,
  type Manifest,
} from '@usufruct/protocol';
import type { BlobStore } from '@usufruct/walrus';
import { actOnce } from '../act.js';
import type { ClientContext } from '../context.js';

/** Where ciphertext may still be: another aggregator, a copy. What it gives is compared with the signed manifest. */
export type BlobSource = Pick<BlobStore, 'get'>;

export type BlobRepair = 'there' | 'repaired' | 'missing';
export interface StorageRepair {
  readonly contributionId: ContributionId;
  /** The manifest first, then the parts in their order, each blob once. */
  readonly blobs: readonly { readonly blob: Hex32; readonly state: BlobRepair; readonly endEpoch: number }[];
  /** Everything can be read from the store again. */
  readonly complete: boolean;
}

export interface RepairOptions {
  readonly contributionId: ContributionId;
  /** Asked in order for what the store has not. */
  readonly sources: readonly BlobSource[];
  /** How long the new leases last. */
  readonly epochs?: number;
}

/**
 * Put back into the store what it has lost of a contribution: the very same bytes, from wherever they can still be
 * read, and note on the chain how long the new leases last. Nothing is encrypted anew and no key is needed. Repeatable.
 *
 * Refuses `FORBIDDEN` for whoever is not the owner, `TOMBSTONED`, and `BLOB_UNAVAILABLE` where nobody has the manifest.
 * What nobody has is `missing` in the answer: then only contributing the file anew helps.
 */
export async function repairStorage(context: ClientContext, options: RepairOptions): Promise<StorageRepair> {
  const { contributionId, sources, epochs } = options;
  const view = await context.chain.contribution(contributionId);
  if (view.owner !== context.signer.address) throw refuse('FORBIDDEN', { needs: 'the owner of the contribution' });
  if (view.tombstonedAtMs !== null) throw refuse('TOMBSTONED', { contributionId });
  const { manifest, repair } = await repairManifest(context, view, sources, epochs);
  const blobs = [repair];
  const hashes = new Map(manifest.parts.map((part) => [part.blob, part.sha256]));
  const parts = new Map(view.parts.map((part) => [part.blob, part]));
  for (const part of parts.values()) {
    const isRight = (bytes: Uint8Array): boolean => toHex32(sha256(bytes)) === hashes.get(part.blob);
    blobs.push(await repairBlob(context, part, isRight, sources, epochs));
  }
  await noteLeases(context, contributionId, blobs);
  return { contributionId, blobs, complete: blobs.every(({ state }) => state !== 'missing') };
}

type Repaired = StorageRepair['blobs'][number];
type Recognise = (bytes: Uint8Array) => boolean;

async function repairManifest(
  context: ClientContext,
  view: ContributionView,
  sources: readonly BlobSource[],
  epochs: number | undefined,
): Promise<{ manifest: Manifest; repair: Repaired }> {
  let manifest: Manifest | undefined;
  const isRight = (bytes: Uint8Array): boolean => {
    const signed = signedManifest(bytes);
    if (signed === null || manifestDigest(signed) !== view.manifestDigest) return false;
    manifest = decodeManifest(signed);
    return true;
  };
  const repair = await repairBlob(context, view.manifestBlob, isRight, sources, epochs);
  if (manifest === undefined) throw refuse('BLOB_UNAVAILABLE', { contributionId: view.id });
  return { manifest, repair };
}

async function repairBlob(
  { store }: ClientContext,
  { blob, endEpoch }: BlobReference,
  isRight: Recognise,
  sources: readonly BlobSource[],
  epochs: number | undefined,
): Promise<Repaired> {
  const blobId = blobIdOf(blob);
  if ((await readFrom(store, blobId, isRight)) !== null) return { blob, state: 'there', endEpoch };
  for (const source of sources) {
    const bytes = await readFrom(source, blobId, isRight);
    if (bytes === null) continue;
    const stored = await store.put(bytes, epochs === undefined ? {} : { epochs });
    if (stored.blobId !== blobId) throw refuse('BLOB_MISMATCH', { blobId });
    return { blob, state: 'repaired', endEpoch: Math.max(endEpoch, stored.endEpoch) };
  }
  return { blob, state: 'missing', endEpoch };
}

/** Null for what it has not, and for what is not the blob. */
async function readFrom(source: BlobSource, blobId: BlobId, isRight: Recognise): Promise<Uint8Array | null> {
  try {
    const bytes = await source.get(blobId, { fresh: true });
    return isRight(bytes) ? bytes : null;
  } catch (error) {
    const isAbsent =
      error instanceof UsufructError &&
      ['BLOB_UNAVAILABLE', 'BLOB_MISMATCH', 'UPSTREAM_UNAVAILABLE', 'UPSTREAM_INVALID'].includes(error.code);
    if (!isAbsent) throw error;
    return null;
  }
}

async function noteLeases(
  context: ClientContext,
  contributionId: ContributionId,
  blobs: readonly Repaired[],
): Promise<void> {
  const later = (view: ContributionView): LeaseRenewal[] => {
    const known = new Map([...view.parts, view.manifestBlob].map(({ blob, endEpoch }) => [blob, endEpoch]));
    return blobs.flatMap(({ blob, endEpoch }) =>
      endEpoch > (known.get(blob) ?? endEpoch) ? [{ blob, endEpoch }] : [],
    );
  };
  const read = () => context.chain.contribution(contributionId);
  const renewals = later(await read());
  if (renewals.length === 0) return;
  await actOnce({
    context,
    key: `repair/${contributionId}/${Math.max(...renewals.map(({ endEpoch }) => endEpoch))}`,
    action: { kind: 'renewLease', contributionId, renewals },
    read,
    isDone: (view) => later(view).length === 0,
  });
}

const blobIdOf = (blob: Hex32): BlobId => asBlobId(toBase64Url(fromHex(blob)));

function signedManifest(bytes: Uint8Array): Uint8Array | null {
  try {
    return SignedManifestBcs.parse(bytes).manifest;
  } catch {
    return null;
  }
}
