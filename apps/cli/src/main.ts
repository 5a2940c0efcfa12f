import { homedir } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { CommanderError } from 'commander';
import { toUsufructError } from '@usufruct/kernel';
import { EXIT, exitCodeOf, type ExitCode } from './exit-codes.js';
import { buildProgram } from './program.js';
import { Runtime, type GlobalOptions, type Surroundings } from './runtime.js';
import { usageError } from './usage-error.js';

/** Run one command line; resolves with the exit code and never throws. */
export async function main(argv: readonly string[], given: Partial<Surroundings> = {}): Promise<ExitCode> {
  const surroundings: Surroundings = {
    environment: process.env,
    homeDirectory: homedir(),
    streams: {
      out: (text) => void process.stdout.write(text),
      err: (text) => void process.stderr.write(text),
      bars: process.stderr.isTTY ? process.stderr : null,
      ask: process.stdin.isTTY ? askTerminal : null,
    },
    ...given,
  };
  let runtime: Runtime | null = null;
  const program = await buildProgram({
    argv,
    streams: surroundings.streams,
    open: (options: GlobalOptions) => (runtime = new Runtime(surroundings, options)),
  });
  try {
    await program.parseAsync([...argv]);
    return EXIT.ok;
  } catch (error) {
    const { json } = program.opts<GlobalOptions>();
    const isUsage = error instanceof CommanderError;
    // Help that was asked for ends by throwing too; without --json, commander has told people what is wrong.
    if (isUsage && error.exitCode === 0) return EXIT.ok;
    if (isUsage && json !== true) return EXIT.usage;
    const known = isUsage ? usageError(error) : toUsufructError(error);
    (runtime ?? new Runtime(surroundings, { json: json === true })).terminal.error(known.toWire());
    return exitCodeOf(known);
  } finally {
    (runtime as Runtime | null)?.close();
  }
}

/** On stderr, as everything that is not the result. */
async function askTerminal(question: string): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}
