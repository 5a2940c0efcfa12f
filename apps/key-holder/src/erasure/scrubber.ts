import type { DatabaseSync } from 'node:sqlite';
import { OneAtATime } from '../one-at-a-time.js';
import { rewrite, scrub } from './scrub.js';

/** Each look for one of them goes through all of the files: for more, writing the file anew is less work. */
const LOOKED_FOR_AT_MOST = 64;

/**
 * Whatever destroys a secret notes it here, in the same transaction; the files are looked through afterwards, by this
 * process or, when it was killed in between, by the next one. Nobody says that something is destroyed before `finish`.
 */
export class Scrubber {
  /** What this process deleted, by the number under which it is noted. */
  readonly #deleted = new Map<number, readonly Uint8Array[]>();
  readonly #queue = new OneAtATime();

  constructor(private readonly database: DatabaseSync) {}

  /**
   * To be called in the transaction that deletes. The encrypted rows, to look for in the files; null where they are
   * not known: then the file is written anew.
   */
  note(deleted: readonly Uint8Array[] | null): void {
    const number = this.#read('destroyed') + 1;
    this.#write('destroyed', number);
    // A transaction that is rolled back leaves its number to the next one.
    if (deleted === null) this.#deleted.delete(number);
    else this.#deleted.set(number, deleted);
  }

  isDue(): boolean {
    return this.#read('scrubbed') < this.#read('destroyed');
  }

  /** Until the files hold nothing of what was noted before. Refuses what `scrub` refuses; it stays due then. */
  finish(): Promise<void> {
    return this.#queue.exclusively(async () => {
      const [from, to] = [this.#read('scrubbed'), this.#read('destroyed')];
      if (from >= to) return;
      const numbers = Array.from({ length: to - from }, (_, i) => from + i + 1);
      const known = numbers.flatMap((number) => this.#deleted.get(number) ?? []);
      const isKnown = numbers.every((number) => this.#deleted.has(number)) && known.length <= LOOKED_FOR_AT_MOST;
      if (isKnown) await scrub(this.database, known);
      else rewrite(this.database);
      this.#write('scrubbed', to);
      for (const number of numbers) this.#deleted.delete(number);
    });
  }

  #read(what: 'destroyed' | 'scrubbed'): number {
    const row = this.database.prepare('SELECT value FROM meta WHERE key = ?').get(what);
    return row === undefined ? 0 : Number(row['value']);
  }

  #write(what: 'destroyed' | 'scrubbed', number: number): void {
    this.database.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)').run(what, String(number));
  }
}
