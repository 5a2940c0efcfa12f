import type { DatabaseSync } from 'node:sqlite';
import { inTransaction } from '@usufruct/service';
import type { Span } from '../rag/index.js';

/** Whom, of which dataset: hashes under the runner's key, like all that is kept here. */
export interface Asker {
  readonly asker: Uint8Array;
  readonly dataset: Uint8Array;
}
export interface ShownRow {
  readonly passage: Uint8Array;
  readonly contribution: Uint8Array;
  readonly spans: readonly Span[];
}

export const SHOWN_SCHEMA = `
  create table if not exists shown_passages (
    asker blob not null, dataset blob not null, passage blob not null, contribution blob not null,
    primary key (asker, dataset, passage, contribution)
  ) strict, without rowid;
  create index if not exists shown_passages_of on shown_passages (contribution);
  create table if not exists shown_spans (
    asker blob not null, contribution blob not null, spans text not null,
    primary key (asker, contribution)
  ) strict, without rowid;
  create index if not exists shown_spans_of on shown_spans (contribution);
`;

/**
 * What each asker has been shown, where a dataset's rules need to know: hashes of passages, and positions in documents.
 * No text and no name. Whoever has the runner's wallet key can test a guess; whoever has its disk can delete or roll back
 * what is here, and the count begins anew.
 */
export class ShownStore {
  constructor(private readonly database: DatabaseSync) {}

  /** As it is where no dataset has rules. */
  get isEmpty(): boolean {
    const found = this.database.prepare('select 1 from shown_passages union all select 1 from shown_spans limit 1');
    return found.get() === undefined;
  }

  passages({ asker, dataset }: Asker): number {
    const row = this.database
      .prepare('select count(distinct passage) as n from shown_passages where asker = ? and dataset = ?')
      .get(asker, dataset);
    return Number(row?.['n'] ?? 0);
  }

  hasPassage({ asker, dataset }: Asker, passage: Uint8Array): boolean {
    const row = this.database
      .prepare('select 1 from shown_passages where asker = ? and dataset = ? and passage = ?')
      .get(asker, dataset, passage);
    return row !== undefined;
  }

  spansOf(asker: Uint8Array, contribution: Uint8Array): Span[] {
    const row = this.database
      .prepare('select spans from shown_spans where asker = ? and contribution = ?')
      .get(asker, contribution);
    return row === undefined ? [] : decodeSpans(String(row['spans']));
  }

  /** Durable when it returns. `spans` are all that were ever shown of the contribution, not only the new ones. */
  add({ asker, dataset }: Asker, rows: readonly ShownRow[]): void {
    inTransaction(this.database, () => {
      const passage = this.database.prepare('insert or ignore into shown_passages values (?, ?, ?, ?)');
      const spans = this.database.prepare(
        'insert into shown_spans values (?, ?, ?) on conflict do update set spans = excluded.spans',
      );
      for (const row of rows) {
        passage.run(asker, dataset, row.passage, row.contribution);
        if (row.spans.length > 0) spans.run(asker, row.contribution, encodeSpans(row.spans));
      }
    });
  }

  /** All of a contribution that was retired, whoever was shown it. */
  forget(contribution: Uint8Array): void {
    inTransaction(this.database, () => {
      this.database.prepare('delete from shown_passages where contribution = ?').run(contribution);
      this.database.prepare('delete from shown_spans where contribution = ?').run(contribution);
    });
  }
}

const encodeSpans = (spans: readonly Span[]): string => spans.map(({ start, end }) => `${start}-${end}`).join();

const decodeSpans = (text: string): Span[] =>
  text.split(',').map((pair) => {
    const [start = '0', end = '0'] = pair.split('-');
    return { start: Number(start), end: Number(end) };
  });
