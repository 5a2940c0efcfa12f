import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository's root, from the source as from the compiled file below `dist`. */
export const PROJECT_ROOT = findRoot(import.meta.dirname);

function findRoot(from: string): string {
  if (existsSync(join(from, 'nest-cli.json')) || dirname(from) === from) return from;
  return findRoot(dirname(from));
}
