import { describe, expect, it } from '@jest/globals';
import type { SigningKey } from '@usufruct/crypto';
import { refuse, systemRandom, toHex32 } from '@usufruct/kernel';
import type { JobView, StreamLine } from '@usufruct/protocol';
import { opened, sealed, streaming, untilKnown, type Asked } from '../../testing/asking.js';
import { chainThatSends, type Life } from '../../testing/life.js';
import { life, restart, useRunner, world } from '../../testing/use-runner.js';
import { modelGenerator } from '../rag/index.js';

describe('the runner on a real local chain', () => {
  useRunner();

  describe('an answer in pieces', () => {
    const QUESTION = 'What is the price of beeswax?';
    /** Those that come; after one that says what is being done, those that come within a moment. */
    const lines = async (of: Life, job: JobView, { request }: Asked, after = 0): Promise<StreamLine[]> => {
      const found: StreamLine[] = [];
      const left = new AbortController();
      for await (const line of of.desk.lines(job.id, request.questionId, after, left.signal)) {
        found.push(line);
        if (line.kind === 'progress') setTimeout(() => left.abort(), 700);
      }
      return found;
    };
    const kinds = (of: readonly StreamLine[]) => of.map((line) => (line.kind === 'progress' ? line.phase : line.kind));
    const streamed = (job: JobView, clientKey: SigningKey) =>
      sealed(life, job, clientKey, QUESTION, undefined, streaming);
    const withChainThatIsDown = async () => {
      const down = { isDown: true };
      const chain = chainThatSends(world.chain, (transaction) =>
        down.isDown ? Promise.reject(refuse('CHAIN_UNAVAILABLE')) : world.chain.send(transaction),
      );
      await restart({ chain });
      return down;
    };

    it('comes when it is paid, and from where its reader left off', async () => {
      const { job, clientKey } = await world.fundJob();
      const asked = await streamed(job, clientKey);
      await expect(life.desk.lines(job.id, asked.request.questionId, 0, AbortSignal.timeout(9)).next()).rejects.toThrow(
        expect.objectContaining({ code: 'QUESTION_UNKNOWN' }),
      );
      const answering = life.desk.ask(job.id, asked.request);
      const isPaid = async () => (await world.chain.settledReceipt(job.id, asked.request.questionId)) !== null;
      await untilKnown(life, job, asked);
      const seen: [string, boolean][] = [];
      const signal = AbortSignal.timeout(20_000);
      for await (const line of life.desk.lines(job.id, asked.request.questionId, 0, signal))
        seen.push([line.kind, await isPaid()]);
      const answer = await opened(await answering, asked);
      expect(seen.filter(([kind]) => kind === 'record')).toHaveLength(answer.sentences.length + 1);
      expect(seen.filter(([kind]) => kind === 'record').every(([, paid]) => paid)).toBe(true);
      const rest = await lines(life, job, asked, 1);
      expect(rest.map((line) => (line.kind === 'record' ? line.seq : line.kind))).toEqual(
        answer.sentences.map((_, i) => i + 1),
      );
    });

    it('does not come before the chain has settled it, however long that takes', async () => {
      const down = await withChainThatIsDown();
      const { job, clientKey } = await world.fundJob();
      const asked = await streamed(job, clientKey);
      expect((await life.desk.ask(job.id, asked.request)).state).toBe('settling');
      expect(kinds(await lines(life, job, asked))).toEqual(['settling']);
      down.isDown = false;
      await life.settler.resume();
      expect(new Set(kinds(await lines(life, job, asked)))).toEqual(new Set(['record']));
    });

    it('never comes when its requester closes the job first', async () => {
      const down = await withChainThatIsDown();
      const { job, clientKey } = await world.fundJob();
      const asked = await streamed(job, clientKey);
      await life.desk.ask(job.id, asked.request);
      down.isDown = false;
      await world.run(world.requester, { kind: 'closeJob', jobId: job.id });
      await life.settler.resume();
      expect(await lines(life, job, asked)).toEqual([
        { kind: 'failed', error: expect.objectContaining({ code: 'JOB_STATE' }) },
      ]);
    });

    it('is whole after a restart: the same answer, asked again under the same id and paid once', async () => {
      const { job, clientKey } = await world.fundJob();
      const asked = await streamed(job, clientKey);
      const before = await life.desk.ask(job.id, asked.request);
      await restart();
      expect(await lines(life, job, asked)).toEqual([{ kind: 'whole' }]);
      const again = await sealed(life, job, clientKey, QUESTION, asked.request.questionId, streaming);
      expect((await life.desk.ask(job.id, again.request)).receipt).toBe(before.receipt);
      expect(await lines(life, job, asked)).toEqual([{ kind: 'whole' }]);
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
    });

    it('starts anew when the runner dies before it has stored an answer: paid once', async () => {
      const { job, clientKey } = await world.fundJob();
      const write = () => new Promise<never>(() => undefined);
      const generators = [
        modelGenerator({ model: { name: 'x', sha256: toHex32(new Uint8Array(32)) }, write }, systemRandom),
      ];
      await restart({ generators });
      const asked = await streamed(job, clientKey);
      life.desk.ask(job.id, asked.request).catch(() => undefined);
      await untilKnown(life, job, asked);
      expect(kinds(await lines(life, job, asked))).toEqual(['computing']);
      await restart();
      await expect(life.desk.lines(job.id, asked.request.questionId, 0, AbortSignal.timeout(9)).next()).rejects.toThrow(
        expect.objectContaining({ code: 'QUESTION_UNKNOWN' }),
      );
      const again = await sealed(life, job, clientKey, QUESTION, asked.request.questionId, streaming);
      expect((await life.desk.ask(job.id, again.request)).state).toBe('settled');
      expect(kinds(await lines(life, job, again))[0]).toBe('record');
      expect((await world.chain.job(job.id)).questionsSettled).toBe(1);
    });

    it('is whole for who wanted no pieces', async () => {
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, QUESTION);
      await life.desk.ask(job.id, asked.request);
      expect(await lines(life, job, asked)).toEqual([{ kind: 'whole' }]);
    });
  });
});
