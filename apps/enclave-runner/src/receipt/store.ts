import {
  asTimestampMs,
  type Digest,
  type Hex32,
  type JobId,
  type QuestionId,
  type TimestampMs,
  type WireError,
} from '@usufruct/kernel';
import type { PreparedTransaction } from '@usufruct/chain';
import { LIMITS, UsesBcs, type Use } from '@usufruct/protocol';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { inTransaction, reserveLog } from '@usufruct/service';
import { SHOWN_SCHEMA, ShownStore } from '../compute/extraction/shown-store.js';
import { WALK_NOTICE_SCHEMA, WalkNotices } from '../compute/extraction/walk-notices.js';

/** An opening on its way to one holder, sealed to it: the runner's disk tells nobody who was used. */
export interface Delivery {
  /** Ed25519, base64: the holder's key on the chain. */
  readonly holderKey: string;
  readonly sealedOpening: Uint8Array;
  /** What the holder signed when it had it (tag `openingAck`), verified; null until then. */
  readonly acknowledgement: Uint8Array | null;
}
export type Settlement =
  /** The uses are public: the chain is told them. */
  | { readonly kind: 'direct'; readonly usesSalt: Hex32; readonly uses: readonly Use[] }
  /** The uses go to the key holders first; enough must have acknowledged them before any money moves. */
  | {
      readonly kind: 'private';
      /** As of when their acknowledgements were last put together (`HoldersNow.state`); null before. */
      readonly holders: string | null;
      readonly deliveries: readonly Delivery[];
    };

/** What is kept of an answered question. No plaintext and no key: the answer is sealed to the asker. */
export interface AnswerRecord {
  readonly jobId: JobId;
  readonly questionId: QuestionId;
  readonly sealedQuestionSha256: Digest;
  /** Ed25519 public key that signed the receipt: another one after a restart. */
  readonly signerPublicKey: Uint8Array;
  readonly sealedAnswer: Uint8Array;
  readonly receipt: Uint8Array;
  readonly signature: Uint8Array;
  readonly issuedAtMs: TimestampMs;
  readonly state: 'settling' | 'settled' | 'failed';
  readonly error: WireError | null;
  /** How the receipt is settled; null for one that a version which did not keep this has stored. */
  readonly settlement: Settlement | null;
  /** The transaction that settles it, signed and stored before it is sent; null until enough holders have acknowledged. */
  readonly transaction: PreparedTransaction | null;
  readonly preparedAtMs: TimestampMs;
}
export type NewAnswer = Omit<AnswerRecord, 'state' | 'error' | 'settlement'> & { readonly settlement: Settlement };

/** Answers stay for a client that comes back for them. */
const KEEP_SETTLED_MS = 7 * 24 * 60 * 60_000;

const SCHEMA = `
  create table if not exists answers (
    job_id text not null, question_id text not null, sealed_question_sha256 text not null,
    signer_public_key blob not null, sealed_answer blob not null, receipt blob not null, signature blob not null,
    issued_at_ms integer not null, state text not null check (state in ('settling', 'settled', 'failed')), error text,
    transaction_digest text not null, transaction_bytes blob not null, transaction_signature text not null,
    prepared_at_ms integer not null,
    primary key (job_id, question_id)
  ) strict, without rowid;
  create index if not exists answers_of_jobs on answers (job_id, state);
  create table if not exists settlements (
    job_id text not null, question_id text not null, kind text not null check (kind in ('direct', 'private')),
    uses_salt text, uses blob, acks_needed integer, holders text,
    primary key (job_id, question_id),
    foreign key (job_id, question_id) references answers on delete cascade
  ) strict, without rowid;
  create table if not exists deliveries (
    job_id text not null, question_id text not null, holder_key text not null, sealed_opening blob not null,
    is_acked integer not null default 0, acknowledgement blob,
    primary key (job_id, question_id, holder_key),
    foreign key (job_id, question_id) references answers on delete cascade
  ) strict, without rowid;
  create table if not exists cancelled_jobs (job_id text primary key, at_ms integer not null) strict, without rowid;
  create index if not exists answers_settling on answers (issued_at_ms) where state = 'settling';
`;
const INDEX = `
  drop index if exists deliveries_left;
  drop index if exists unsettled_answers;
  create index if not exists deliveries_open on deliveries (job_id, question_id) where acknowledgement is null;
`;
/** Columns that a file of an earlier version has not: what it holds is brought to its holders again, for their word. */
const ADDED = [
  ['settlements', 'holders', 'text'],
  ['deliveries', 'acknowledgement', 'blob'],
] as const;

