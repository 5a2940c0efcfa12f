import { parseJson } from '@usufruct/kernel';
import { parseAnswer, toWireJson } from '@usufruct/protocol';
import type { z } from 'zod';

/**
 * What a client must remember to finish what it began. A value is durable when `put` resolves; every step is written
 * here before it is taken, so that a client that was killed at any point goes on instead of starting a second time.
 *
 * Some records are secret while they exist (the seed of an unfinished contribution, a job's client key, the key that
 * opens an answer that was not read yet) and are deleted when they have done their work. So a journal belongs to one
 * user: in a browser IndexedDB of the portal's origin, on a computer a file that only its owner may read.
 */
export interface Journal {
  get(key: string): Promise<string | null>;
  put(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  /** Keys that start with `prefix`, sorted. */
  keys(prefix: string): Promise<string[]>;
}

/** Lives as long as the process: for tests, and for callers that can afford to lose what they began. */
export function memoryJournal(): Journal {
  const records = new Map<string, string>();
  return {
    get: async (key) => records.get(key) ?? null,
    put: async (key, value) => void records.set(key, value),
    delete: async (key) => void records.delete(key),
    keys: async (prefix) => [...records.keys()].filter((key) => key.startsWith(prefix)).sort(),
  };
}

/** Read and check a record; one that does not parse was damaged or written by another version: `UPSTREAM_INVALID`. */
export async function readRecord<S extends z.ZodType>(
  journal: Journal,
  key: string,
  schema: S,
): Promise<z.output<S> | null> {
  const text = await journal.get(key);
  return text === null ? null : parseAnswer(schema, parseJson(text), 'journal');
}

export const writeRecord = (journal: Journal, key: string, value: unknown): Promise<void> =>
  journal.put(key, toWireJson(value));

/** The record of this key, or the one that `make` makes, stored before it is used. */
export async function recordOnce<S extends z.ZodType>(
  journal: Journal,
  key: string,
  schema: S,
  make: () => Promise<z.input<S>> | z.input<S>,
): Promise<z.output<S>> {
  const known = await readRecord(journal, key, schema);
  if (known !== null) return known;
  await writeRecord(journal, key, await make());
  const stored = await readRecord(journal, key, schema);
  return parseAnswer(schema, stored, 'journal');
}

export async function deleteAll(journal: Journal, prefix: string): Promise<void> {
  for (const key of await journal.keys(prefix)) await journal.delete(key);
}
