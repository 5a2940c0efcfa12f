import { sha256 } from '@usufruct/crypto';
import { refuse, toHex32, UsufructError, type ContributionId, type Hex32 } from '@usufruct/kernel';
import {
  decodeManifest,
  type BlobReference,
  type ContributionView,
  type LeaseRenewal,
  type Manifest,
} from '@usufruct/protocol';
import { readPart, type PartName, type PartReader } from '@usufruct/walrus';
import { actOnce } from '../act.js';
import type { ClientContext } from '../context.js';
import { deleteAll } from '../journal.js';
import { blobIdOf, manifestName, mayHold, registeredManifest } from './manifest-blob.js';
import { inLifetime } from './planning.js';
import { requireStorage, storeChecked } from './upload.js';

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
 * read, and note on the chain how long the new leases last. Nothing is encrypted anew and no key is needed. Repeatable:
 * an upload that was cut is gone on with, and nothing counts as repaired that was not read back.
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
  const inForce = inLifetime(client, (await client.chain.dao(daoId)).policy);
  const context = { ...inForce, storage: { ...inForce.storage, ...(epochs !== undefined && { epochs }) } };
  requireStorage(context);
  const { manifest, repair } = await repairManifest(context, view, sources);
  const blobs = [repair];
  const hashes = new Map(manifest.parts.map((part) => [part.blob, part]));
  for (const { blob, endEpoch } of new Map(view.parts.map((part) => [part.blob, part])).values()) {
    const { sha256: digest, sizeBytes } = hashes.get(blob) ?? refused(contributionId);
    const isRight = (bytes: Uint8Array): boolean => toHex32(sha256(bytes)) === digest;
    const name = { blobId: blobIdOf(blob), digest, sizeBytes };
    blobs.push(await repairBlob(context, { blob, endEpoch, name, isRight, sources }));
  }
  await forgetUploads(client, blobs);
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
): Promise<{ manifest: Manifest; repair: Repaired }> {
  let manifest: Manifest | undefined;
  const isRight = (bytes: Uint8Array): boolean => {
    const signed = registeredManifest(bytes, view);
    if (signed === null) return false;
    manifest = decodeManifest(signed);
    return true;
  };
  const { blob, endEpoch } = view.manifestBlob;
  const repair = await repairBlob(context, { blob, endEpoch, name: manifestName(view), isRight, sources });
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
}

async function repairBlob(context: ClientContext, wanted: BlobToRepair): Promise<Repaired> {
  const { store } = context;
  const { blob, endEpoch, name, isRight, sources } = wanted;
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
    const stored = await storeAgain(context, bytes, blob);
    if (stored.blob !== blob) throw refuse('BLOB_MISMATCH', { blobId });
    return { blob, state: 'repaired', endEpoch: Math.max(endEpoch, stored.endEpoch) };
  }
  return { blob, state: 'missing', endEpoch };
}

/** What all that stores remember of uploads for repairs begins with; the blob follows. */
const UPLOADS = 'repair/blobs/';

/** A wallet that was cut pays for it once. What is remembered as stored, and cannot be read, is begun anew the next time. */
async function storeAgain(context: ClientContext, bytes: Uint8Array, blob: Hex32): Promise<BlobReference> {
  const prefix = `${UPLOADS}${blob}/`;
  try {
    return await storeChecked(context, bytes, `${prefix}${context.storage?.epochs ?? 'usual'}`);
  } catch (error) {
    if (error instanceof UsufructError && error.code === 'BLOB_UNAVAILABLE') await deleteAll(context.journal, prefix);
    throw error;
  }
}

/** Of what is there: lost once more, it is another upload. */
async function forgetUploads({ journal }: ClientContext, blobs: readonly Repaired[]): Promise<void> {
  const there = new Set(blobs.filter(({ state }) => state !== 'missing').map(({ blob }) => blob));
  for (const key of await journal.keys(UPLOADS))
    if (there.has(key.slice(UPLOADS.length).split('/')[0] as Hex32)) await journal.delete(key);
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
