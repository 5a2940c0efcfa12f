import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import {
  equalBytes,
  refuse,
  toHex,
  toHex32,
  type Address,
  type BlobId,
  type Clock,
  type Hex32,
} from '@usufruct/kernel';
import { encodedBlobBytes, extensionCostFrost, storageCost } from '../cost/index.js';
import { MOST_EPOCHS } from '../lease-terms.js';
import { confirmationOf } from '../upload/certificate.js';
import type { Certificate } from '../upload/ports.js';
import { BlobFiles, type BlobRecord } from './blob-files.js';
import type { LocalStoreConfig } from './config.js';
import { Epochs } from './epochs.js';
import { importRecords } from './import-records.js';
import { orFull } from './full-disk.js';
import { LeaseTable, type Lease, type LeaseQuery } from './lease-table.js';
import { NodeKey } from './node-key.js';
import { mostQuiltFiles } from './quilt.js';
import { RedStuffThreads } from './red-stuff-threads.js';
import { diskFiles, type StoreFiles } from './store-files.js';
import { StoredBlobs } from './stored-blobs.js';

/** What a lease is asked for with. */
export interface LeaseRequest {
  readonly epochs: number;
  readonly deletable: boolean;
  /** `null`: the publisher keeps it. */
  readonly owner: Address | null;
  /** A lease of its own, even where a permanent one lasts long enough. */
  readonly force: boolean;
}
export interface Stored {
  readonly lease: Lease;
  /** FROST, by Walrus's formula and the configured prices; `null` where a lease that was there already was enough. */
  readonly costFrost: bigint | null;
}
export interface Found {
  readonly lease: Lease;
  readonly record: BlobRecord;
}

/** For whoever asks the store what it is. */
const DIFFERENCES = [
  'one copy of each blob on one disk: no erasure coding, no storage nodes; only the blob id is computed as there',
  'blob ids are for this number of shards, so they are not those of any Walrus network',
  'no chain: what Walrus keeps in Blob objects on Sui is kept here, and /v1/local stands for the transactions on them',
  'an owner is who the caller says; nothing is signed, and /v1/local answers this machine only',
  'an object in custody has another owner; whose it may become, the client looks up, and nothing here enforces it',
  'a certificate is signed by this store alone (nodePublicKey), as by a committee of one node',
  'POST /v1/local/epoch moves the epoch on, which nobody can on Walrus',
  'costs are computed by the published formula with configured prices, and nobody pays them; no storage is given back when a lease is deleted',
  'of the aggregator, concatenation, its OpenAPI page and answers in the type that the request names are left out',
  'blobs are refused beyond maxBlobBytes, and uploads beyond quotaBytes with 507',
];

/**
 * What publisher, aggregator and the contracts on Sui do about blobs, without HTTP and without a chain: a lease stands
 * for the `Blob` object, and its owner is who is named, proven by nothing. A blob is there as long as one certified
 * lease of it is.
 */
export class LocalStore {
  private constructor(
    readonly config: LocalStoreConfig,
    /** Who owns what is stored for nobody in particular. */
    readonly publisher: Address,
    readonly epochs: Epochs,
    private readonly table: LeaseTable,
    private readonly blobs: StoredBlobs,
    private readonly redStuff: RedStuffThreads,
    private readonly nodeKey: NodeKey,
  ) {}

  /** Refuses `CONFIG_INVALID` for a folder whose blob ids are of another number of shards. */
  static async open(config: LocalStoreConfig, clock: Clock, files: StoreFiles = diskFiles): Promise<LocalStore> {
    await files.makeFolder(config.dataDir);
    const table = new LeaseTable(join(config.dataDir, 'leases.sqlite'));
    try {
      const publisher = settle(table, config);
      const blobFiles = await BlobFiles.open(config.dataDir, files);
      await importRecords(join(config.dataDir, 'blobs'), table, publisher);
      const blobs = await StoredBlobs.open(blobFiles, table, config.quotaBytes);
      const epochs = new Epochs(table, clock, config.epochMs);
      const redStuff = await RedStuffThreads.open(config.shards);
      const store = new LocalStore(config, publisher, epochs, table, blobs, redStuff, NodeKey.of(table));
      await store.sweep();
      return store;
    } catch (error) {
      table.close();
      throw error;
    }
  }

