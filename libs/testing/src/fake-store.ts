import { createHash } from 'node:crypto';
import { asBlobId, refuse, toHex32, type BlobId, type Hex32 } from '@usufruct/kernel';
import {
  requireQuiltFiles,
  requireRange,
  type BlobStore,
  type LeaseName,
  type QuiltPatchId,
  type StoreAbilities,
} from '@usufruct/walrus';

interface Kept {
  readonly bytes: Uint8Array;
  readonly deletable: boolean;
  readonly objectId: Hex32;
  endEpoch: number;
}

const MOST_EPOCHS = 53;

/** A store in memory that can do all of it. Ids are hashes of the content, as Walrus's are, but not Walrus's. */
export class FakeStore implements BlobStore {
  readonly abilities: StoreAbilities = {
    deletable: true,
    extendable: true,
    quilts: true,
    ranges: true,
    ownable: false,
    leaseEpochs: { least: 1, most: MOST_EPOCHS },
    paidBy: 'nobody',
    maxBlobBytes: 8 * 1024 ** 2,
    maxQuiltFiles: 666,
    shards: 1_000,
  };
  isDown = false;
  epoch = 24;
  /** What was put, in order, repetitions included. */
  readonly puts: BlobId[] = [];
  private readonly blobs = new Map<BlobId, Kept>();
  private readonly patches = new Map<string, Uint8Array>();

  put: BlobStore['put'] = async (bytes, { epochs = 26, deletable = false, owner, signal } = {}) => {
    this.requireUp();
    signal?.throwIfAborted();
    if (owner !== undefined) throw refuse('STORE_UNSUPPORTED', { ability: 'ownable' });
    if (bytes.length === 0) throw refuse('FILE_EMPTY');
    if (bytes.length > this.abilities.maxBlobBytes)
      throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(this.abilities.maxBlobBytes) });
    requireEpochs(epochs);
    const blobId = asBlobId(createHash('sha256').update('fake-store').update(bytes).digest('base64url'));
    this.puts.push(blobId);
    const known = this.find(blobId);
    const kept = {
      bytes: Uint8Array.from(bytes),
      deletable: deletable && (known?.deletable ?? true),
      objectId: known?.objectId ?? toHex32<Hex32>(createHash('sha256').update(`object of ${blobId}`).digest()),
      endEpoch: Math.max(this.epoch + epochs, known?.endEpoch ?? 0),
    };
    this.blobs.set(blobId, kept);
    return { blobId, sizeBytes: bytes.length, endEpoch: kept.endEpoch, objectId: kept.objectId };
  };
  get: BlobStore['get'] = async (blobId, { range, signal } = {}) => {
    this.requireUp();
    signal?.throwIfAborted();
    if (range !== undefined) requireRange(range, this.abilities.maxBlobBytes);
    const kept = this.find(asBlobId(blobId));
    if (kept === undefined) throw refuse('BLOB_UNAVAILABLE', { blobId });
    if (range === undefined) return Uint8Array.from(kept.bytes);
    const { offsetBytes, lengthBytes } = range;
    if (offsetBytes + lengthBytes > kept.bytes.length)
      throw refuse('INVALID_ARGUMENT', { field: 'range', expected: 'a range inside the blob' });
    return kept.bytes.slice(offsetBytes, offsetBytes + lengthBytes);
  };
  status: BlobStore['status'] = async (blobId) => {
    const kept = this.find(asBlobId(blobId));
    if (kept === undefined)
      return { available: false, certified: null, sizeBytes: null, endEpoch: null, deletable: null };
    const { bytes, endEpoch, deletable } = kept;
    return { available: true, certified: true, sizeBytes: bytes.length, endEpoch, deletable };
  };
  delete: BlobStore['delete'] = async ({ blobId }: LeaseName) => {
    this.requireUp();
    const kept = this.find(blobId);
    if (kept?.deletable === false) throw refuse('BLOB_PERMANENT', { blobId });
    this.blobs.delete(blobId);
  };
  extend: BlobStore['extend'] = async ({ blobId }, endEpoch) => {
    this.requireUp();
    const kept = this.find(blobId);
    if (kept === undefined) throw refuse('BLOB_UNAVAILABLE', { blobId });
    requireEpochs(Math.max(1, endEpoch - this.epoch));
    kept.endEpoch = Math.max(kept.endEpoch, endEpoch);
    return { endEpoch: kept.endEpoch };
  };
  putMany: BlobStore['putMany'] = async (files, options) => {
    requireQuiltFiles(files, this.abilities);
    const whole = new Uint8Array(files.reduce((total, { bytes }) => total + bytes.length, 0));
    let offset = 0;
    for (const { bytes } of files) {
      whole.set(bytes, offset);
      offset += bytes.length;
    }
    const stored = await this.put(whole, options);
    const patches = files.map(({ identifier, bytes }, index) => {
      const patchId = `${stored.blobId}AQ${String(index).padStart(5, '0')}` as QuiltPatchId;
      this.patches.set(patchId, Uint8Array.from(bytes));
      this.patches.set(patchName(stored.blobId, identifier), Uint8Array.from(bytes));
      return { identifier, patchId };
    });
    return { ...stored, patches };
  };
  getPatch: BlobStore['getPatch'] = async (patch) => {
    this.requireUp();
    const name = 'patchId' in patch ? patch.patchId : patchName(patch.quiltId, patch.identifier);
    const quiltId = asBlobId('patchId' in patch ? patch.patchId.slice(0, 43) : patch.quiltId);
    const bytes = this.find(quiltId) === undefined ? undefined : this.patches.get(name);
    if (bytes === undefined) throw refuse('BLOB_UNAVAILABLE', { quiltId });
    return Uint8Array.from(bytes);
  };

  /** Flip a bit of what is stored. */
  tamper(blobId: BlobId): void {
    const kept = this.blobs.get(blobId);
    if (kept !== undefined) kept.bytes[0] = kept.bytes[0]! ^ 1;
  }
  private find(blobId: BlobId): Kept | undefined {
    const kept = this.blobs.get(blobId);
    return kept !== undefined && kept.endEpoch > this.epoch ? kept : undefined;
  }
  private requireUp(): void {
    if (this.isDown) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'store' });
  }
}

const patchName = (quiltId: BlobId, identifier: string): string => `${quiltId}/${identifier}`;

function requireEpochs(epochs: number): void {
  if (!Number.isInteger(epochs) || epochs < 1 || epochs > MOST_EPOCHS)
    throw refuse('INVALID_ARGUMENT', { field: 'epochs', expected: `an integer from 1 to ${MOST_EPOCHS}` });
}
