import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { LocalSystemError } from './errors.js';
import { PROJECT_ROOT } from './project.js';

/** Applies prisma/migrations in a process of its own. Returns what it said; throws with that when it fails. */
export function migrate(url: string): Promise<string> {
  const program = join(PROJECT_ROOT, 'infra/local/migrate-database.mjs');
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
