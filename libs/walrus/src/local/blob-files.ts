import { createHash, randomUUID } from 'node:crypto';
import { dirname, join } from 'node:path';
import { concatBytes, equalBytes, refuse, type BlobId } from '@usufruct/kernel';
import type { StoreFiles } from './store-files.js';

/** What must be known of a blob to find damage in its file. */
export interface BlobRecord {
  readonly sizeBytes: number;
  /** SHA-256 of each chunk, one after the other: a part is checked without reading the rest. */
  readonly chunkHashes: Uint8Array;
}

const CHUNK_BYTES = 256 * 1024;
const HASH_BYTES = 32;
const BLOB_NAME = /^([A-Za-z0-9_-]{43})\.blob$/;

/**
 * The bytes of blobs, a file each, under the name of the blob id. A file is written beside, synced and renamed, so that
 * it is whole or not there whenever the process is killed; what says that a blob is stored is its row in the lease
 * table, which comes after.
 */
export class BlobFiles {
  private constructor(
    private readonly folder: string,
    private readonly files: StoreFiles,
  ) {}

  static async open(folder: string, files: StoreFiles): Promise<BlobFiles> {
    const incoming = join(folder, 'incoming');
    await files.makeFolder(join(folder, 'blobs'));
    await files.makeFolder(incoming);
    // Only what a killed process left: nothing there was ever answered for.
    for (const name of await files.namesIn(incoming)) await files.remove(join(incoming, name));
    return new BlobFiles(folder, files);
  }

  /** Durable when it resolves. Leaves nothing behind when it rejects. */
  async write(blobId: BlobId, bytes: Uint8Array): Promise<void> {
    const path = this.path(blobId);
    const beside = join(this.folder, 'incoming', randomUUID());
    try {
      await this.writeSynced(beside, bytes);
      await this.files.makeFolder(dirname(path));
      await this.files.rename(beside, path);
    } catch (error) {
      await this.files.remove(beside).catch(() => undefined);
      throw error;
    }
    // The name is durable only when its folder is, and a new folder when its parent is.
    for (const folder of [dirname(path), dirname(dirname(path))]) await this.files.syncFolder(folder);
  }

  /**
   * The bytes from `start` to `end`, compared with the hashes of the chunks that they lie in. Refuses `BLOB_MISMATCH`
   * when the disk no longer holds what was stored.
   */
  async read(blobId: BlobId, record: BlobRecord, start = 0, end = record.sizeBytes): Promise<Uint8Array> {
    const first = Math.floor(start / CHUNK_BYTES);
    const from = first * CHUNK_BYTES;
    const to = Math.min(Math.ceil(end / CHUNK_BYTES) * CHUNK_BYTES, record.sizeBytes);
    const bytes = await this.files.read(this.path(blobId), from, to);
    const hashes = record.chunkHashes.subarray(first * HASH_BYTES, Math.ceil(to / CHUNK_BYTES) * HASH_BYTES);
    if (bytes === null || bytes.length !== to - from || !equalBytes(hashChunks(bytes), hashes))
      throw refuse('BLOB_MISMATCH', { blobId });
    return bytes.subarray(start - from, end - from);
  }

  async remove(blobId: BlobId): Promise<void> {
    await this.files.remove(this.path(blobId));
  }

  /** Every blob of which there is a file, whether or not anybody has a lease of it. */
  async *stored(): AsyncGenerator<BlobId> {
    const blobs = join(this.folder, 'blobs');
    for (const part of await this.files.namesIn(blobs)) {
      for (const name of await this.files.namesIn(join(blobs, part))) {
        const blobId = BLOB_NAME.exec(name)?.[1];
        if (blobId !== undefined) yield blobId as BlobId;
      }
    }
  }

  private path(blobId: BlobId): string {
    return join(this.folder, 'blobs', blobId.slice(0, 2), `${blobId}.blob`);
  }

  private async writeSynced(path: string, bytes: Uint8Array): Promise<void> {
    const file = await this.files.create(path);
    try {
      await file.write(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  }
}

export const recordOf = (bytes: Uint8Array): BlobRecord => ({
  sizeBytes: bytes.length,
  chunkHashes: hashChunks(bytes),
});

function hashChunks(bytes: Uint8Array): Uint8Array {
  const hashes: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES)
    hashes.push(
      createHash('sha256')
        .update(bytes.subarray(offset, offset + CHUNK_BYTES))
        .digest(),
    );
  return concatBytes(...hashes);
}
