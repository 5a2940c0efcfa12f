import { refuse, type BlobId } from '@usufruct/kernel';
import { BlobFiles, recordOf, type BlobRecord } from './blob-files.js';
import { orFull } from './full-disk.js';
import type { Lease, LeaseTable } from './lease-table.js';

/** The bytes and the rows that say that they are stored, kept in step, within the quota. */
export class StoredBlobs {
  private readonly busy = new Map<string, Promise<unknown>>();
  private usedBytes: number;

  private constructor(
    private readonly files: BlobFiles,
    private readonly table: LeaseTable,
    private readonly quotaBytes: number | null,
  ) {
    this.usedBytes = table.usage().bytes;
  }

  static async open(files: BlobFiles, table: LeaseTable, quotaBytes: number | null): Promise<StoredBlobs> {
    // The row comes last: a file without one is of an upload that was never answered for, or of a blob that is deleted.
    for await (const blobId of files.stored()) if (table.blob(blobId) === null) await files.remove(blobId);
    return new StoredBlobs(files, table, quotaBytes);
  }

  /** Counted once, however many leases there are of a blob. */
  get bytes(): number {
    return this.usedBytes;
  }

  read(blobId: BlobId, record: BlobRecord, start?: number, end?: number): Promise<Uint8Array> {
    return this.files.read(blobId, record, start, end);
  }

  async isIntact(blobId: BlobId): Promise<boolean> {
    const record = this.table.blob(blobId);
    if (record === null) return false;
    return this.files.read(blobId, record).then(
      () => true,
      () => false,
    );
  }

  /**
   * Stores the bytes, unless an undamaged copy is there, and the lease with them: both are durable when it resolves, and
   * neither is there when it rejects. Refuses `STORE_FULL` beyond the quota or the disk. Only within `exclusively`.
   */
  async keep(blobId: BlobId, bytes: Uint8Array, lease: Lease): Promise<void> {
    const isKnown = this.table.blob(blobId) !== null;
    if (isKnown && (await this.isIntact(blobId))) return orFull(() => this.table.putLease(lease));
    // Reserved before the first byte is written: many uploads at once share one quota.
    if (!isKnown) this.reserve(bytes.length);
    try {
      await orFull(async () => {
        await this.files.write(blobId, bytes);
        this.table.addBlob(blobId, recordOf(bytes), lease);
      });
    } catch (error) {
      if (!isKnown) {
        this.usedBytes -= bytes.length;
        await this.files.remove(blobId).catch(() => undefined);
      }
      throw error;
    }
  }

  /** Of which no lease is left. The row goes first: a file that stays behind is removed at the next start. */
  async forget(blobId: BlobId): Promise<void> {
    const record = this.table.blob(blobId);
    await orFull(() => this.table.removeBlob(blobId));
    this.usedBytes -= record?.sizeBytes ?? 0;
    await this.files.remove(blobId);
  }

  /** Of which all leases have ended: nobody may read it, so the file can go first, which makes room on a full disk. */
  async reclaim(blobId: BlobId): Promise<void> {
    await this.files.remove(blobId);
    await this.forget(blobId);
  }

  /** Work on one blob, one after the other: two uploads of the same bytes must not decide about one file at once. */
  async exclusively<T>(blobId: BlobId, work: () => Promise<T>): Promise<T> {
    const before = this.busy.get(blobId) ?? Promise.resolve();
    const mine = before.then(work, work);
    this.busy.set(blobId, mine);
    try {
      return await mine;
    } finally {
      if (this.busy.get(blobId) === mine) this.busy.delete(blobId);
    }
  }

  /** Whether so many further bytes are within the quota. */
  hasRoomFor(sizeBytes: number): boolean {
    return this.quotaBytes === null || this.usedBytes + sizeBytes <= this.quotaBytes;
  }

  private reserve(sizeBytes: number): void {
    if (!this.hasRoomFor(sizeBytes))
      throw refuse('STORE_FULL', { quotaBytes: String(this.quotaBytes), usedBytes: String(this.usedBytes) });
    this.usedBytes += sizeBytes;
  }
}
