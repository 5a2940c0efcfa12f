import { readFileSync, writeFileSync } from 'node:fs';
import { refuse } from '@usufruct/kernel';
import { parseAt, toWireJson } from '@usufruct/protocol';
import type { z } from 'zod';

/** A JSON file of ours. Refuses `NOT_FOUND` for what cannot be read, `INVALID_ARGUMENT` naming a field that is wrong. */
export function readJsonFile<S extends z.ZodType>(path: string, schema: S, what: string): z.output<S> {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw refuse('NOT_FOUND', { object: what, path }, cause);
  }
  return parseAt(schema, content, what);
}

/** For its owner only, whatever is in it. */
export const writeJsonFile = (path: string, value: unknown): void =>
  writeFileSync(path, `${toWireJson(value)}\n`, { mode: 0o600 });
