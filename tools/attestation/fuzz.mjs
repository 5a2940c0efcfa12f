/**
 * `npm run attestation:fuzz [-- parser… --seconds N --seed S --first I]`: mutated inputs for every parser of
 * attestation, in processes with a ceiling on their memory and a watchdog for what never returns. 60 seconds each, as
 * many at a time as there are processors. Ends with 1 if one of them throws what is no refusal, takes
 * more than a second, or holds ever more memory; the printed seed and number make the input again.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = join(import.meta.dirname, '../..');
const MEGABYTES_AT_MOST = 256;
/** Without a word for so long, on a machine that may be busy, an input does not return. */
const SILENT_MS = 10_000;
/** Generating the keys of the valid inputs. */
const START_MS = 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
  },
});
const numbers = [values.seconds, values.seed, values.first].map(Number);
if (numbers.some((number) => !Number.isFinite(number) || number < 0)) {
  process.stderr.write('--seconds, --seed and --first are numbers\n');
  process.exit(2);
}
const [seconds, seed, first] = numbers;

await import('../move/load-typescript.mjs');
const { FUZZ_TARGETS } = await import('./fuzz-targets.ts');
const unknown = positionals.filter((name) => !FUZZ_TARGETS.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no parser ${unknown.join(', ')}; there are ${FUZZ_TARGETS.join(', ')}\n`);
  process.exit(2);
}

const waiting = [...(positionals.length > 0 ? positionals : FUZZ_TARGETS)];
let isGood = true;
await Promise.all(Array.from({ length: availableParallelism() }, work));
process.exit(isGood ? 0 : 1);

/** One parser after the other in one process, and in another when it has ended. */
async function work() {
  let child = start();
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    if (child.exitCode !== null || child.signalCode !== null) child = start();
    const { inputs, accepted, slowestMs, grownBytes, flaw } = await judge(child, name);
    isGood &&= flaw === null;
    const figures =
      `${inputs} inputs, ${accepted} accepted, slowest ${slowestMs.toFixed(1)} ms, ` +
      `memory ${(grownBytes / 2 ** 20).toFixed(1)} MiB`;
    process.stdout.write(`${flaw === null ? 'ok  ' : 'FAIL'} ${name.padEnd(15)} ${figures}\n`);
    if (flaw !== null) process.stdout.write(`     seed ${seed}: ${flaw}\n`);
  }
  child.kill();
}

function start() {
  return fork(join(import.meta.dirname, 'fuzz-worker.ts'), [], {
    cwd: ROOT,
    execArgv: [
      `--max-old-space-size=${MEGABYTES_AT_MOST}`,
      '--no-warnings',
      '--conditions=@usufruct/source',
      '--import',
      join(ROOT, 'tools/move/load-typescript.mjs'),
    ],
  });
}

function judge(child, name) {
  return new Promise((done) => {
    let inputs = 0;
    const finish = (report) => {
      clearTimeout(watchdog);
      child.removeAllListeners();
      done(report);
    };
    const hang = () => child.kill('SIGKILL');
    let watchdog = setTimeout(hang, START_MS);
    child.on('message', (message) => {
      if (message.report !== undefined) return finish(message.report);
      clearTimeout(watchdog);
      watchdog = setTimeout(hang, SILENT_MS);
      inputs = message.inputs ?? inputs;
    });
    child.on('exit', (code, signal) => {
      const flaw = `ended by ${signal ?? `code ${code}`} after input ${first + inputs}: it hangs, or wants too much memory`;
      finish({ inputs, accepted: 0, slowestMs: 0, grownBytes: 0, flaw });
    });
    child.send({ name, seed, first, durationMs: seconds * 1000 });
  });
}
