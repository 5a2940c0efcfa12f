import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { refuse, type Digest } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import { opened, sealed } from '../testing/asking.js';
import { chainThatSends, Life } from '../testing/life.js';
import { life, restart, useRunner, world } from '../testing/use-runner.js';
import { codeOf, TestClock } from '../testing/values.js';
import { Settler } from './settler.js';

describe('the runner on a real local chain', () => {
  useRunner();

  it('is paid once where two runners have answered: the one whose receipt the chain took gives the answer', async () => {
    const { job, clientKey } = await world.fundJob();
    // The first one has signed and stored, and is gone before anything is sent.
    const cut = async () => Promise.reject(refuse('CHAIN_UNAVAILABLE'));
    const chain = new Proxy(world.chain, {
      get: (target, name) => {
        const member: unknown = name === 'send' || name === 'transaction' ? cut : Reflect.get(target, name);
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    const directory = mkdtempSync(join(tmpdir(), 'second-runner-'));
    const gone = await Life.begin(world, mkdtempSync(join(tmpdir(), 'first-runner-')), { chain });
    const second = await Life.begin(world, directory);
    try {
      const asked = await sealed(gone, job, clientKey, 'What is the price of beeswax?');
      expect((await gone.desk.ask(job.id, asked.request)).state).toBe('settling');
      const { questionId } = asked.request;
      const again = await sealed(second, job, clientKey, 'What is the price of beeswax?', questionId);
      // What was sealed to the one opens for the other never.
      expect(await codeOf(second.desk.ask(job.id, { ...asked.request }))).toBe('ATTESTATION_STALE');
      const answer = await second.desk.ask(job.id, again.request);
      expect([answer.state, (await opened(answer, again)).text.length > 0]).toEqual(['settled', true]);
      // Back, and able to send.
      const back = new Settler({ ...gone.context, chain: world.chain });
      await back.resume();
      const late = gone.desk.read(job.id, questionId);
      expect([late.state, late.error?.code, late.sealedAnswer]).toEqual(['failed', 'RECEIPT_CONSUMED', null]);
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
    } finally {
      gone.end();
      second.end();
    }
  });

  describe('once, whatever happens in between', () => {
    it('gives the same answer to a question that is sent three times, and is paid once', async () => {
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      const [first, second] = await Promise.all([1, 2].map(() => life.desk.ask(job.id, asked.request)));
      const third = await life.desk.ask(job.id, asked.request);
      expect(second).toEqual(first);
      expect(third).toEqual(first);
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
    });

    it('goes on after a kill between storing and sending: settled once, the same answer, by a process with other keys', async () => {
      const { job, clientKey } = await world.fundJob();
      const chain = chainThatSends(world.chain, () => Promise.reject(refuse('CHAIN_UNAVAILABLE')));
      await restart({ chain });
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      const pending = await life.desk.ask(job.id, asked.request);
      expect(pending).toMatchObject({ state: 'settling', sealedAnswer: null });

      await restart();
      expect(life.desk.read(job.id, asked.request.questionId).state).toBe('settling');
      await life.settler.resume();
      const settled = life.desk.read(job.id, asked.request.questionId);
      expect(settled.state).toBe('settled');
      expect(settled.receipt).toBe(pending.receipt);
      expect((await opened(settled, asked)).text).toMatch(/18\.00/);
      await life.settler.resume();
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
      const again = await sealed(life, job, clientKey, 'What is the price of beeswax?', asked.request.questionId);
      expect((await life.desk.ask(job.id, again.request)).receipt).toBe(pending.receipt);
    });

    it('looks up a settlement whose answer was lost, and does not send another', async () => {
      const { job, clientKey } = await world.fundJob();
      const sent: Digest[] = [];
      const chain = chainThatSends(world.chain, async (transaction) => {
        sent.push(transaction.digest);
        await world.chain.send(transaction);
        throw refuse('SETTLEMENT_UNKNOWN', { digest: transaction.digest });
      });
      await restart({ chain });
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      expect((await life.desk.ask(job.id, asked.request)).state).toBe('settling');
      const settled = await life.desk.ask(job.id, asked.request);
      expect(settled.state).toBe('settled');
      expect(sent).toEqual([settled.settlement!.transaction]);
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
    });

    it('signs the settlement anew when the first can no longer happen, for the same receipt', async () => {
      const { job, clientKey } = await world.fundJob();
      let isDown = true;
      const chain = chainThatSends(world.chain, (transaction) =>
        isDown ? Promise.reject(refuse('SETTLEMENT_UNKNOWN')) : world.chain.send(transaction),
      );
      const clock = new TestClock();
      await restart({ chain, clock });
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      const pending = await life.desk.ask(job.id, asked.request);
      expect(pending.state).toBe('settling');
      isDown = false;
      clock.offsetMs = LIMITS.transactionTermMs + LIMITS.clockSkewMs + 1_000;
      await life.settler.resume();
      clock.offsetMs = 0;
      await life.settler.resume();
      const settled = life.desk.read(job.id, asked.request.questionId);
      expect(settled.state).toBe('settled');
      expect(settled.receipt).toBe(pending.receipt);
      expect(settled.settlement!.transaction).not.toBe(pending.settlement!.transaction);
    });

    it('fails, and gives no answer out, when the job was closed before its receipt came', async () => {
      const { job, clientKey } = await world.fundJob();
      let isDown = true;
      const chain = chainThatSends(world.chain, (transaction) =>
        isDown ? Promise.reject(refuse('SETTLEMENT_UNKNOWN')) : world.chain.send(transaction),
      );
      await restart({ chain });
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      await life.desk.ask(job.id, asked.request);
      isDown = false;
      await world.run(world.requester, { kind: 'closeJob', jobId: job.id });
      await life.settler.resume();
      expect(life.desk.read(job.id, asked.request.questionId)).toMatchObject({
        state: 'failed',
        sealedAnswer: null,
        error: { code: 'JOB_STATE' },
      });
    });
  });
});
