import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fromHex, refuse, type TimestampMs } from '@usufruct/kernel';
import { inTransaction } from '@usufruct/service';
import type { Holder } from '../holder.js';
import { LEASED_KEYS_TABLE } from '../lease/leased-key-store.js';
import { EPOCHS_TABLE } from '../payout/countersigned-epochs.js';
import { OPENINGS_TABLE } from '../payout/opening-store.js';
import { DEALING_SEEDS_TABLE } from '../rotation/dealing-seeds.js';
import { SUB_SHARES_TABLE } from '../rotation/sub-share-store.js';
import type { AtRest, EncryptedTable } from '../store/at-rest.js';
import { SHARES_TABLE } from '../store/shares.js';
import { STORAGE_ID_BYTES } from './contents.js';
import type { Keyring } from './keyring.js';

/** Everything that is encrypted at rest. */
export const ENCRYPTED_TABLES: readonly EncryptedTable[] = [
  SHARES_TABLE,
  SUB_SHARES_TABLE,
  DEALING_SEEDS_TABLE,
  LEASED_KEYS_TABLE,
  OPENINGS_TABLE,
  EPOCHS_TABLE,
];

/** One that follows from destroyed shares waits for twenty times as long as the last one took: a twentieth of the time. */
const REST = 20;

export interface RotationRule {
  /** A generation of the storage key is current for so long. */
  readonly maxAgeMs: number;
}

/**
 * Whether the storage key is due: it is old, or something was destroyed since it was made. What was destroyed is still in
 * older copies of the database, under the key that is destroyed with this.
 */
export class RotationClock {
  #restUntilMs = 0;

  constructor(
    private readonly database: DatabaseSync,
    private readonly rule: RotationRule,
  ) {}

  isDue({ storage }: Keyring, nowMs: TimestampMs): boolean {
    if (storage.all().length > 1) return true;
    if (nowMs - storage.current().createdAtMs >= this.rule.maxAgeMs) return true;
    return nowMs >= this.#restUntilMs && this.#read('destroyed') > this.#read('rotated');
  }

  /** What is destroyed from now on waits for the next one. */
  begun(): void {
    this.#writeRotated(this.#read('destroyed'));
  }

  /** The generation itself was noted as destroyed, which is no reason for another rotation. In the same transaction. */
  notedItself(): void {
    this.#writeRotated(this.#read('rotated') + 1);
  }

  took(fromMs: TimestampMs, toMs: TimestampMs): void {
    this.#restUntilMs = toMs + REST * Math.max(0, toMs - fromMs);
  }

  #writeRotated(number: number): void {
    this.database.prepare(`INSERT OR REPLACE INTO meta (key, value) VALUES ('rotated', ?)`).run(String(number));
  }

  #read(key: 'destroyed' | 'rotated'): number {
    return Number(this.database.prepare('SELECT value FROM meta WHERE key = ?').get(key)?.['value'] ?? 0);
  }
}

/** When it is due; with what an earlier process left undone. */
export async function rotateStorageIfDue(holder: Holder): Promise<void> {
  if (holder.rotations.isDue(holder.keyring, holder.clock.nowMs())) await rotateStorage(holder);
}

/**
 * A new generation of the storage key; every row encrypted anew under it, a few at a time; then the generations before it
 * are destroyed, and the files looked through for what was under them. Killed anywhere, every row is under a generation
 * that the keyring has, and the next time goes on from there.
 *
 * After it, a copy of the database from before opens under nothing that this holder has. It says nothing of copies of the
 * keyring, nor of what was in memory. Not while shares are destroyed, or a backup is made.
 */
export function rotateStorage(holder: Holder): Promise<void> {
  const { database, keyring, rotations, clock, logger } = holder;
  return holder.erasing.exclusively(async () => {
    const startedAtMs = clock.nowMs();
    // One that was interrupted ends under the key that it began with.
    if (keyring.storage.all().length === 1) {
      keyring.storage.rotate();
      noteCurrentKey(database, keyring);
      rotations.begun();
    }
    const before = keyring.storage.all().slice(0, -1);
    let rows = 0;
    for (const { id } of before) {
      // What writes the file anew meanwhile may number its rows anew.
      do rows += await encryptAnew(holder, id);
      while (hasAny(holder, id, isOpen(holder)));
      await destroyGeneration(holder, id);
    }
    rotations.took(startedAtMs, clock.nowMs());
    logger.info('storage.rotated', { rows });
  });
}

