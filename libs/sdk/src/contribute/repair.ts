import { sha256 } from '@usufruct/crypto';
import { refuse, toHex32, UsufructError, type ContributionId, type Hex32 } from '@usufruct/kernel';
import { decodeManifest, type ContributionView, type LeaseRenewal, type Manifest } from '@usufruct/protocol';
import { readPart, type PartName, type PartReader, type PutOptions } from '@usufruct/walrus';
import { actOnce } from '../act.js';
import type { ClientContext } from '../context.js';
import { blobIdOf, manifestName, mayHold, registeredManifest } from './manifest-blob.js';
import { inLifetime } from './planning.js';
import { requireStorage, termsOf } from './upload.js';

/** Where ciphertext may still be: another aggregator, the owner's copy (`copyAsSource`). What it gives is compared with the signed manifest. */
export type BlobSource = PartReader;

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
 * Refuses `FORBIDDEN` for whoever is not the owner, `TOMBSTONED`, `STORE_UNSUPPORTED` (the store cannot do what the
 * DAO's policy says of blobs), and `BLOB_UNAVAILABLE` where nobody has the manifest.
 * What nobody has is `missing` in the answer: then only contributing the file anew helps.
 */
export async function repairStorage(client: ClientContext, options: RepairOptions): Promise<StorageRepair> {
  const { contributionId, sources, epochs } = options;
  const view = await client.chain.contribution(contributionId);
  if (view.owner !== client.signer.address) throw refuse('FORBIDDEN', { needs: 'the owner of the contribution' });
  if (view.tombstonedAtMs !== null) throw refuse('TOMBSTONED', { contributionId });
  const { daoId } = await client.chain.dataset(view.datasetId);
  const context = inLifetime(client, (await client.chain.dao(daoId)).policy);
  requireStorage(context);
  const terms = { ...termsOf(context), ...(epochs !== undefined && { epochs }) };
  const { manifest, repair } = await repairManifest(context, view, sources, terms);
  const blobs = [repair];
  const hashes = new Map(manifest.parts.map((part) => [part.blob, part]));
  for (const { blob, endEpoch } of new Map(view.parts.map((part) => [part.blob, part])).values()) {
    const { sha256: digest, sizeBytes } = hashes.get(blob) ?? refused(contributionId);
    const isRight = (bytes: Uint8Array): boolean => toHex32(sha256(bytes)) === digest;
    const name = { blobId: blobIdOf(blob), digest, sizeBytes };
    blobs.push(await repairBlob(context, { blob, endEpoch, name, isRight, sources, terms }));
  }
  await noteLeases(context, contributionId, blobs);
  return { contributionId, blobs, complete: blobs.every(({ state }) => state !== 'missing') };
}

/** The chain's record names a blob that the signed manifest does not. */
function refused(contributionId: ContributionId): never {
  throw refuse('MANIFEST_MISMATCH', { contributionId, field: 'parts' });
}

type Repaired = StorageRepair['blobs'][number];
type Recognise = (bytes: Uint8Array) => boolean;

async function repairManifest(
  context: ClientContext,
  view: ContributionView,
  sources: readonly BlobSource[],
  terms: PutOptions,
): Promise<{ manifest: Manifest; repair: Repaired }> {
  let manifest: Manifest | undefined;
  const isRight = (bytes: Uint8Array): boolean => {
    const signed = registeredManifest(bytes, view);
    if (signed === null) return false;
    manifest = decodeManifest(signed);
    return true;
  };
  const { blob, endEpoch } = view.manifestBlob;
  const repair = await repairBlob(context, { blob, endEpoch, name: manifestName(view), isRight, sources, terms });
  if (manifest === undefined) throw refuse('BLOB_UNAVAILABLE', { contributionId: view.id });
  return { manifest, repair };
}

interface BlobToRepair {
  readonly blob: Hex32;
  readonly endEpoch: number;
  /** What is wanted of it: all of it, or one file of the quilt that it is. */
  readonly name: PartName;
  readonly isRight: Recognise;
  readonly sources: readonly BlobSource[];
  readonly terms: PutOptions;
}

async function repairBlob({ store }: ClientContext, wanted: BlobToRepair): Promise<Repaired> {
  const { blob, endEpoch, name, isRight, sources, terms } = wanted;
  const { blobId } = name;
  if ((await orNull(() => readPart(store, name, isRight, { fresh: true }))) !== null)
    return { blob, state: 'there', endEpoch };
  for (const source of sources) {
    const right = await orNull(() => readPart(source, name, isRight, { fresh: true }));
    if (right === null) continue;
    // A quilt can be put back only whole, and its id says whether this is it.
    const bytes = await orNull(() => source.get(blobId, { fresh: true }));
    // Other bytes would be paid for before their id tells.
    if (bytes === null || !mayHold(bytes, right)) continue;
    const stored = await store.put(bytes, terms);
    if (stored.blobId !== blobId) throw refuse('BLOB_MISMATCH', { blobId });
    return { blob, state: 'repaired', endEpoch: Math.max(endEpoch, stored.endEpoch) };
  }
  return { blob, state: 'missing', endEpoch };
}

/** Null for what it has not, and for what is not the blob. */
async function orNull(read: () => Promise<Uint8Array>): Promise<Uint8Array | null> {
  try {
    return await read();
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
