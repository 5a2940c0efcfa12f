/**
 * `npm run move:conformance`: random scenarios whose outcome the local ledger foretells, played by the contracts on the
 * Move VM; then ledgers and contracts that are broken on purpose, each of which must be noticed. The scenarios of
 * `CONFORMANCE_SEEDS` numbers, from 0; `CONFORMANCE_FIRST` begins at another one. See test/conformance.
 */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { alter } from './load-typescript.mjs';

/** For one module of scenarios: many times what it takes. */
const LIMIT_MS = 400_000;

/** Children that judge one after the other; one that loops for ever is killed with its verdict. */
class Judges {
  #idle = [];
  #all = new Set();
  #waiting = [];

  constructor(count) {
    for (let i = 0; i < count; i++) this.#idle.push(this.#start());
  }

  async judge(modules, edit = null) {
    const child = this.#idle.pop() ?? (await new Promise((free) => this.#waiting.push(free)));
    const answer = await new Promise((done) => {
      const finish = (verdict) => {
        clearTimeout(timer);
        child.removeAllListeners();
        done(verdict);
      };
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        finish({ error: `stopped after ${LIMIT_MS} ms: an endless loop?` });
      }, LIMIT_MS);
      child.once('message', finish);
      child.once('exit', () => finish({ error: 'the judge ended without an answer' }));
      child.send({ modules, edit });
    });
    this.#release(child.killed || !child.connected ? this.#replaced(child) : child);
    return answer;
  }

  close() {
    for (const child of this.#all) child.kill('SIGKILL');
  }

  #start() {
    const child = fork(join(import.meta.dirname, 'conformance-judge.mjs'), { execArgv: ['--no-warnings'] });
    this.#all.add(child);
    return child;
  }

  #replaced(child) {
    this.#all.delete(child);
    return this.#start();
  }

  #release(child) {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(child);
    else next(child);
  }
}

const judges = new Judges(Math.max(2, availableParallelism()));
try {
  const { conformance } = await import('../../test/conformance/conformance.ts');
  const ok = await conformance({
    count: Number(process.env['CONFORMANCE_SEEDS'] ?? 540),
    first: Number(process.env['CONFORMANCE_FIRST'] ?? 0),
    judge: (modules, edit) => judges.judge(modules, edit),
    alterLedger: alter,
    print: (line) => process.stdout.write(`${line}\n`),
  });
  process.exitCode = ok ? 0 : 1;
} finally {
  judges.close();
}