async function destroyGeneration(holder: Holder, id: string): Promise<void> {
  const { database, keyring, scrubber, rotations } = holder;
  inTransaction(database, () => {
    // Each value begins with it, so it finds them all; rows that never opened stay.
    scrubber.note(hasAny(holder, id, () => true) ? null : [fromHex(id)]);
    rotations.notedItself();
  });
  keyring.storage.destroy(id);
  await scrubber.finish();
}

/** How many rows were under it. Those that do not open are left as they are: they opened nothing before. */
async function encryptAnew(holder: Holder, generation: string): Promise<number> {
  let rows = 0;
  for (const table of ENCRYPTED_TABLES) {
    for (let after = -1; ; await nextTurn()) {
      const slice = inTransaction(holder.database, () => encryptSlice(holder, table, generation, after));
      if (slice === null) break;
      rows += slice.rows;
      after = slice.last;
    }
  }
  return rows;
}

type Row = Readonly<Record<string, SQLOutputValue>>;

/** Whether such a row is still under it. Nothing can come between this and what follows it. */
function hasAny(
  { database }: Holder,
  generation: string,
  isSuch: (table: EncryptedTable, row: Row) => boolean,
): boolean {
  return ENCRYPTED_TABLES.some((table) => {
    const under = `SELECT * FROM ${table.table} WHERE substr(encrypted, 1, ${STORAGE_ID_BYTES}) = ?`;
    for (const row of database.prepare(under).iterate(fromHex(generation))) if (isSuch(table, row)) return true;
    return false;
  });
}

const isOpen =
  ({ atRest }: Holder) =>
  ({ aboutRow }: EncryptedTable, row: Row): boolean =>
    opened(atRest, aboutRow(row), row['encrypted'] as Uint8Array) !== null;

interface Slice {
  readonly rows: number;
  /** The row to go on after. */
  readonly last: number;
}

function encryptSlice(
  { database, atRest, logger }: Holder,
  { table, aboutRow, rowsAtOnce }: EncryptedTable,
  generation: string,
  after: number,
): Slice | null {
  const found = database
    .prepare(
      `SELECT rowid AS place, * FROM ${table}
       WHERE rowid > ? AND substr(encrypted, 1, ${STORAGE_ID_BYTES}) = ? ORDER BY rowid LIMIT ?`,
    )
    .all(after, fromHex(generation), rowsAtOnce);
  const update = database.prepare(`UPDATE ${table} SET encrypted = ? WHERE rowid = ?`);
  let rows = 0;
  for (const row of found) {
    const encrypted = encryptedAnew(atRest, aboutRow(row), row['encrypted'] as Uint8Array);
    if (encrypted === null) logger.error('storage.row_broken', { table });
    else rows += Number(update.run(encrypted, row['place'] as number).changes);
  }
  const last = found.at(-1)?.['place'] as number | undefined;
  return last === undefined ? null : { rows, last };
}

function encryptedAnew(atRest: AtRest, about: Uint8Array, encrypted: Uint8Array): Uint8Array | null {
  const plaintext = opened(atRest, about, encrypted);
  if (plaintext === null) return null;
  const anew = atRest.encrypt(about, plaintext);
  plaintext.fill(0);
  return anew;
}

function opened(atRest: AtRest, about: Uint8Array, encrypted: Uint8Array): Uint8Array | null {
  try {
    return atRest.decrypt(about, encrypted);
  } catch {
    return null;
  }
}

const CURRENT_KEY = 'storage_key';

/** Under which keyring the data may be opened: one that has this generation. */
function noteCurrentKey(database: DatabaseSync, { storage }: Keyring): void {
  database.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)').run(CURRENT_KEY, storage.current().id);
}

/**
 * The keyring is that of the data, neither older nor newer. Refuses `CONFIG_INVALID`: an older copy of either is not
 * continued with the other, because rows would not open.
 */
export function requireKeysOf(database: DatabaseSync, keyring: Keyring): void {
  const known = database.prepare('SELECT value FROM meta WHERE key = ?').get(CURRENT_KEY)?.['value'];
  if (known !== undefined && keyring.storage.byId(String(known)) === undefined) {
    throw refuse('CONFIG_INVALID', {
      setting: 'KEYRING_DIR',
      reason: 'the keyring is not of the same time as the data',
    });
  }
  noteCurrentKey(database, keyring);
}
