import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** Many times what it takes: whatever needs longer is an endless loop. `--limit-ms=N` sets another one. */
const LIMIT_MS = 400_000;
const limitArgument = process.argv.find((argument) => argument.startsWith('--limit-ms='));

/** What the compiler's child process says, or `{ error }` when it was killed for its time or ended without a word. */
export function runCompiler(args) {
  const limitMs = limitArgument === undefined ? LIMIT_MS : Number(limitArgument.slice('--limit-ms='.length));
  return new Promise((done) => {
    const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'compiler.mjs'), ...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    let answer = { error: 'the compiler ended without an answer' };
    const timer = setTimeout(() => {
      answer = { error: `stopped after ${limitMs} ms: an endless loop?` };
      child.kill('SIGKILL');
    }, limitMs);
    child.on('message', (message) => (answer = message));
    child.on('close', () => {
      clearTimeout(timer);
      done(answer);
    });
  });
}
