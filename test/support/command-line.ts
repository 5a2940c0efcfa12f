import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';

const CLI = resolve(import.meta.dirname, '../../apps/cli/bin/usufruct.mjs');

/** What a person types against the system whose files are in `home`: answers with what the command printed. */
export const commandLineOf =
  (home: string, person: string) =>
  (...args: readonly string[]): Promise<Record<string, unknown>> =>
    new Promise((done, fail) => {
      const env = {
        PATH: process.env['PATH'] ?? '',
        USUFRUCT_HOME: home,
        USUFRUCT_CLI_HOME: join(home, person),
      };
      const child = spawn(process.execPath, ['--no-warnings', CLI, '--json', ...args], { env });
      let out = '';
      child.stdout.on('data', (text) => (out += String(text)));
      child.on('error', fail);
      child.on('close', (code) =>
        code === 0 ? done(JSON.parse(out) as Record<string, unknown>) : fail(new Error(`${args.join(' ')}: ${out}`)),
      );
    });
