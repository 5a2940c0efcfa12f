import { randomBytes } from 'node:crypto';
import { asBlobId, refuse, toHex32, type BlobId, type Clock } from '@usufruct/kernel';
import { blobIdEncoder } from '../blob-id/index.js';
import { BlobFiles, type BlobRecord } from './blob-files.js';
import type { LocalStoreConfig } from './config.js';

export interface Lease {
  readonly epochs: number;
  readonly deletable: boolean;
}

/** Walrus's own limit on how far ahead a lease may be bought. */
const MOST_EPOCHS = 53;

/** What the HTTP interface does, without HTTP. The answers have the shape of a Walrus publisher's. */
export class LocalStore {
  private constructor(
    readonly config: LocalStoreConfig,
    private readonly files: BlobFiles,
    private readonly blobIdOf: (bytes: Uint8Array) => Promise<BlobId>,
    private readonly clock: Clock,
  ) {}

  static async open(config: LocalStoreConfig, clock: Clock): Promise<LocalStore> {
    return new LocalStore(config, await BlobFiles.open(config.dataDir), await blobIdEncoder(config.shards), clock);
  }

  get epoch(): number {
    return Math.floor(this.clock.nowMs() / this.config.epochMs);
  }

  async put(bytes: Uint8Array, { epochs, deletable }: Lease): Promise<object> {
    if (bytes.length === 0) throw refuse('FILE_EMPTY');
    if (bytes.length > this.config.maxBlobBytes)
      throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(this.config.maxBlobBytes) });
    if (!Number.isInteger(epochs) || epochs < 1 || epochs > MOST_EPOCHS) {
      throw refuse('INVALID_ARGUMENT', { field: 'epochs', expected: `an integer from 1 to ${MOST_EPOCHS}` });
    }
    const blobId = await this.blobIdOf(bytes);
    return this.files.exclusively(blobId, () => this.lease(blobId, bytes, epochs, deletable));
  }

  /** `null`: never stored, or its lease has ended. */
  async find(blobId: string): Promise<BlobRecord | null> {
    const record = await this.files.record(asBlobId(blobId));
    return record !== null && record.endEpoch > this.epoch ? record : null;
  }

  async read(blobId: string, record: BlobRecord): Promise<Uint8Array> {
    return this.files.read(asBlobId(blobId), record);
  }

  async describe(): Promise<object> {
    const { shards, maxBlobBytes, epochMs } = this.config;
    return {
      standIn: 'local store',
      shards,
      maxBlobBytes,
      epoch: this.epoch,
      epochMs,
      blobs: await this.files.count(),
    };
  }

  private async lease(blobId: BlobId, bytes: Uint8Array, epochs: number, deletable: boolean): Promise<object> {
    const { epoch } = this;
    const known = await this.files.record(blobId);
    const endEpoch = epoch + epochs;
    const isLeased = known !== null && known.endEpoch >= endEpoch;
    if (isLeased && (await this.holds(blobId, known)))
      return { alreadyCertified: { blobId, endEpoch: known.endEpoch } };
    const record = await this.files.write(blobId, bytes, {
      objectId: known?.objectId ?? toHex32(randomBytes(32)),
      startEpoch: known?.startEpoch ?? epoch,
      endEpoch: Math.max(endEpoch, known?.endEpoch ?? 0),
      deletable,
    });
    return { newlyCreated: { blobObject: blobObject(blobId, record, epoch), cost: 0 } };
  }

  /** A damaged copy must not be certified again: a second upload repairs it. */
  private async holds(blobId: BlobId, record: BlobRecord): Promise<boolean> {
    return this.files.read(blobId, record).then(
      () => true,
      () => false,
    );
  }
}

const blobObject = (blobId: BlobId, record: BlobRecord, epoch: number): object => ({
  id: record.objectId,
  registeredEpoch: record.startEpoch,
  blobId,
  size: record.sizeBytes,
  encodingType: 'RS2',
  certifiedEpoch: epoch,
  storage: {
    id: record.objectId,
    startEpoch: record.startEpoch,
    endEpoch: record.endEpoch,
    storageSize: record.sizeBytes,
  },
  deletable: record.deletable,
});
