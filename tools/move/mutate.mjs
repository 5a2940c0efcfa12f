/**
 * `npm run move:mutate [-- module…]`: break the contracts in every way that `mutants.mjs` knows, one at a time, and see
 * that the tests notice. Prints each survivor and the score; fails below 95 %, not counting the survivors that
 * `survivors.json` names with a reason. Takes minutes, so it is no part of `npm test`.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { mutantsOf } from './mutants.mjs';

const SOURCES = resolve(import.meta.dirname, '../../move/usufruct/sources');
/** No assertion, no arithmetic: the names of events and tags are fixed by the fixtures and by the libraries. */
const LEFT_OUT = [
  'events',
  'blob_events',
  'governance_events',
  'lifecycle_events',
  'payout_events',
  'upgrade_events',
  'domain_tags',
];
const TARGET = 0.95;
/** Of the time that the sound contracts take with all tests: what needs longer loops for ever. */
const LIMIT_FACTOR = 2;
const LOOK_MS = 1_000;

/** Processor time of a process in ms, so that a busy machine does not look like a loop; where unknown, time itself. */
function spentMs(pid) {
  try {
    // proc(5): utime and stime are the 14th and 15th field, in ticks of 10 ms; the 2nd, a name, ends with the last ")".
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return performance.now();
  }
}

/** One child that judges mutants one after the other; a mutant that loops for ever costs it its life. */
class Judge {
  #child;

  async judge(mutant, limitMs) {
    this.#child ??= fork(join(import.meta.dirname, 'mutation-judge.mjs'), { execArgv: ['--no-warnings'] });
    const child = this.#child;
    const startedMs = spentMs(child.pid);
    return new Promise((done) => {
      const finish = (verdict) => {
        clearInterval(timer);
        this.tookMs = spentMs(child.pid) - startedMs;
        child.removeAllListeners();
        if (verdict === 'timeout' || verdict === 'crash') {
          child.kill('SIGKILL');
          this.#child = undefined;
        }
        done(verdict);
      };
      const timer = setInterval(() => {
        if (spentMs(child.pid) - startedMs > limitMs) finish('timeout');
      }, LOOK_MS);
      child.once('message', finish);
      child.once('exit', () => finish('crash'));
      child.send(mutant);
    });
  }

  close() {
    this.#child?.kill();
  }
}

const emptyTally = () => ({ killed: 0, timeout: 0, crash: 0, survived: 0, excused: 0, invalid: 0 });

/** How long the sound contracts take with every test at once on every judge: they must survive. */
async function limitFor(judges, sound) {
  const verdicts = await Promise.all(judges.map((judge) => judge.judge(sound, 600_000)));
  if (verdicts.some((verdict) => verdict !== 'survived')) throw new Error('the tests fail without a mutant');
  return LIMIT_FACTOR * Math.max(...judges.map(({ tookMs }) => tookMs));
}

/** Every mutant of a module with its verdict, judged side by side, in the order of the source. */
async function judged(judges, limitMs, name, source) {
  const waiting = [...mutantsOf(source)].map((mutant, place) => ({ ...mutant, place }));
  const verdicts = [];
  const work = async (judge) => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const verdict = await judge.judge({ name, text: next.text, abortCode: next.abortCode }, limitMs);
      verdicts[next.place] = { ...next, verdict };
    }
  };
  await Promise.all(judges.map(work));
  return verdicts;
}

async function main(wanted) {
  const names = (await readdir(SOURCES)).map((name) => name.replace('.move', '')).filter((n) => !LEFT_OUT.includes(n));
  const excused = JSON.parse(await readFile(join(import.meta.dirname, 'survivors.json'), 'utf8'));
  const judges = Array.from({ length: availableParallelism() }, () => new Judge());
  const sources = new Map();
  for (const name of names.filter((n) => wanted.length === 0 || wanted.includes(n)).sort()) {
    sources.set(name, await readFile(join(SOURCES, `${name}.move`), 'utf8'));
  }
  const [first] = sources;
  if (first === undefined) throw new Error('there is no such module');
  const limitMs = await limitFor(judges, { name: first[0], text: first[1], abortCode: null });
  const totals = emptyTally();
  for (const [name, source] of sources) {
    const tally = emptyTally();
    for (const { line, what, verdict } of await judged(judges, limitMs, name, source)) {
      const code = source.split('\n')[line - 1].trim();
      const reason = excused.find((one) => one.module === name && one.what === what && one.code === code)?.reason;
      const outcome = verdict === 'survived' && reason !== undefined ? 'excused' : verdict;
      tally[outcome] += 1;
      totals[outcome] += 1;
      if (verdict === 'survived')
        process.stdout.write(`${name}:${line} ${what}: ${code}${reason ? ` (${reason})` : ''}\n`);
    }
    const { killed, timeout, crash, survived, excused: known } = tally;
    process.stdout.write(
      `${name}: ${killed} killed by a test, ${timeout} by the time limit, ${crash} by ending the VM, ` +
        `${survived + known} survived\n`,
    );
  }
  for (const judge of judges) judge.close();
  const { timeout, crash, survived, excused: known, invalid } = totals;
  const killed = totals.killed + timeout + crash;
  const score = killed / (killed + survived + known);
  process.stdout.write(
    `${killed} of ${killed + survived + known} mutants killed (${(score * 100).toFixed(1)} %), ` +
      `${timeout} of them by the time limit and ${crash} by ending the VM, ` +
      `${known} survivors with a reason, ${survived} without, ${invalid} did not compile\n`,
  );
  process.exitCode = score >= TARGET && survived === 0 ? 0 : 1;
}

await main(process.argv.slice(2));
