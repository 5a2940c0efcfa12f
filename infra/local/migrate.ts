import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LocalSystemError } from './errors.js';

/** Beside the source, one above the compiled file. */
const PROGRAM = [import.meta.dirname, join(import.meta.dirname, '..')]
  .map((folder) => join(folder, 'migrate-database.mjs'))
  .find((path) => existsSync(path));

/** Applies prisma/migrations in a process of its own. Throws with what it said. */
export function migrate(url: string): Promise<string> {
  if (PROGRAM === undefined) throw new LocalSystemError('infra/local/migrate-database.mjs is missing');
  const program = PROGRAM;
  return new Promise((done, fail) => {
    const environment = { ...process.env, DATABASE_URL: url, NODE_OPTIONS: '' };
    const child = spawn(process.execPath, [program], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    child.once('error', fail);
    child.once('close', (code) => (code === 0 ? done(said.trim()) : fail(new LocalSystemError(said.trim()))));
  });
}
