import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { toBase64, type DaoId, type EpochId, type RunnerId, type TimestampMs } from '@usufruct/kernel';
import type { Attempt } from './countersigned-epochs.js';

/** A statement (EpochStatementBcs) with its settler's signature. */
export interface SignedStatement {
  readonly id: EpochId;
  readonly statement: Uint8Array;
  readonly settlerSignature: Uint8Array;
}
/** Two statements of one attempt. The one that is not on chain is the proof against the one that is. */
export interface Equivocation {
  readonly daoId: DaoId;
  readonly number: string;
  readonly attempt: number;
  readonly settler: RunnerId;
  readonly statements: readonly {
    readonly epochId: EpochId;
    /** Base64; as it is submitted. */
    readonly proof: { readonly statement: string; readonly settlerSignature: string };
  }[];
}
const LISTED_AT_MOST = 100;
type Row = Readonly<Record<string, SQLOutputValue>>;

/** Second statements that a settler signed for an attempt: for whoever wants to end its registration. One an attempt. */
export class Equivocations {
  constructor(private readonly database: DatabaseSync) {}

  /** `firstId` is kept among the countersigned epochs. True when this one is new. */
  insert(
    of: Attempt,
    firstId: EpochId,
    { id, statement, settlerSignature }: SignedStatement,
    atMs: TimestampMs,
  ): boolean {
    const { changes } = this.database
      .prepare('INSERT OR IGNORE INTO equivocations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(of.daoId, String(of.number), of.attempt, of.settler, firstId, id, statement, settlerSignature, atMs);
    return Number(changes) === 1;
  }

  /** The latest first. All of it is for the chain, which shows it to everybody. */
  list(): Equivocation[] {
    return this.database
      .prepare(
        `SELECT e.*, c.statement AS first_statement, c.settler_signature AS first_signature
         FROM equivocations e JOIN countersigned_epochs c ON c.epoch_id = e.first_id
         ORDER BY e.seen_at_ms DESC LIMIT ?`,
      )
      .all(LISTED_AT_MOST)
      .map(equivocationOf);
  }
}

/** Columns as the schema has them; ids were branded before they were written. */
function equivocationOf(row: Row): Equivocation {
  return {
    daoId: row['dao_id'] as DaoId,
    number: row['number'] as string,
    attempt: row['attempt'] as number,
    settler: row['settler'] as RunnerId,
    statements: [
      provenBy(row, 'first_id', 'first_statement', 'first_signature'),
      provenBy(row, 'second_id', 'statement', 'settler_signature'),
    ],
  };
}

const provenBy = (row: Row, id: string, statement: string, signature: string) => ({
  epochId: row[id] as EpochId,
  proof: {
    statement: toBase64(row[statement] as Uint8Array),
    settlerSignature: toBase64(row[signature] as Uint8Array),
  },
});
