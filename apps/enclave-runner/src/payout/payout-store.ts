import type { PreparedTransaction } from '@usufruct/chain';
import {
  asAmount,
  asTimestampMs,
  type Address,
  type AmountUnits,
  type DaoId,
  type Digest,
  type TimestampMs,
} from '@usufruct/kernel';
import type { ChainEvent } from '@usufruct/protocol';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '@usufruct/service';
import { LATE_EPOCH_SCHEMA, LateEpochStore } from './late-epoch-store.js';

/** A run of private receipts, by their numbers in the DAO. */
export interface ReceiptRun {
  /** The chain of hashes before the first. */
  readonly chainBefore: Digest;
  readonly digests: readonly Digest[];
  /** The chain of hashes up to each. */
  readonly chains: readonly Digest[];
  readonly pooledUnits: readonly AmountUnits[];
  /** When the chain numbered each. */
  readonly settledAtMs: readonly TimestampMs[];
}
/** A proposal whose outcome is not known yet. All of it is public. */
export interface SentProposal {
  readonly transaction: PreparedTransaction;
  readonly preparedAtMs: TimestampMs;
}

const SCHEMA = `
  create table if not exists followed (chain_id text primary key, seq integer not null) strict, without rowid;
  create table if not exists private_receipts (
    dao_id text not null, number integer not null, digest text not null, receipt_chain text not null,
    pooled_units text not null, sender text not null, settled_at_ms integer not null,
    primary key (dao_id, number)
  ) strict, without rowid;
  create table if not exists proposals (
    dao_id text primary key, digest text not null, bytes blob not null, signature text not null,
    prepared_at_ms integer not null
  ) strict, without rowid;
`;
type Row = Record<string, string | number | bigint | Uint8Array | null>;

/**
 * What the settler keeps: which receipts the chain has numbered, proposals that were sent, and what holders that were
 * away are still to be brought, sealed to them. Uses and salts are never written here in clear, and what a settler signs needs no memory beyond its process: its key ends with it.
 */
export class PayoutStore {
  readonly #db: DatabaseSync;
  readonly late: LateEpochStore;

  /** `file` may be `:memory:`. */
  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000;');
    this.#db.exec(SCHEMA + LATE_EPOCH_SCHEMA);
    this.late = new LateEpochStore(this.#db);
  }

  static openIn(directory: string): PayoutStore {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return new PayoutStore(join(directory, 'payout.sqlite'));
  }

  /** The last event of this chain that was taken in; 0 for none. */
  followedTo(chainId: string): number {
    const row = this.#db.prepare('select seq from followed where chain_id = ?').get(chainId);
    return (row?.['seq'] as number | undefined) ?? 0;
  }

  /** Take in events that follow each other, with the place in the stream, all or nothing. */
  take(chainId: string, events: readonly ChainEvent[]): void {
    const last = events.at(-1);
    if (last === undefined) return;
    inTransaction(this.#db, () => {
      const insert = this.#db.prepare('insert into private_receipts values (?, ?, ?, ?, ?, ?, ?)');
      for (const { data, sender, atMs } of events) {
        if (data.type !== 'ReceiptSettledPrivately') continue;
        const { daoId, receiptNumber, receiptDigest, receiptChain, pooledUnits } = data;
        insert.run(daoId, receiptNumber, receiptDigest, receiptChain, String(pooledUnits), sender, atMs);
      }
      this.#db
        .prepare('insert into followed values (?, ?) on conflict (chain_id) do update set seq = excluded.seq')
        .run(chainId, last.seq);
    });
  }

  /** DAOs for which this wallet has settled a private receipt. */
  daosOf(wallet: Address): DaoId[] {
    const rows = this.#db.prepare('select distinct dao_id from private_receipts where sender = ?').all(wallet);
    return rows.map((row) => row['dao_id'] as DaoId);
  }

  /** At most `limit` receipts from number `from` on, without gaps; `before` is the chain where there is none before. */
  run(daoId: DaoId, from: bigint, limit: number, before: Digest): ReceiptRun {
    const query = 'select * from private_receipts where dao_id = ? and number >= ? order by number limit ?';
    const rows = this.#db.prepare(query).all(daoId, from, limit) as Row[];
    const gap = rows.findIndex((row, i) => BigInt(row['number'] as number) !== from + BigInt(i));
    const run = gap === -1 ? rows : rows.slice(0, gap);
    const previous = this.#db
      .prepare('select receipt_chain as chain from private_receipts where dao_id = ? and number = ?')
      .get(daoId, from - 1n) as { chain: Digest } | undefined;
    return {
      chainBefore: previous?.chain ?? before,
      digests: run.map((row) => row['digest'] as Digest),
      chains: run.map((row) => row['receipt_chain'] as Digest),
      pooledUnits: run.map((row) => asAmount(BigInt(row['pooled_units'] as string))),
      settledAtMs: run.map((row) => asTimestampMs(Number(row['settled_at_ms']))),
    };
  }

  proposal(daoId: DaoId): SentProposal | null {
    const row = this.#db.prepare('select * from proposals where dao_id = ?').get(daoId) as Row | undefined;
    if (row === undefined) return null;
    return {
      transaction: {
        digest: row['digest'] as Digest,
        bytes: row['bytes'] as Uint8Array,
        signature: row['signature'] as string,
      },
      preparedAtMs: asTimestampMs(Number(row['prepared_at_ms'])),
    };
  }

  /** Durable before it is sent. */
  putProposal(daoId: DaoId, { transaction, preparedAtMs }: SentProposal): void {
    const { digest, bytes, signature } = transaction;
    this.#db
      .prepare('insert or replace into proposals values (?, ?, ?, ?, ?)')
      .run(daoId, digest, bytes, signature, preparedAtMs);
  }

  dropProposal(daoId: DaoId): void {
    this.#db.prepare('delete from proposals where dao_id = ?').run(daoId);
  }

  close(): void {
    this.#db.close();
  }
}
