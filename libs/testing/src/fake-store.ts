import { createHash } from 'node:crypto';
import { asBlobId, refuse, type BlobId } from '@usufruct/kernel';
import type { BlobStore } from '@usufruct/walrus';

/** A store in memory. Ids are hashes of the content, as Walrus's are, but not Walrus's. */
export class FakeStore implements BlobStore {
  isDown = false;
  /** What was put, in order, repetitions included. */
  readonly puts: BlobId[] = [];
  private readonly blobs = new Map<BlobId, Uint8Array>();

  put: BlobStore['put'] = async (bytes) => {
    this.requireUp();
    const blobId = asBlobId(createHash('sha256').update('fake-store').update(bytes).digest('base64url'));
    this.puts.push(blobId);
    this.blobs.set(blobId, Uint8Array.from(bytes));
    return { blobId, sizeBytes: bytes.length, endEpoch: 50 };
  };
  get: BlobStore['get'] = async (blobId) => {
    this.requireUp();
    const bytes = this.blobs.get(blobId);
    if (bytes === undefined) throw refuse('BLOB_UNAVAILABLE', { blobId });
    return Uint8Array.from(bytes);
  };
  status: BlobStore['status'] = async (blobId) => ({
    available: this.blobs.has(blobId),
    sizeBytes: this.blobs.get(blobId)?.length ?? null,
  });

  /** Flip a bit of what is stored. */
  tamper(blobId: BlobId): void {
    const bytes = this.blobs.get(blobId);
    if (bytes !== undefined) bytes[0] = bytes[0]! ^ 1;
  }
  private requireUp(): void {
    if (this.isDown) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'store' });
  }
}