  close(): void {
    this.table.close();
    void this.redStuff.close();
  }

  get epoch(): number {
    return this.epochs.current();
  }

  /** Register, upload and certify at once, as a publisher does. Refuses `STORE_FULL` and what `requireLease` does. */
  async put(bytes: Uint8Array, request: LeaseRequest): Promise<Stored> {
    this.requireLease(request.epochs);
    this.requireSize(bytes.length);
    const blobId = await this.redStuff.blobIdOf(bytes);
    await this.makeRoomFor(bytes.length);
    return this.blobs.exclusively(blobId, async () => {
      const enough = request.force ? undefined : this.enoughFor(blobId, request);
      if (enough !== undefined && (await this.blobs.isIntact(blobId))) return { lease: enough, costFrost: null };
      const lease = { ...this.newLease(blobId, bytes.length, request), certifiedEpoch: this.epoch };
      await this.blobs.keep(blobId, bytes, lease);
      return { lease, costFrost: this.costOf(bytes.length, request.epochs) };
    });
  }

  /** A lease of bytes that are to come: they are uploaded, and then it is certified. Refuses as `put` does. */
  async register(blobId: BlobId, sizeBytes: number, request: LeaseRequest): Promise<Stored> {
    this.requireLease(request.epochs);
    this.requireSize(sizeBytes);
    const lease = this.newLease(blobId, sizeBytes, request);
    await orFull(() => this.table.putLease(lease));
    return { lease, costFrost: this.costOf(sizeBytes, request.epochs) };
  }

  /**
   * Takes the bytes of a registered blob and vouches that they are here: for this object where the lease is deletable,
   * for every permanent one otherwise. Again gives the same. Refuses `INVALID_ARGUMENT` for bytes of another id,
   * `NOT_FOUND` where nothing is registered, `STORE_FULL`.
   */
  async relay(blobId: BlobId, bytes: Uint8Array, objectId: Hex32 | null): Promise<Certificate> {
    this.requireSize(bytes.length);
    if ((await this.redStuff.blobIdOf(bytes)) !== blobId)
      throw refuse('INVALID_ARGUMENT', { field: 'blob_id', expected: 'the id of these bytes' });
    await this.makeRoomFor(bytes.length);
    return this.blobs.exclusively(blobId, async () => {
      const { epoch } = this;
      const lease = this.table
        .leasesOf(blobId)
        .find((one) => one.endEpoch > epoch && one.deletable === (objectId !== null) && isObject(one, objectId));
      if (lease === undefined) throw refuse('NOT_FOUND', { blobId, registered: 'no' });
      if (lease.sizeBytes !== bytes.length)
        throw refuse('INVALID_ARGUMENT', { field: 'sizeBytes', expected: 'the registered size' });
      await this.blobs.keep(blobId, bytes, lease);
      const message = confirmationOf({ ...lease, certified: false }, epoch);
      return { signers: [0], message, signature: this.nodeKey.sign(message) };
    });
  }

  /**
   * From now on the blob can be read. Again does nothing. As on Sui, a certificate is good in its epoch only: an older one
   * may be of bytes that are gone. Refuses `SIGNATURE_INVALID`, `NOT_FOUND`, `FORBIDDEN`.
   */
  async certify(objectId: Hex32, owner: Address, certificate: Certificate): Promise<Lease> {
    const { blobId } = this.ownedLease(objectId, owner);
    return this.blobs.exclusively(blobId, async () => {
      const lease = this.ownedLease(objectId, owner);
      if (lease.certifiedEpoch !== null) return lease;
      const { epoch } = this;
      const { message, signature } = certificate;
      const isMeant = equalBytes(message, confirmationOf({ ...lease, certified: false }, epoch));
      if (!isMeant || !this.nodeKey.hasSigned(message, signature)) throw refuse('SIGNATURE_INVALID', { objectId });
      // What is vouched for must be here.
      if (this.table.blob(blobId) === null) throw refuse('NOT_FOUND', { blobId });
      const certified = { ...lease, certifiedEpoch: epoch };
      await orFull(() => this.table.putLease(certified));
      return certified;
    });
  }

  /** `null`: never stored, deleted, not certified, or every lease has ended. */
  find(blobId: BlobId): Found | null {
    const { epoch } = this;
    const lease = this.table.leasesOf(blobId).find((one) => one.certifiedEpoch !== null && one.endEpoch > epoch);
    const record = this.table.blob(blobId);
    return lease === undefined || record === null ? null : { lease, record };
  }

