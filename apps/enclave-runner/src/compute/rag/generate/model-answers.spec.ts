import { describe, expect, it } from '@jest/globals';
import { fromBase64, refuse, systemRandom, toHex32, type Digest } from '@usufruct/kernel';
import { UsageReceiptBcs } from '@usufruct/protocol';
import { ask, by, opened, sealed } from '../../../testing/asking.js';
import { life, prices, restart, useRunner, world } from '../../../testing/use-runner.js';
import { codeOf } from '../../../testing/values.js';
import { EXTRACTIVE, modelGenerator, type ModelWriter } from '../index.js';

describe('the runner on a real local chain', () => {
  useRunner();

  describe('a language model that answers', () => {
    const QUESTION = 'What is the price of beeswax?';
    const MODEL = { name: 'small-7b', sha256: toHex32<Digest>(new Uint8Array(32).fill(7)) };
    const writing = async (write: ModelWriter['write']): Promise<void> => {
      const generators = [modelGenerator({ model: MODEL, write }, systemRandom), EXTRACTIVE];
      await restart({ generators });
    };

    it('is named by its hash in the receipt, and whom it cites is paid', async () => {
      await writing(async ({ user }) => `Beeswax costs 18.00 [${/document (\d+) [^[]*Beeswax/.exec(user)?.[1]}].`);
      const { job, clientKey } = await world.fundJob();
      const before = await world.balance(prices.owner.address);
      const { state, answer } = await ask(life, job, clientKey, QUESTION);
      expect(answer).toMatchObject({ generator: 'model', model: MODEL, text: 'Beeswax costs 18.00. [1]' });
      expect(UsageReceiptBcs.parse(fromBase64(state.receipt!)).modelHash).toBe(MODEL.sha256);
      expect((await world.balance(prices.owner.address)) - before).toBe(700_000n); // 70 % of 1,000,000
    });

    it('is not replaced where it is away: nothing is charged, and who asks for sentences of documents gets them', async () => {
      await writing(() => Promise.reject(refuse('GENERATOR_UNAVAILABLE', { model: MODEL.name })));
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, QUESTION);
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('GENERATOR_UNAVAILABLE');
      expect(life.desk.read(job.id, asked.request.questionId)).toMatchObject({
        state: 'failed',
        error: { code: 'GENERATOR_UNAVAILABLE' },
      });
      const other = await sealed(life, job, clientKey, QUESTION, undefined, by('extractive'));
      const state = await life.desk.ask(job.id, other.request);
      expect(await opened(state, other)).toMatchObject({ generator: 'extractive' });
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
      expect(UsageReceiptBcs.parse(fromBase64(state.receipt!)).modelHash).toBe(`0x${'0'.repeat(64)}`);
    });

    it('is not there where none is configured', async () => {
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, QUESTION, undefined, by('model'));
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('INVALID_ARGUMENT');
    });

    it('gives nothing out that was revoked while it wrote', async () => {
      const lamp = await world.contribute('lamp.txt', 'The lighthouse lamp burns 12 litres of oil each night.\n');
      await writing(async ({ user }) => {
        await world.run(lamp.owner, { kind: 'revokeGrant', grantId: lamp.grantId });
        return `The lighthouse lamp burns 12 litres of oil [${/document (\d+) [^[]*lighthouse/.exec(user)?.[1]}].`;
      });
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, 'How much oil does the lighthouse lamp burn?');
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('GRANT_REVOKED');
      expect((await world.chain.job(job.id)).questionsSettled).toBe(0);
    });

    it('is left alone when its session ends', async () => {
      const { job, clientKey } = await world.fundJob();
      await writing(async (_prompt, signal) => {
        life.sessions.end(job.id);
        if (!signal.aborted) throw new Error('the session goes on');
        throw refuse('GENERATOR_UNAVAILABLE');
      });
      const asked = await sealed(life, job, clientKey, QUESTION);
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('GENERATOR_UNAVAILABLE');
    });
  });
});
