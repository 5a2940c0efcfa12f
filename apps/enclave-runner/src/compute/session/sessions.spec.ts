import { expect, it } from '@jest/globals';
import { refuse, type JobId } from '@usufruct/kernel';
import { aJob, idOf, TEST_NOW_MS } from '@usufruct/testing';
import { MAX_SESSIONS, Sessions } from './sessions.js';

/** A runner on a chain that says this of every DAO. */
function runnerOf(dao: () => Promise<never>): Sessions {
  const context = {
    chain: { dao },
    clock: { nowMs: () => TEST_NOW_MS },
    store: { isCancelled: () => false },
    logger: { info: () => undefined, warn: () => undefined },
  };
  return new Sessions(context as never);
}
const job = (name: string) => aJob({ id: idOf<JobId>(name) });

it('has room for a job whatever came to nothing before it', async () => {
  const sessions = runnerOf(async () => {
    throw refuse('NO_USABLE_DATA');
  });
  for (let i = 0; i <= MAX_SESSIONS; i++) {
    await expect(sessions.open(job(`job ${i}`)).ready).rejects.toMatchObject({ code: 'NO_USABLE_DATA' });
  }
  expect(sessions.open(job('one more')).state).toBe('attesting');
  sessions.endAll();
});

it('has none while so many are being prepared', () => {
  const sessions = runnerOf(() => new Promise(() => undefined));
  for (let i = 0; i < MAX_SESSIONS; i++) sessions.open(job(`job ${i}`));
  expect(() => sessions.open(job('one more'))).toThrow(expect.objectContaining({ code: 'RUNNER_UNAVAILABLE' }));
  sessions.endAll();
});