  /** Refuses `BLOB_MISMATCH` for a damaged file, and `NOT_FOUND` for a blob that was deleted meanwhile. */
  async read(blobId: BlobId, record: BlobRecord, start?: number, end?: number): Promise<Uint8Array> {
    try {
      return await this.blobs.read(blobId, record, start, end);
    } catch (error) {
      if (this.find(blobId) === null) throw refuse('NOT_FOUND', { blobId });
      throw error;
    }
  }

  /** As on Sui, an object can be looked up after its lease has ended, until it is swept. */
  lease(objectId: Hex32): Lease | null {
    return this.table.lease(objectId);
  }

  leases(query: LeaseQuery): Lease[] {
    return this.table.page(query);
  }

  /**
   * A lease that lasts until this epoch at least: one that does already is left alone. Refuses `NOT_FOUND` for one that
   * has ended or is not certified, `FORBIDDEN` for another's, `INVALID_ARGUMENT` beyond what can be bought.
   */
  async extend(objectId: Hex32, owner: Address, endEpoch: number): Promise<Stored> {
    const { blobId } = this.ownedLease(objectId, owner);
    return this.blobs.exclusively(blobId, async () => {
      const lease = this.ownedLease(objectId, owner);
      if (lease.certifiedEpoch === null) throw refuse('NOT_FOUND', { objectId });
      if (lease.endEpoch >= endEpoch) return { lease, costFrost: 0n };
      this.requireLease(endEpoch - this.epoch, 'endEpoch');
      const extended = { ...lease, endEpoch };
      await orFull(() => this.table.putLease(extended));
      const encodedBytes = encodedBlobBytes(lease.sizeBytes, this.config.shards);
      return {
        lease: extended,
        costFrost: extensionCostFrost(encodedBytes, endEpoch - lease.endEpoch, this.config.prices),
      };
    });
  }

  /** Gives a lease to another owner. Again does nothing. Refuses `NOT_FOUND`, `FORBIDDEN`. */
  async transfer(objectId: Hex32, owner: Address, to: Address): Promise<Lease> {
    const { blobId } = this.livingLease(objectId);
    return this.blobs.exclusively(blobId, async () => {
      const given = this.livingLease(objectId);
      if (given.owner === to) return given;
      const lease = { ...this.ownedLease(objectId, owner), owner: to };
      await orFull(() => this.table.putLease(lease));
      return lease;
    });
  }

  /** Ends a lease; the blob goes with its last one. Refuses `NOT_FOUND`, `FORBIDDEN`, `BLOB_PERMANENT`. */
  async delete(objectId: Hex32, owner: Address): Promise<void> {
    const { blobId } = this.ownedLease(objectId, owner);
    await this.blobs.exclusively(blobId, async () => {
      const { deletable } = this.ownedLease(objectId, owner);
      if (!deletable) throw refuse('BLOB_PERMANENT', { objectId });
      const others = this.table.leasesOf(blobId).filter((one) => one.objectId !== objectId);
      if (others.some(({ endEpoch }) => endEpoch > this.epoch)) await orFull(() => this.table.removeLease(objectId));
      else await this.blobs.forget(blobId);
    });
  }

  /** Moves the epoch on by hand, and takes back what has ended. */
  async advance(steps: number): Promise<number> {
    const epoch = await orFull(() => this.epochs.advance(steps));
    await this.sweep();
    return epoch;
  }

  /**
   * Takes back the room of blobs of which every lease has ended. Says how many went. On a full disk it goes on where it
   * can: what it removes makes room for what it could not write down.
   */
  async sweep(): Promise<number> {
    const { epoch } = this;
    const faults: unknown[] = [];
    let count = 0;
    for (const blobId of this.table.sweepable(epoch)) {
      const isGone = await this.blobs
        .exclusively(blobId, () => this.sweepOne(blobId, epoch))
        .catch((error: unknown) => {
          faults.push(error);
          return false;
        });
      if (isGone) count += 1;
    }
    await orFull(() => this.epochs.keep());
    if (faults.length > 0) throw faults[0];
    return count;
  }

