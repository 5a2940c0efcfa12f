import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { refuse, type BlobId } from '@usufruct/kernel';
import { z } from 'zod';

export interface BlobRecord {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly objectId: string;
  readonly startEpoch: number;
  readonly endEpoch: number;
  readonly deletable: boolean;
}

const zRecord = z.object({
  sizeBytes: z.number().int().positive(),
  sha256: z.string(),
  objectId: z.string(),
  startEpoch: z.number().int(),
  endEpoch: z.number().int(),
  deletable: z.boolean(),
});

/**
 * Blobs as files. A blob exists when its record exists: the bytes are on the disk under their final name before the
 * record is, each written beside, synced and renamed, so a kill at any byte leaves the blob whole or absent.
 */
export class BlobFiles {
  private readonly busy = new Map<string, Promise<unknown>>();

  private constructor(private readonly folder: string) {}

  static async open(folder: string): Promise<BlobFiles> {
    await mkdir(join(folder, 'blobs'), { recursive: true });
    // Only what a killed process left: nothing there was ever answered for.
    await rm(join(folder, 'incoming'), { recursive: true, force: true });
    await mkdir(join(folder, 'incoming'));
    return new BlobFiles(folder);
  }

  async record(blobId: BlobId): Promise<BlobRecord | null> {
    const text = await readFile(this.path(blobId, '.json'), 'utf8').catch(absentAsNull);
    return text === null ? null : zRecord.parse(JSON.parse(text));
  }

  /** Refuses `BLOB_MISMATCH` when the disk no longer holds what was stored. */
  async read(blobId: BlobId, record: BlobRecord): Promise<Uint8Array> {
    const bytes = await readFile(this.path(blobId, '.blob'));
    if (sha256Of(bytes) !== record.sha256) throw refuse('BLOB_MISMATCH', { blobId });
    return bytes;
  }

  async write(blobId: BlobId, bytes: Uint8Array, lease: Omit<BlobRecord, 'sizeBytes' | 'sha256'>): Promise<BlobRecord> {
    const record = { ...lease, sizeBytes: bytes.length, sha256: sha256Of(bytes) };
    await this.writeDurably(this.path(blobId, '.blob'), bytes);
    await this.writeDurably(this.path(blobId, '.json'), new TextEncoder().encode(JSON.stringify(record)));
    return record;
  }

  /** Work on one blob, one after the other: two uploads of the same bytes must not decide about one lease at once. */
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

  async count(): Promise<number> {
    const names = await readdir(join(this.folder, 'blobs'), { recursive: true });
    return names.filter((name) => name.endsWith('.json')).length;
  }

  private path(blobId: BlobId, ending: string): string {
    return join(this.folder, 'blobs', blobId.slice(0, 2), `${blobId}${ending}`);
  }

  private async writeDurably(path: string, bytes: Uint8Array): Promise<void> {
    const beside = join(this.folder, 'incoming', randomUUID());
    const file = await open(beside, 'wx');
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await mkdir(dirname(path), { recursive: true });
    await rename(beside, path);
    // The rename itself is durable only when the folder is, and a new folder when its parent is.
    for (const folder of [dirname(path), dirname(dirname(path))]) await syncFolder(folder);
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function absentAsNull(error: unknown): null {
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}
