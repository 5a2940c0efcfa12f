import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Chain } from '@usufruct/chain';
import type { SigningKey } from '@usufruct/crypto';
import { asTimestampMs, refuse } from '@usufruct/kernel';
import { LIMITS, type DaoPolicy, type GrantView, type JobView } from '@usufruct/protocol';
import { ask, sealed } from '../../testing/asking.js';
import { hives, life, restart, useRunner, world } from '../../testing/use-runner.js';
import { codeOf, MINUTE_MS, PRICE, TestClock } from '../../testing/values.js';
import type { Contributed } from '../../testing/world.js';
import { eraseHere } from '../erasure/erase-here.js';
import { reviewSessions } from './review.js';

describe('the runner on a real local chain', () => {
  useRunner();

  describe('a session that stands on nothing any more', () => {
    const QUESTION = 'What is the price of beeswax?';
    let clock: TestClock;
    /** What the chain shows instead of what it has. */
    let shown: Partial<Chain>;
    beforeEach(async () => {
      clock = new TestClock();
      shown = {};
      const chain = new Proxy(world.chain, {
        get: (target, name) => {
          // What is shown comes without its events: such a chain has no position, and is read anew for each question.
          if (name === 'position') return undefined;
          const member: unknown = Reflect.get(shown, name) ?? Reflect.get(target, name);
          return typeof member === 'function' ? (member.bind(target) as unknown) : member;
        },
      });
      await restart({ clock, chain });
    });
    afterEach(() => {
      for (const holder of world.holders) holder.endorsedUntilMs = Infinity;
    });
    const asAnother = (policy: Partial<DaoPolicy['appraisal']>): void => {
      shown.dao = async (id) => {
        const dao = await world.chain.dao(id);
        return { ...dao, policy: { ...dao.policy, appraisal: { ...dao.policy.appraisal, ...policy } as never } };
      };
    };
    const rows: [string, string, (job: JobView) => unknown][] = [
      ['its job was closed', 'JOB_STATE', ({ id }) => world.run(world.requester, { kind: 'closeJob', jobId: id })],
      ['its measurement was withdrawn', 'ATTESTATION_REFUSED', () => asAnother({ measurements: ['ef'.repeat(48)] })],
      ['evidence is appraised otherwise', 'ATTESTATION_STALE', () => asAnother({ version: 99 })],
      [
        'this runner was withdrawn',
        'RUNNER_NOT_REGISTERED',
        () => (shown.runner = async () => Promise.reject(refuse('NOT_FOUND'))),
      ],
      [
        'its dataset was retired',
        'TOMBSTONED',
        () =>
          (shown.dataset = async (id) => ({
            ...(await world.chain.dataset(id)),
            tombstonedAtMs: asTimestampMs(Date.now()),
          })),
      ],
      [
        'its DAO was paused',
        'DAO_PAUSED',
        () => (shown.dao = async (id) => ({ ...(await world.chain.dao(id)), paused: true })),
      ],
    ];
    it.each(rows)('ends with the next question: %s', async (_what, code, change) => {
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, QUESTION);
      const [session] = life.sessions.all();
      const next = await sealed(life, job, clientKey, QUESTION);
      await change(job);
      expect(await codeOf(life.desk.ask(job.id, next.request))).toBe(code);
      expect([session!.isOver, session!.contributionIds.size, session!.error?.code]).toEqual([true, 0, code]);
    });

    it.each(rows)('ends where nobody asks anything: %s', async (_what, code, change) => {
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, QUESTION);
      const [session] = life.sessions.all();
      await reviewSessions(life.context, life.sessions);
      expect(life.sessions.all()).toEqual([session]);
      await change(job);
      await reviewSessions(life.context, life.sessions);
      expect([life.sessions.all(), session!.isOver, session!.contributionIds.size]).toEqual([[], true, 0]);
      expect(life.lines.some((line) => line.includes('session.ended') && line.includes(code))).toBe(true);
    });

    describe('by what the DAO decided of data that is withdrawn', () => {
      let locks = 0;
      const decide = (onRevocation: DaoPolicy['onRevocation']): void => {
        shown.dao = async (id) => {
          const dao = await world.chain.dao(id);
          return { ...dao, policy: { ...dao.policy, onRevocation } };
        };
      };
      const WAYS: [string, string, (extra: Contributed) => unknown][] = [
        ['revoked', 'GRANT_REVOKED', ({ owner, grantId }) => world.run(owner, { kind: 'revokeGrant', grantId })],
        [
          'retired',
          'TOMBSTONED',
          ({ owner, id }) => world.run(owner, { kind: 'tombstoneContribution', contributionId: id }),
        ],
        [
          'expired',
          'GRANT_EXPIRED',
          ({ grantId }) =>
            (shown.grantsOfEach = async (ids) => {
              const all = await world.chain.grantsOfEach(ids);
              const ended = (grant: GrantView): GrantView => ({
                ...grant,
                terms: { ...grant.terms, expiresAtMs: asTimestampMs(Date.now() - MINUTE_MS) },
              });
              return all.map((grants) => grants.map((one) => (one.id === grantId ? ended(one) : one)));
            }),
        ],
      ];
      /** A session that has used one more contribution than the others of these tests. */
      const using = async (way = '') => {
        // No event tells that a grant has expired, and this one only seems to: so nothing that was read is kept.
        if (way === 'expired') shown.position = async () => null as never;
        locks += 1;
        const question = `Who keeps sluice Wietzenbruch${locks}?`;
        const extra = await world.contribute('lock.txt', `Sluice Wietzenbruch${locks} is kept by the miller.`);
        const funded = await world.fundJob(5);
        const { answer } = await ask(life, funded.job, funded.clientKey, question);
        expect(answer.uses.map(({ contributionId }) => contributionId)).toContain(extra.id);
        const [session] = life.sessions.all().filter(({ job }) => job.id === funded.job.id);
        return { extra, question, session: session!, ...funded };
      };
      const codeOfAsking = async (job: JobView, clientKey: SigningKey): Promise<string> => {
        const { request } = await sealed(life, job, clientKey, QUESTION);
        return codeOf(life.desk.ask(job.id, request));
      };

      it.each(WAYS)('ends the job for good, and what is not spent comes back: %s', async (way, reason, withdraw) => {
        decide('cancel');
        const { extra, session, job, clientKey } = await using(way);
        await withdraw(extra);
        expect(await codeOfAsking(job, clientKey)).toBe('DATA_WITHDRAWN');
        expect(session.error?.details).toEqual({ jobId: job.id, contributionId: extra.id, reason });
        expect([session.isOver, session.contributionIds.size]).toEqual([true, 0]);
        expect(life.sessions.view(job)).toMatchObject({ state: 'failed', error: { code: 'DATA_WITHDRAWN' } });
        // It is not opened again without that data, not by the next process either.
        expect(await codeOfAsking(job, clientKey)).toBe('DATA_WITHDRAWN');
        await restart({ clock, chain: life.context.chain });
        expect(await codeOfAsking(job, clientKey)).toBe('DATA_WITHDRAWN');
        const before = await world.balance(world.requester.address);
        await world.run(world.requester, { kind: 'closeJob', jobId: job.id });
        // Of five questions one was answered.
        expect(await world.balance(world.requester.address)).toBe(before + 4n * PRICE);
      });

      it.each(WAYS)('goes on without it: %s', async (way, _reason, withdraw) => {
        decide('finish');
        const { extra, question, session, job, clientKey } = await using(way);
        await withdraw(extra);
        expect((await ask(life, job, clientKey, QUESTION)).state.state).toBe('settled');
        const { answer } = await ask(life, job, clientKey, question);
        expect(answer.uses.map(({ contributionId }) => contributionId)).not.toContain(extra.id);
        expect([session.isOver, session.contributionIds.has(extra.id)]).toEqual([false, false]);
      });

      it.each(WAYS)('ends where nobody asks, also what was dropped before: %s', async (way, _reason, withdraw) => {
        decide('cancel');
        const { extra, session, job, clientKey } = await using(way);
        await reviewSessions(life.context, life.sessions);
        expect(session.isOver).toBe(false);
        await withdraw(extra);
        if (way === 'retired') await eraseHere(life.context, life.sessions, { contributionId: extra.id });
        await reviewSessions(life.context, life.sessions);
        expect([session.isOver, session.error?.code]).toEqual([true, 'DATA_WITHDRAWN']);
        expect(await codeOfAsking(job, clientKey)).toBe('DATA_WITHDRAWN');
      });

      it('goes on where data was withdrawn that it never had', async () => {
        decide('cancel');
        const { session, job, clientKey } = await using();
        const later = await world.contribute('late.txt', 'The ferry to Juist leaves with the tide.');
        await world.run(later.owner, { kind: 'revokeGrant', grantId: later.grantId });
        expect((await ask(life, job, clientKey, QUESTION)).state.state).toBe('settled');
        expect(session.isOver).toBe(false);
      });
    });

    it('ends with this runner’s registration, and the next one begins with another', async () => {
      for (const holder of world.holders) holder.endorsedUntilMs = Date.now() + MINUTE_MS / 2;
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, QUESTION);
      const [session] = life.sessions.all();
      const { runnerId } = life.context.keys;
      const { expiresAtMs } = await world.chain.runner(world.daoId, runnerId);
      expect(session!.expiresAtMs).toBe(expiresAtMs);
      expect(expiresAtMs).toBeLessThanOrEqual(Date.now() + MINUTE_MS / 2);
      clock.offsetMs = expiresAtMs - Date.now() + 1;
      for (const holder of world.holders) holder.endorsedUntilMs = Infinity;
      expect(await codeOf(session!.use())).toBe('ATTESTATION_STALE');
      const releases = world.holders[0]!.releases.length;
      const asked = await sealed(life, job, clientKey, QUESTION);
      await life.desk.ask(job.id, asked.request).catch(() => undefined);
      expect(life.sessions.all()).not.toContain(session);
      expect(world.holders[0]!.releases.length).toBe(releases + 1);
      expect((await world.chain.runner(world.daoId, runnerId)).expiresAtMs).toBeGreaterThan(expiresAtMs);
    });

    it('forgets what was revoked where nobody asks anything, and keeps the rest', async () => {
      const extra = await world.contribute('quay.txt', 'The quay at Emden was paved with clinker in 1911.');
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, QUESTION);
      const [session] = life.sessions.all();
      expect(session!.contributionIds.has(extra.id)).toBe(true);
      await world.run(extra.owner, { kind: 'revokeGrant', grantId: extra.grantId });
      await reviewSessions(life.context, life.sessions);
      expect([session!.contributionIds.has(extra.id), session!.isOver]).toEqual([false, false]);
      expect(session!.contributionIds.has(hives.id)).toBe(true);
    });

    it('gives no answer that was begun before it ended', async () => {
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, QUESTION);
      const [session] = life.sessions.all();
      const next = await sealed(life, job, clientKey, QUESTION);
      shown.grantsOfEach = async (ids) => {
        const grants = await world.chain.grantsOfEach(ids);
        // Only now: the session was open when the question came.
        clock.offsetMs = session!.expiresAtMs - Date.now() + 1;
        return grants;
      };
      expect(await codeOf(life.desk.ask(job.id, next.request))).toBe('ATTESTATION_STALE');
      expect(life.context.store.find(job.id, next.request.questionId)).toBeNull();
    });

    it('is left as it is while the chain cannot be read, and answers nothing', async () => {
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, QUESTION);
      const [session] = life.sessions.all();
      const next = await sealed(life, job, clientKey, QUESTION);
      shown.runner = async () => Promise.reject(refuse('CHAIN_UNAVAILABLE'));
      await reviewSessions(life.context, life.sessions);
      expect(session!.isOver).toBe(false);
      expect(await codeOf(life.desk.ask(job.id, next.request))).toBe('CHAIN_UNAVAILABLE');
    });
  });

  it('forgets a session after ten minutes, and opens another with a new release', async () => {
    const clock = new TestClock();
    await restart({ clock });
    const { job, clientKey } = await world.fundJob();
    await ask(life, job, clientKey, 'What is the price of beeswax?');
    const releases = world.holders[0]!.releases.length;
    clock.offsetMs = LIMITS.sessionTermMs + 1;
    const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
    await life.desk.ask(job.id, asked.request).catch(() => undefined);
    expect(world.holders[0]!.releases.length).toBe(releases + 1);
  });
});
