import { refuse, toHex, type RandomSource } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import type { Aggregators } from '../aggregators.js';
import type { BlobStore, PutOptions, QuiltFile, QuiltPatch, StoreAbilities } from '../blob-store.js';
import { DEFAULT_EPOCHS, leaseTerms, MOST_EPOCHS, QUILT_FILES, WALRUS_SHARDS } from '../lease-terms.js';
import { requireQuiltFiles } from '../quilt-files.js';
import { oneAtATime } from './execute-once.js';
import { signedLeases } from './leases.js';
import type { LeaseChain, Transport, UploadJournal } from './ports.js';
import { resumableUpload } from './upload.js';

/** Files as one blob, and where each is in it; `patchIdOf` needs the blob's id. */
export interface EncodedQuilt {
  readonly bytes: Uint8Array;
  patchesOf(quiltId: string): QuiltPatch[];
}

export interface UploadBlobStoreOptions {
  readonly chain: LeaseChain;
  readonly transport: Transport;
  readonly journal: UploadJournal;
  readonly readers: Aggregators;
  readonly random: RandomSource;
  readonly encodeQuilt: (files: readonly QuiltFile[]) => Promise<EncodedQuilt>;
  readonly maxBlobBytes?: number;
  /** How many files a quilt holds; 0 for no quilts. */
  readonly maxQuiltFiles: number;
  readonly defaultEpochs?: number;
}

/** What a wallet of one's own can do: all but give away what it registers, because only its owner can certify a blob. */
export const uploadAbilities = (
  maxQuiltFiles: number = QUILT_FILES,
  maxBlobBytes: number = LIMITS.partBytes,
): StoreAbilities => ({
  deletable: true,
  extendable: true,
  quilts: maxQuiltFiles > 0,
  ranges: true,
  ownable: false,
  leaseEpochs: { least: 1, most: MOST_EPOCHS },
  paidBy: 'owner',
  maxBlobBytes,
  maxQuiltFiles,
  shards: WALRUS_SHARDS,
});

/** The blob port where the wallet that is used here registers, pays and certifies, and no publisher is asked. */
export function uploadBlobStore(options: UploadBlobStoreOptions): BlobStore {
  const { chain, readers, random, maxBlobBytes = LIMITS.partBytes, maxQuiltFiles } = options;
  const alone = oneAtATime();
  const context = { ...options, oneAtATime: alone };
  const leases = signedLeases(context);
  const abilities = uploadAbilities(maxQuiltFiles, maxBlobBytes);
  const put = async (bytes: Uint8Array, given: PutOptions = {}, limitBytes = maxBlobBytes) => {
    const { epochs, deletable, owner, signal } = leaseTerms(given, options.defaultEpochs ?? DEFAULT_EPOCHS);
    if (bytes.length === 0) throw refuse('FILE_EMPTY');
    if (bytes.length > limitBytes) throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(limitBytes) });
    if (owner !== undefined && owner !== chain.owner) throw refuse('STORE_UNSUPPORTED', { ability: 'ownable' });
    // Without a key nothing could be resumed, and nothing may be mistaken for another upload.
    const resumeKey = given.resumeKey ?? `upload/${toHex(random(16))}`;
    const request = { bytes, epochs, deletable, resumeKey, ...(signal !== undefined && { signal }) };
    const stored = await resumableUpload(context, request);
    if (given.resumeKey === undefined) await options.journal.delete(`${resumeKey}/upload`);
    return stored;
  };
  return {
    abilities,
    put: (bytes, given) => put(bytes, given),
    async putMany(files, given) {
      if (!abilities.quilts) throw refuse('STORE_UNSUPPORTED', { ability: 'quilts' });
      requireQuiltFiles(files, abilities);
      const quilt = await options.encodeQuilt(files);
      // Files fill whole columns of the code, so a quilt is larger than they are.
      const stored = await put(quilt.bytes, given, Number.MAX_SAFE_INTEGER);
      const patches = quilt.patchesOf(stored.blobId);
      const inOrder = files.map(({ identifier }) => patches.find((patch) => patch.identifier === identifier));
      if (!inOrder.every((patch) => patch !== undefined)) throw refuse('INTERNAL', { part: 'quilt' });
      return { ...stored, patches: inOrder };
    },
    get: async (blobId, get = {}) => readers.get(blobId, get),
    getPatch: async (patch, call = {}) => readers.getPatch(patch, call),
    async status(blobId, call = {}) {
      const [read, known] = await Promise.all([readers.status(blobId, call), leases.describe(blobId, call)]);
      return known === null ? read : { ...known, available: read.available };
    },
    delete: (lease, call) => leases.delete(lease, call),
    extend: (lease, endEpoch, call) => leases.extend(lease, endEpoch, call),
  };
}
