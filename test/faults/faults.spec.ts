import { writeFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { findings } from './checks.js';
import { FaultRun } from './fault-run.js';

/** A short history for every run of the tests; `npm run test:faults` asks for a long one. */
const EVENTS = Number(process.env['USUFRUCT_FAULT_EVENTS'] ?? '80');
const IS_LONG = EVENTS >= 1_000;
/** The same choices in every run of the tests, others in each long one. Threads and disks are never quite the same. */
const SEED = process.env['USUFRUCT_FAULT_SEED'] ?? (IS_LONG ? String(Date.now()) : 'short');
const REPORT = process.env['USUFRUCT_FAULT_REPORT'];
const LIMIT_MS = 60_000 + 2_000 * EVENTS;

describe('kills, losses, delays and revocations by chance', () => {
  let run: FaultRun | undefined;
  afterEach(() => run?.world.close());

  it(
    `release no key against a decision or past a log, and finish or refund every job once (seed ${SEED})`,
    async () => {
      const started = performance.now();
      run = await FaultRun.play(SEED, EVENTS);
      const { flaws, ...counts } = await findings(run);
      const { injector, told, jobs } = run;
      const summary = {
        seed: SEED,
        events: injector.events,
        ...counts,
        jobs: jobs.length,
        backups: run.behind.length,
        seconds: Math.round((performance.now() - started) / 1_000),
        byKind: Object.fromEntries([...injector.counts].sort()),
        outcomes: Object.fromEntries([...told.outcomes].sort()),
      };
      const line = JSON.stringify(summary);
      if (IS_LONG) process.stdout.write(`${line}\n`);
      if (REPORT !== undefined) writeFileSync(REPORT, `${line}\n`);
      if (flaws.length > 0) throw new Error(`${flaws.join('\n')}\n${line}\n${injector.trail.join('\n')}`);
      // A history in which nothing was released, refused or paid would show nothing.
      expect(Math.min(counts.shares, counts.settled, counts.refundedJobs)).toBeGreaterThan(0);
      expect(counts.entries).toBeGreaterThanOrEqual(counts.shares);
    },
    LIMIT_MS,
  );
});
