/**
 * `npm run move:mutate [-- module…]`: break the contracts in every way that `mutants.mjs` knows, one at a time, and see
 * that the tests notice. Prints each survivor and the score; fails below 95 %, not counting the survivors that
 * `survivors.json` names with a reason. Takes minutes, so it is no part of `npm test`.
 */
import { fork } from 'node:child_process';
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
const LIMIT_MS = 30_000;
const TARGET = 0.95;

/** One child that judges mutants one after the other; a mutant that loops for ever costs it its life. */
class Judge {
  #child;

  async judge(mutant) {
    this.#child ??= fork(join(import.meta.dirname, 'mutation-judge.mjs'), { execArgv: ['--no-warnings'] });
    const child = this.#child;
    return new Promise((done) => {
      const finish = (verdict) => {
        clearTimeout(timer);
        child.removeAllListeners();
        if (verdict === 'timeout' || verdict === 'crash') {
          child.kill('SIGKILL');
          this.#child = undefined;
        }
        done(verdict);
      };
      const timer = setTimeout(() => finish('timeout'), LIMIT_MS);
      child.once('message', finish);
      child.once('exit', () => finish('crash'));
      child.send(mutant);
    });
  }

  close() {
    this.#child?.kill();
  }
}

async function main(wanted) {
  const names = (await readdir(SOURCES)).map((name) => name.replace('.move', '')).filter((n) => !LEFT_OUT.includes(n));
  const excused = JSON.parse(await readFile(join(import.meta.dirname, 'survivors.json'), 'utf8'));
  const judge = new Judge();
  const totals = { killed: 0, survived: 0, excused: 0, invalid: 0 };
  for (const name of names.filter((n) => wanted.length === 0 || wanted.includes(n)).sort()) {
    const source = await readFile(join(SOURCES, `${name}.move`), 'utf8');
    const tally = { killed: 0, survived: 0, excused: 0, invalid: 0 };
    for (const { line, what, text } of mutantsOf(source)) {
      const verdict = await judge.judge({ name, text });
      const noticed = verdict === 'timeout' || verdict === 'crash' ? 'killed' : verdict;
      const code = source.split('\n')[line - 1].trim();
      const reason = excused.find((one) => one.module === name && one.what === what && one.code === code)?.reason;
      const outcome = noticed === 'survived' && reason !== undefined ? 'excused' : noticed;
      tally[outcome] += 1;
      totals[outcome] += 1;
      if (noticed === 'survived')
        process.stdout.write(`${name}:${line} ${what}: ${code}${reason ? ` (${reason})` : ''}\n`);
    }
    process.stdout.write(`${name}: ${tally.killed} killed, ${tally.survived + tally.excused} survived\n`);
  }
  judge.close();
  const { killed, survived, excused: known, invalid } = totals;
  const score = killed / (killed + survived + known);
  process.stdout.write(
    `${killed} of ${killed + survived + known} mutants killed (${(score * 100).toFixed(1)} %), ` +
      `${known} survivors with a reason, ${survived} without, ${invalid} did not compile\n`,
  );
  process.exitCode = score >= TARGET && survived === 0 ? 0 : 1;
}

await main(process.argv.slice(2));
