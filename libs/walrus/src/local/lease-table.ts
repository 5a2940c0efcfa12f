import { DatabaseSync } from 'node:sqlite';
import type { Address, BlobId, Hex32 } from '@usufruct/kernel';
import { inTransaction } from '@usufruct/service';
import type { BlobRecord } from './blob-files.js';

/** Stands for the `Blob` object on Sui: whoever owns it has a lease of the blob. There may be several of one blob. */
export interface Lease {
  readonly objectId: Hex32;
  readonly blobId: BlobId;
  readonly owner: Address;
  readonly sizeBytes: number;
  readonly deletable: boolean;
  readonly registeredEpoch: number;
  /** `null` until the store has vouched for the bytes. */
  readonly certifiedEpoch: number | null;
  /** The first epoch that is not paid for. */
  readonly endEpoch: number;
}

/** Left out: of everybody, of every blob, from the first. */
export interface LeaseQuery {
  readonly owner?: Address | undefined;
  readonly blobId?: BlobId | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

const SCHEMA = `
  create table if not exists blobs (
    blob_id text primary key, size_bytes integer not null, chunk_hashes blob not null
  ) strict, without rowid;
  create table if not exists leases (
    object_id text primary key, blob_id text not null, owner text not null, size_bytes integer not null,
    deletable integer not null, registered_epoch integer not null, certified_epoch integer, end_epoch integer not null
  ) strict, without rowid;
  create index if not exists leases_by_blob on leases (blob_id);
  create index if not exists leases_by_owner on leases (owner);
  create index if not exists leases_by_end on leases (end_epoch);
  create table if not exists settings (name text primary key, value text not null) strict, without rowid;
`;
type Row = Record<string, string | number | bigint | Uint8Array | null>;

/** Which blobs are stored and who has leases of them. Every change is durable when the call returns. */
export class LeaseTable {
  private readonly database: DatabaseSync;

  constructor(path: string) {
    this.database = new DatabaseSync(path);
    this.database.exec(`pragma journal_mode = wal; pragma synchronous = full; ${SCHEMA}`);
  }

  close(): void {
    this.database.close();
  }

  setting(name: string): string | null {
    const row = this.database.prepare('select value from settings where name = ?').get(name);
    return row === undefined ? null : String(row.value);
  }

  set(settings: Readonly<Record<string, string>>): void {
    inTransaction(this.database, () => {
      const put = this.database.prepare('insert or replace into settings values (?, ?)');
      for (const [name, value] of Object.entries(settings)) put.run(name, value);
    });
  }

  blob(blobId: BlobId): BlobRecord | null {
    const row = this.database.prepare('select size_bytes, chunk_hashes from blobs where blob_id = ?').get(blobId);
    if (row === undefined) return null;
    return { sizeBytes: Number(row.size_bytes), chunkHashes: row.chunk_hashes as Uint8Array };
  }

  addBlob(blobId: BlobId, { sizeBytes, chunkHashes }: BlobRecord, lease?: Lease): void {
    inTransaction(this.database, () => {
      this.database.prepare('insert or replace into blobs values (?, ?, ?)').run(blobId, sizeBytes, chunkHashes);
      if (lease !== undefined) this.put(lease);
    });
  }

  removeBlob(blobId: BlobId): void {
    inTransaction(this.database, () => {
      this.database.prepare('delete from leases where blob_id = ?').run(blobId);
      this.database.prepare('delete from blobs where blob_id = ?').run(blobId);
    });
  }

  lease(objectId: Hex32): Lease | null {
    const row = this.database.prepare('select * from leases where object_id = ?').get(objectId);
    return row === undefined ? null : toLease(row);
  }

  /** Of one blob, the longest first. */
  leasesOf(blobId: BlobId): Lease[] {
    const rows = this.database.prepare('select * from leases where blob_id = ? order by end_epoch desc').all(blobId);
    return rows.map(toLease);
  }

  /** By object id, from the one after `after`. */
  page({ owner, blobId, after = '', limit }: LeaseQuery): Lease[] {
    const rows = this.database
      .prepare(
        `select * from leases where (?1 is null or owner = ?1) and (?2 is null or blob_id = ?2) and object_id > ?3
         order by object_id limit ?4`,
      )
      .all(owner ?? null, blobId ?? null, after, limit);
    return rows.map(toLease);
  }

  putLease(lease: Lease): void {
    inTransaction(this.database, () => this.put(lease));
  }

  removeLease(objectId: Hex32): void {
    this.database.prepare('delete from leases where object_id = ?').run(objectId);
  }

  removeEnded(blobId: BlobId, epoch: number): void {
    this.database.prepare('delete from leases where blob_id = ? and end_epoch <= ?').run(blobId, epoch);
  }

  /** Blobs of which a lease has ended, or of which there is none. */
  sweepable(epoch: number): BlobId[] {
    const rows = this.database
      .prepare(
        `select blob_id from leases where end_epoch <= ?
         union select blob_id from blobs where blob_id not in (select blob_id from leases)`,
      )
      .all(epoch);
    return rows.map((row) => String(row.blob_id) as BlobId);
  }

  usage(): { readonly blobs: number; readonly bytes: number; readonly leases: number } {
    const blobs = this.database.prepare('select count(*) as n, coalesce(sum(size_bytes), 0) as b from blobs').get();
    const leases = this.database.prepare('select count(*) as n from leases').get();
    return { blobs: Number(blobs?.n), bytes: Number(blobs?.b), leases: Number(leases?.n) };
  }

  private put(lease: Lease): void {
    const { objectId, blobId, owner, sizeBytes, deletable, registeredEpoch, certifiedEpoch, endEpoch } = lease;
    this.database
      .prepare('insert or replace into leases values (?, ?, ?, ?, ?, ?, ?, ?)')
      .run(objectId, blobId, owner, sizeBytes, Number(deletable), registeredEpoch, certifiedEpoch, endEpoch);
  }
}

const toLease = (row: Row): Lease => ({
  objectId: String(row.object_id) as Hex32,
  blobId: String(row.blob_id) as BlobId,
  owner: String(row.owner) as Address,
  sizeBytes: Number(row.size_bytes),
  deletable: row.deletable === 1,
  registeredEpoch: Number(row.registered_epoch),
  certifiedEpoch: row.certified_epoch === null ? null : Number(row.certified_epoch),
  endEpoch: Number(row.end_epoch),
});