type Row = Record<string, string | number | bigint | Uint8Array | null>;

/** The runner's durable store: sealed answers, receipts and the transactions that settle them (its outbox). */
export class RunnerStore {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly shown: ShownStore;
  readonly walks: WalkNotices;

  /** `file` may be `:memory:`. */
  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec('pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000;');
    this.#db.exec(SCHEMA);
    for (const [table, column, type] of ADDED) {
      const columns = this.#db.prepare(`pragma table_info(${table})`).all();
      if (columns.every(({ name }) => name !== column)) {
        this.#db.exec(`alter table ${table} add column ${column} ${type}`);
      }
    }
    this.#db.exec(INDEX);
    this.#db.exec(SHOWN_SCHEMA);
    reserveLog(this.#db);
    this.shown = new ShownStore(this.#db);
    this.#db.exec(WALK_NOTICE_SCHEMA);
    this.walks = new WalkNotices(this.#db);
  }

  static openIn(directory: string): RunnerStore {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return new RunnerStore(join(directory, 'runner.sqlite'));
  }

  /** Nothing more is computed for it; durable when this returns. What its term has ended long ago is forgotten. */
  cancelJob(jobId: JobId, atMs: TimestampMs): void {
    this.#prepared('delete from cancelled_jobs where at_ms < ?').run(atMs - 2 * LIMITS.jobTermMs);
    this.#prepared('insert or ignore into cancelled_jobs values (?, ?)').run(jobId, atMs);
  }

  isCancelled(jobId: JobId): boolean {
    return this.#prepared('select 1 from cancelled_jobs where job_id = ?').get(jobId) !== undefined;
  }

  find(jobId: JobId, questionId: QuestionId): AnswerRecord | null {
    const row = this.#prepared('select * from answers where job_id = ? and question_id = ?').get(jobId, questionId);
    return row === undefined ? null : this.#recordOf(row as Row);
  }

  /** Store an answer with all that it takes to settle it, or give back the one that is there already. */
  add(answer: NewAnswer): AnswerRecord {
    const isNew = inTransaction(this.#db, () => {
      const isInserted = this.#insertAnswer(answer);
      if (isInserted) this.#insertSettlement(answer);
      return isInserted;
    });
    return isNew ? { ...answer, state: 'settling', error: null } : this.find(answer.jobId, answer.questionId)!;
  }

  #insertAnswer(answer: NewAnswer): boolean {
    const { changes } = this.#prepared(
      `insert into answers values (?, ?, ?, ?, ?, ?, ?, ?, 'settling', null, ?, ?, ?, ?)
         on conflict (job_id, question_id) do nothing`,
    ).run(
      answer.jobId,
      answer.questionId,
      answer.sealedQuestionSha256,
      answer.signerPublicKey,
      answer.sealedAnswer,
      answer.receipt,
      answer.signature,
      answer.issuedAtMs,
      ...transactionColumns(answer.transaction, answer.preparedAtMs),
    );
    return Number(changes) === 1;
  }

  #insertSettlement({ jobId, questionId, settlement }: NewAnswer): void {
    const row =
      settlement.kind === 'direct'
        ? ([settlement.usesSalt, UsesBcs.serialize([...settlement.uses]).toBytes(), null] as const)
        : ([null, null, settlement.holders] as const);
    this.#prepared(
      'insert into settlements (job_id, question_id, kind, uses_salt, uses, holders) values (?, ?, ?, ?, ?, ?)',
    ).run(jobId, questionId, settlement.kind, ...row);
    if (settlement.kind === 'private') this.addDeliveries({ jobId, questionId }, settlement.deliveries);
  }

  /** To holders that have none of this answer yet. */
  addDeliveries(
    { jobId, questionId }: Pick<AnswerRecord, 'jobId' | 'questionId'>,
    deliveries: readonly Delivery[],
  ): void {
    const insert = this.#prepared(
      `insert into deliveries (job_id, question_id, holder_key, sealed_opening, acknowledgement) values (?, ?, ?, ?, ?)
       on conflict (job_id, question_id, holder_key) do nothing`,
    );
    for (const { holderKey, sealedOpening, acknowledgement } of deliveries) {
      insert.run(jobId, questionId, holderKey, sealedOpening, acknowledgement);
    }
  }

  /** A holder has the opening, and has signed that it has. */
  markDelivered(
    { jobId, questionId }: Pick<AnswerRecord, 'jobId' | 'questionId'>,
    holderKey: string,
    acknowledgement: Uint8Array,
  ): void {
    this.#prepared(
      'update deliveries set acknowledgement = ? where job_id = ? and question_id = ? and holder_key = ?',
    ).run(acknowledgement, jobId, questionId, holderKey);
  }

  /** None is signed any more: the next one is to have other acknowledgements, of these holders where they are known. */
  dropTransaction(
    { jobId, questionId }: Pick<AnswerRecord, 'jobId' | 'questionId'>,
    holders: string | null = null,
  ): void {
    inTransaction(this.#db, () => {
      this.#prepared('update settlements set holders = coalesce(?, holders) where job_id = ? and question_id = ?').run(
        holders,
        jobId,
        questionId,
      );
      this.#prepared(
        `update answers set transaction_digest = '' where job_id = ? and question_id = ? and state = 'settling'`,
      ).run(jobId, questionId);
    });
  }

  /**
   * The transaction that settles the receipt, or another one: after the first can no longer happen, or when the holders
   * are others. `holders` says of which the acknowledgements in it are, where it has any.
   */
  replaceTransaction(
    record: AnswerRecord,
    transaction: PreparedTransaction,
    preparedAtMs: TimestampMs,
    holders: string | null = null,
  ): AnswerRecord {
    const { jobId, questionId } = record;
    // Together: acknowledgements that are taken for those of other holders than they are of would fail a good receipt.
    inTransaction(this.#db, () => {
      this.#prepared('update settlements set holders = ? where job_id = ? and question_id = ?').run(
        holders,
        jobId,
        questionId,
      );
      this.#prepared(
        `update answers set transaction_digest = ?, transaction_bytes = ?, transaction_signature = ?,
             prepared_at_ms = ?
           where job_id = ? and question_id = ? and state = 'settling'`,
      ).run(...transactionColumns(transaction, preparedAtMs), jobId, questionId);
    });
    return this.find(jobId, questionId)!;
  }

  /**
   * Not flushed to the disk by itself: should the note be lost, the transaction is looked up on the chain again. What is
   * flushed next takes it along. False where it was not being settled.
   */
  markSettled({ jobId, questionId }: Pick<AnswerRecord, 'jobId' | 'questionId'>): boolean {
    this.#db.exec('PRAGMA synchronous=NORMAL');
    try {
      const { changes } = this.#prepared(
        `update answers set state = 'settled' where job_id = ? and question_id = ? and state = 'settling'`,
      ).run(jobId, questionId);
      return Number(changes) === 1;
    } finally {
      this.#db.exec('PRAGMA synchronous=FULL');
    }
  }

  markFailed({ jobId, questionId }: Pick<AnswerRecord, 'jobId' | 'questionId'>, error: WireError): void {
    this.#prepared(
      `update answers set state = 'failed', error = ? where job_id = ? and question_id = ? and state = 'settling'`,
    ).run(JSON.stringify(error), jobId, questionId);
  }

  /** It failed, and the chain has settled it all the same: it is to be gone on with. */
  reopen({ jobId, questionId }: Pick<AnswerRecord, 'jobId' | 'questionId'>): AnswerRecord {
    this.#prepared(
      `update answers set state = 'settling', error = null
         where job_id = ? and question_id = ? and state = 'failed'`,
    ).run(jobId, questionId);
    return this.find(jobId, questionId)!;
  }

  /** Oldest first. */
  unsettled(): AnswerRecord[] {
    const rows = this.#prepared(`select * from answers where state = 'settling' order by issued_at_ms`).all();
    return rows.map((row) => this.#recordOf(row as Row));
  }

  /**
   * Settled or failed, with holders that have not got the opening: at most so many, chosen by chance, so that those for
   * a holder that never comes back do not keep the others waiting.
   */
  undelivered(most: number): AnswerRecord[] {
    const rows = this.#prepared(
      `select * from answers where state <> 'settling' and (job_id, question_id) in (
           select distinct job_id, question_id from deliveries where acknowledgement is null order by random() limit ?
         )`,
    ).all(most);
    return rows.map((row) => this.#recordOf(row as Row));
  }

  /** Answers that are paid, or will be. */
  answeredCount(jobId: JobId): number {
    const row = this.#prepared(
      `select count(*) as n from answers where job_id = ? and state in ('settling', 'settled')`,
    ).get(jobId);
    return Number((row as Row)['n']);
  }

  deleteOld(nowMs: TimestampMs): void {
    this.#prepared(`delete from answers where state <> 'settling' and issued_at_ms < ?`).run(nowMs - KEEP_SETTLED_MS);
  }

  #recordOf(row: Row): AnswerRecord {
    return { ...answerOf(row), settlement: this.#settlementOf(row) };
  }

  #settlementOf(answer: Row): Settlement | null {
    const key = [answer['job_id'] as string, answer['question_id'] as string] as const;
    const row = this.#prepared('select * from settlements where job_id = ? and question_id = ?').get(...key);
    if (row === undefined) return null;
    if (row['kind'] === 'direct') {
      const uses = UsesBcs.parse(row['uses'] as Uint8Array);
      return { kind: 'direct', usesSalt: row['uses_salt'] as Hex32, uses };
    }
    const rows = this.#prepared(
      'select * from deliveries where job_id = ? and question_id = ? order by holder_key',
    ).all(...key);
    return { kind: 'private', holders: row['holders'] as string | null, deliveries: rows.map(deliveryOf) };
  }

  close(): void {
    this.#db.close();
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

/** One that is not signed yet has no digest. */
const transactionColumns = (transaction: PreparedTransaction | null, preparedAtMs: TimestampMs) =>
  transaction === null
    ? (['', new Uint8Array(), '', preparedAtMs] as const)
    : ([transaction.digest, transaction.bytes, transaction.signature, preparedAtMs] as const);

const deliveryOf = (row: Row): Delivery => ({
  holderKey: row['holder_key'] as string,
  sealedOpening: row['sealed_opening'] as Uint8Array,
  acknowledgement: row['acknowledgement'] as Uint8Array | null,
});

function answerOf(row: Row): Omit<AnswerRecord, 'settlement'> {
  return {
    jobId: row['job_id'] as JobId,
    questionId: row['question_id'] as QuestionId,
    sealedQuestionSha256: row['sealed_question_sha256'] as Digest,
    signerPublicKey: row['signer_public_key'] as Uint8Array,
    sealedAnswer: row['sealed_answer'] as Uint8Array,
    receipt: row['receipt'] as Uint8Array,
    signature: row['signature'] as Uint8Array,
    issuedAtMs: asTimestampMs(Number(row['issued_at_ms'])),
    state: row['state'] as AnswerRecord['state'],
    error: row['error'] === null ? null : (JSON.parse(row['error'] as string) as WireError),
    transaction: transactionOf(row),
    preparedAtMs: asTimestampMs(Number(row['prepared_at_ms'])),
  };
}

const transactionOf = (row: Row): PreparedTransaction | null =>
  row['transaction_digest'] === ''
    ? null
    : {
        digest: row['transaction_digest'] as Digest,
        bytes: row['transaction_bytes'] as Uint8Array,
        signature: row['transaction_signature'] as string,
      };
