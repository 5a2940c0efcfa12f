import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { systemRandom, toHex32, type Hex32 } from '@usufruct/kernel';
import { ensureRegistered } from '../attest/registration.js';
import { QuestionDesk } from '../compute/questions/question-desk.js';
import { ask, sealed } from '../testing/asking.js';
import { Life } from '../testing/life.js';
import type { TestHolder } from '../testing/test-holder.js';
import { life, useRunner, world } from '../testing/use-runner.js';
import { codeOf, MINUTE_MS, TestClock } from '../testing/values.js';

describe('the runner on a real local chain', () => {
  useRunner();

  it.each([
    'away',
    'unlogged',
    'wrong-share',
    'swaps-shares',
    'other-list',
    'forged-head',
    'other-leaf',
    'without-share',
  ] as const)(
    'works with two holders while the third is %s, and not with one; goes on when they are back',
    async (misbehaviour) => {
      const { job, clientKey } = await world.fundJob();
      world.holders[1]!.misbehaviour = misbehaviour;
      expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
      life.sessions.endAll();
      world.holders[2]!.misbehaviour = misbehaviour;
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      if (misbehaviour === 'wrong-share' || misbehaviour === 'swaps-shares' || misbehaviour === 'without-share') {
        const code = misbehaviour === 'without-share' ? 'NOT_FOUND' : 'SHARE_INVALID';
        expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe(code);
      } else {
        const impatient = new QuestionDesk(life.context, life.sessions, life.settler, 1);
        expect((await impatient.ask(job.id, asked.request)).state).toBe('computing');
        while (life.sessions.view(job).error === null) await new Promise((resolve) => setTimeout(resolve, 5));
        expect(life.sessions.view(job)).toMatchObject({ state: 'attesting', error: { code: 'SHARES_INSUFFICIENT' } });
      }
      expect(life.context.store.find(job.id, asked.request.questionId)).toBeNull();
      for (const holder of world.holders) holder.misbehaviour = null;
      expect((await life.desk.ask(job.id, asked.request)).state).toBe('settled');
    },
  );

  it('does not wait for a holder that never answers, whatever it was asked', async () => {
    const { job, clientKey } = await world.fundJob();
    world.holders[1]!.misbehaviour = 'slow';
    const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
    expect((await life.desk.ask(job.id, asked.request)).state).toBe('settled');
    world.holders[1]!.misbehaviour = 'slow-release';
    life.sessions.endAll();
    expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
    world.holders[1]!.misbehaviour = null;
  });

  it('names a holder that gives wrong shares, and asks it last from then on', async () => {
    const { job, clientKey } = await world.fundJob();
    world.holders[0]!.misbehaviour = 'wrong-share';
    expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
    world.holders[0]!.misbehaviour = null;
    const named = life.lines.filter((line) => line.includes('release.bad_share'));
    expect(named.map((line) => (JSON.parse(line) as { indexes: number[] }).indexes)).toEqual([[1]]);
  });

  it('is registered for no longer than enough holders can vouch for', async () => {
    const other = await Life.begin(world, mkdtempSync(join(tmpdir(), 'registration-')), { clock: new TestClock() });
    const inMinutes = (minutes: number) => Date.now() + minutes * MINUTE_MS;
    const [first, second, third] = world.holders as [TestHolder, TestHolder, TestHolder];
    [second.endorsedUntilMs, third.endorsedUntilMs] = [inMinutes(20), inMinutes(12)];
    const dao = await world.chain.dao(world.daoId);
    await ensureRegistered(other.context, dao);
    const { expiresAtMs } = await world.chain.runner(dao.id, other.context.keys.runnerId);
    expect(expiresAtMs).toBeLessThanOrEqual(second.endorsedUntilMs);
    expect(expiresAtMs).toBeGreaterThan(inMinutes(19));
    [first.endorsedUntilMs, second.endorsedUntilMs] = [Date.now(), Date.now()];
    other.end();
    const late = await Life.begin(world, mkdtempSync(join(tmpdir(), 'registration-')), { clock: new TestClock() });
    expect(await codeOf(ensureRegistered(late.context, dao))).toBe('INVALID_ARGUMENT');
    for (const holder of world.holders) holder.endorsedUntilMs = Infinity;
    late.end();
  });

  it('is not registered, and answers nothing, when the holders refuse its evidence', async () => {
    const { job, clientKey } = await world.fundJob();
    for (const holder of world.holders.slice(1)) holder.misbehaviour = 'refuses-attestation';
    const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
    expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('ATTESTATION_REFUSED');
    expect(life.sessions.view(job)).toMatchObject({ state: 'failed', error: { code: 'ATTESTATION_REFUSED' } });
    for (const holder of world.holders) holder.misbehaviour = null;
    expect((await life.desk.ask(job.id, asked.request)).state).toBe('settled');
  });

  it('asks no holder for a key that key servers give out, and leaves it out where it has none of them', async () => {
    const keyServers = [toHex32<Hex32>(systemRandom(32)), toHex32<Hex32>(systemRandom(32))];
    const sealed = { kind: 'seal' as const, threshold: 2, keyServers, encryptedSecret: new Uint8Array(300) };
    const { id } = await world.contribute('sealed.txt', 'The zeppelin hangar is red.', sealed);
    const { job, clientKey } = await world.fundJob();
    expect((await ask(life, job, clientKey, 'What is the price of beeswax?')).state.state).toBe('settled');
    expect(life.sessions.view(job).leftOut).toContainEqual({ contributionId: id, code: 'KEY_MODE_UNAVAILABLE' });
    const asked = world.holders.flatMap(({ releases }) => releases.flatMap(({ contributionIds }) => contributionIds));
    expect(asked.length).toBeGreaterThan(0);
    expect(asked).not.toContain(id);
  });
});