  describe(): object {
    const { shards, maxBlobBytes, epochMs, quotaBytes, prices } = this.config;
    const { blobs, leases } = this.table.usage();
    return {
      standIn: 'local store',
      shards,
      maxBlobBytes,
      maxQuiltFiles: mostQuiltFiles(shards),
      epoch: this.epoch,
      epochMs,
      epochEndsAtMs: this.epochs.endsAtMs(),
      mostEpochsAhead: MOST_EPOCHS,
      publisher: this.publisher,
      nodePublicKey: toHex(this.nodeKey.publicKey),
      blobs,
      leases,
      storedBytes: this.blobs.bytes,
      quotaBytes,
      storageUnitFrost: String(prices.storageUnitFrost),
      writeUnitFrost: String(prices.writeUnitFrost),
      differsFromWalrus: DIFFERENCES,
    };
  }

  private async sweepOne(blobId: BlobId, epoch: number): Promise<boolean> {
    const isAlive = this.table.leasesOf(blobId).some(({ endEpoch }) => endEpoch > epoch);
    if (isAlive) await orFull(() => this.table.removeEnded(blobId, epoch));
    else await this.blobs.reclaim(blobId);
    return !isAlive;
  }

  private newLease(blobId: BlobId, sizeBytes: number, { epochs, deletable, owner }: LeaseRequest): Lease {
    const registeredEpoch = this.epoch;
    return {
      objectId: toHex32(randomBytes(32)),
      blobId,
      owner: owner ?? this.publisher,
      sizeBytes,
      deletable,
      registeredEpoch,
      certifiedEpoch: null,
      endEpoch: registeredEpoch + epochs,
    };
  }

  /**
   * As a real publisher: a permanent one of anybody's serves, a deletable one only where it is the publisher's own and
   * stays so, since whoever owns it can end it. A repeated request then finds the first one's lease.
   */
  private enoughFor(blobId: BlobId, { epochs, deletable, owner }: LeaseRequest): Lease | undefined {
    const until = this.epoch + epochs;
    const serves = (one: Lease): boolean =>
      deletable ? one.deletable && one.owner === this.publisher && owner === null : !one.deletable;
    return this.table
      .leasesOf(blobId)
      .find((one) => serves(one) && one.certifiedEpoch !== null && one.endEpoch >= until);
  }

  private livingLease(objectId: Hex32): Lease {
    const lease = this.table.lease(objectId);
    if (lease === null || lease.endEpoch <= this.epoch) throw refuse('NOT_FOUND', { objectId });
    return lease;
  }

  private ownedLease(objectId: Hex32, owner: Address): Lease {
    const lease = this.livingLease(objectId);
    if (lease.owner !== owner) throw refuse('FORBIDDEN', { objectId });
    return lease;
  }

  private costOf(sizeBytes: number, epochs: number): bigint {
    const { shards, prices } = this.config;
    return storageCost(encodedBlobBytes(sizeBytes, shards), epochs, prices).totalFrost;
  }

  private async makeRoomFor(sizeBytes: number): Promise<void> {
    if (!this.blobs.hasRoomFor(sizeBytes)) await this.sweep();
  }

  private requireSize(sizeBytes: number): void {
    if (sizeBytes === 0) throw refuse('FILE_EMPTY');
    const { maxBlobBytes } = this.config;
    if (sizeBytes > maxBlobBytes) throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(maxBlobBytes) });
  }

  private requireLease(epochs: number, field = 'epochs'): void {
    if (!Number.isInteger(epochs) || epochs < 1 || epochs > MOST_EPOCHS)
      throw refuse('INVALID_ARGUMENT', { field, expected: `1 to ${MOST_EPOCHS} epochs ahead` });
  }
}

const isObject = (lease: Lease, objectId: Hex32 | null): boolean => objectId === null || lease.objectId === objectId;

/** Says who the publisher is, and that the folder is of these shards: ids of others would name nothing in it. */
function settle(table: LeaseTable, { shards }: LocalStoreConfig): Address {
  const before = table.setting('shards');
  if (before !== null && before !== String(shards))
    throw refuse('CONFIG_INVALID', { setting: 'SHARDS', reason: `the folder was made for ${before} shards` });
  const known = table.setting('publisher');
  if (before !== null && known !== null) return known as Address;
  const publisher = toHex32<Address>(randomBytes(32));
  table.set({ shards: String(shards), publisher });
  return publisher;
}
