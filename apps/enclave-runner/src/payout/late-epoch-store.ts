import type { DatabaseSync } from 'node:sqlite';
import { asTimestampMs, type DaoId, type Digest, type EpochId, type TimestampMs } from '@usufruct/kernel';
import { inTransaction } from '@usufruct/service';
import type { SealedSeed, SignedEpoch } from './countersign.js';

/** A proposed epoch that some holders have not been given. What is secret of it is sealed, to each of them. */
export interface LateEpoch extends SignedEpoch {
  readonly id: EpochId;
  readonly daoId: DaoId;
  readonly storedAtMs: TimestampMs;
  readonly seeds: readonly SealedSeed[];
}
/** As kept: how often the holder has refused it, and when it is asked again. */
export interface DueSeed extends SealedSeed {
  readonly tries: number;
  readonly nextAtMs: TimestampMs;
}
export interface KeptLateEpoch extends LateEpoch {
  readonly seeds: readonly DueSeed[];
}

export const LATE_EPOCH_SCHEMA = `
  create table if not exists late_epochs (
    epoch_id text primary key, dao_id text not null, statement blob not null, settler_signature blob not null,
    chain_before text not null, receipt_digests text not null, stored_at_ms integer not null
  ) strict, without rowid;
  create table if not exists late_seeds (
    epoch_id text not null references late_epochs on delete cascade, holder_key text not null,
    sealed_seed blob not null, tries integer not null default 0, next_at_ms integer not null default 0,
    primary key (epoch_id, holder_key)
  ) strict, without rowid;
`;
type Row = Record<string, string | number | bigint | Uint8Array | null>;

/** Epochs that wait for holders that were away. At most so many, the oldest go first. */
export class LateEpochStore {
  constructor(
    private readonly database: DatabaseSync,
    private readonly most = 256,
  ) {}

  /** Durable when it returns. What is there already stays as it is. */
  add(epoch: LateEpoch): void {
    const { id, daoId, statement, settlerSignature, chainBefore, receiptDigests, storedAtMs, seeds } = epoch;
    inTransaction(this.database, () => {
      this.database
        .prepare('insert or ignore into late_epochs values (?, ?, ?, ?, ?, ?, ?)')
        .run(id, daoId, statement, settlerSignature, chainBefore, receiptDigests.join(), storedAtMs);
      const insert = this.database.prepare(
        'insert or ignore into late_seeds (epoch_id, holder_key, sealed_seed) values (?, ?, ?)',
      );
      for (const { holderKey, sealedSeed } of seeds) insert.run(id, holderKey, sealedSeed);
      this.database
        .prepare(
          `delete from late_epochs where epoch_id in (
             select epoch_id from late_epochs order by stored_at_ms desc, epoch_id limit -1 offset ?
           )`,
        )
        .run(this.most);
    });
  }

  /** Oldest first. */
  of(daoId: DaoId): KeptLateEpoch[] {
    const rows = this.database
      .prepare('select * from late_epochs where dao_id = ? order by stored_at_ms, epoch_id')
      .all(daoId) as Row[];
    const seeds = this.database.prepare('select * from late_seeds where epoch_id = ? order by holder_key');
    return rows.map((row) => epochOf(row, seeds.all(row['epoch_id'] as string) as Row[]));
  }

  postpone(id: EpochId, holderKey: string, nextAtMs: TimestampMs): void {
    this.database
      .prepare('update late_seeds set tries = tries + 1, next_at_ms = ? where epoch_id = ? and holder_key = ?')
      .run(nextAtMs, id, holderKey);
  }

  /** The holder has it, or can have no use for it; with the last one the epoch is forgotten. */
  dropSeed(id: EpochId, holderKey: string): void {
    inTransaction(this.database, () => {
      this.database.prepare('delete from late_seeds where epoch_id = ? and holder_key = ?').run(id, holderKey);
      this.database
        .prepare('delete from late_epochs where epoch_id = ? and epoch_id not in (select epoch_id from late_seeds)')
        .run(id);
    });
  }

  drop(id: EpochId): void {
    this.database.prepare('delete from late_epochs where epoch_id = ?').run(id);
  }
}

const epochOf = (row: Row, seeds: readonly Row[]): KeptLateEpoch => ({
  id: row['epoch_id'] as EpochId,
  daoId: row['dao_id'] as DaoId,
  statement: row['statement'] as Uint8Array,
  settlerSignature: row['settler_signature'] as Uint8Array,
  chainBefore: row['chain_before'] as Digest,
  receiptDigests: (row['receipt_digests'] as string).split(',') as Digest[],
  storedAtMs: asTimestampMs(Number(row['stored_at_ms'])),
  seeds: seeds.map((seed) => ({
    holderKey: seed['holder_key'] as string,
    sealedSeed: seed['sealed_seed'] as Uint8Array,
    tries: Number(seed['tries']),
    nextAtMs: asTimestampMs(Number(seed['next_at_ms'])),
  })),
});
