import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, it } from '@jest/globals';
import { generateSigningKey } from '@usufruct/crypto';
import { asAmount, fromBase64, systemRandom, type JobId } from '@usufruct/kernel';
import { decodeRefusal, deriveId, NO_ANSWER_RULES, type AnswerRules } from '@usufruct/protocol';
import type { Embedder } from '@usufruct/retrieval';
import { ask, sealed } from '../../testing/asking.js';
import { Life } from '../../testing/life.js';
import {
  dataDir,
  hives,
  life,
  PHRASE,
  prices,
  restart,
  TWO_PLACES,
  useRunner,
  world,
} from '../../testing/use-runner.js';
import { codeOf, MINUTE_MS, PRICE, PURPOSE, salt } from '../../testing/values.js';
import { eraseHere } from '../erasure/erase-here.js';
import { Refusals } from '../questions/refusals.js';
import { IndexProcess } from '../rag/index.js';
import { reviewSessions } from '../session/review.js';

describe('the runner on a real local chain', () => {
  useRunner();

  describe('the rules of a dataset', () => {
    const setRules = (rules: Partial<AnswerRules>) =>
      world.run(world.founder, {
        kind: 'setAnswerRules',
        datasetId: world.datasetId,
        answerRules: { ...NO_ANSWER_RULES, ...rules },
      });
    afterEach(() => setRules({}));
    /** Of what askers were shown, by the file of this runner. */
    const shownRows = (): number => {
      const file = new DatabaseSync(join(dataDir, 'runner.sqlite'), { readOnly: true });
      const sql = 'select (select count(*) from shown_passages) + (select count(*) from shown_spans) as n';
      const rows = Number(file.prepare(sql).get()!['n']);
      file.close();
      return rows;
    };

    it('withhold what too few people say, and nobody is paid for it', async () => {
      await setRules({ minContributors: 2 });
      const { job, clientKey } = await world.fundJob();
      const { answer } = await ask(life, job, clientKey, 'What is the price of beeswax?');
      expect(answer.text).toBe('Withheld: 1 that rest on fewer contributors than this dataset asks for.');
      expect(answer).toMatchObject({ sentences: [], citations: [], uses: [] });
      expect((await world.chain.job(job.id)).escrowUnits).toBe(job.escrowUnits);
    });

    it.each(['author', 'title'])(
      'tell nothing of the %s where they ask for several people, by a filter neither',
      async (name) => {
        await setRules({ minContributors: 2 });
        const { job, clientKey } = await world.fundJob();
        const filtered = (question: object) => JSON.stringify({ ...question, filter: { [name]: 'a' } });
        const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?', undefined, filtered);
        await expect(life.desk.ask(job.id, asked.request)).rejects.toMatchObject({
          code: 'INVALID_ARGUMENT',
          details: { field: `filter.${name}` },
        });
      },
    );

    it('quote no more than they allow, over jobs and lives of the runner', async () => {
      await setRules({ maxQuoteChars: 30 });
      const question = 'How much stores do colonies need to survive the winter?';
      const first = await world.fundJob();
      const { answer } = await ask(life, first.job, first.clientKey, question);
      expect(answer.text).toBe('Colonies need 20 kg of stores… [1]');
      expect(answer.citations[0]!.quote).toBe('Colonies need 20 kg of stores…');
      const next = await Life.begin(world, dataDir, { wallet: life.context.wallet });
      const second = await world.fundJob();
      const { answer: again } = await ask(next, second.job, second.clientKey, 'What hangs near the hive?');
      next.end();
      expect(again.text).toMatch(/^Withheld: 1 that would quote more|^Near the hive hang/);
      expect(again.text).not.toContain(PHRASE);
    });

    it('hold for an answer that a model still searches for when they are set', async () => {
      let isSet = false;
      const embedder: Embedder = {
        modelHash: 'dd'.repeat(32),
        embed: async (texts, role) => {
          if (role === 'question' && !isSet) await setRules({ minContributors: 2 });
          isSet ||= role === 'question';
          return texts.map(() => Float32Array.of(1));
        },
      };
      await restart({ retrieval: { maker: new IndexProcess(), embedder } });
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('POLICY_OUTDATED');
      const { answer } = await ask(life, job, clientKey, 'What is the price of beeswax?');
      expect(answer.text).toMatch(/^Withheld: 1 that rest on fewer contributors/);
    });

    it('keep nothing of what was erased while an answer was made from it', async () => {
      await setRules({ maxQuoteChars: 1_000 });
      const extra = await world.contribute('buoy.txt', 'The buoy off Tossens rings every ninety seconds.');
      const embedder: Embedder = {
        modelHash: 'bb'.repeat(32),
        embed: async (texts, role) => {
          if (role === 'question') {
            await world.run(extra.owner, { kind: 'tombstoneContribution', contributionId: extra.id });
            await eraseHere(life.context, life.sessions, { contributionId: extra.id });
          }
          return texts.map(() => Float32Array.of(1));
        },
      };
      await restart({ retrieval: { maker: new IndexProcess(), embedder } });
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, 'How often does the buoy off Tossens ring?');
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('TOMBSTONED');
      expect(shownRows()).toBe(0);
    });

    it('keep nothing of what was retired before a question, once its session was looked at', async () => {
      await setRules({ maxQuoteChars: 1_000 });
      const extra = await world.contribute('beacon.txt', 'The beacon of Eckwarden is fed with tallow.');
      const { job, clientKey } = await world.fundJob();
      const question = 'With what is the beacon of Eckwarden fed?';
      expect((await ask(life, job, clientKey, question)).answer.text).toMatch(/tallow/);
      expect(shownRows()).toBeGreaterThan(0);
      await world.run(extra.owner, { kind: 'tombstoneContribution', contributionId: extra.id });
      await ask(life, job, clientKey, question);
      await reviewSessions(life.context, life.sessions);
      expect(shownRows()).toBe(0);
    });

    it('keep nothing of what was retired when no session was there to see it, once another one begins', async () => {
      await setRules({ maxQuoteChars: 1_000 });
      const extra = await world.contribute('winch.txt', 'The winch of Fedderwarden was forged in Essen.');
      const { job, clientKey } = await world.fundJob();
      await ask(life, job, clientKey, 'Where was the winch of Fedderwarden forged?');
      expect(shownRows()).toBeGreaterThan(0);
      life.sessions.end(job.id);
      await world.run(extra.owner, { kind: 'tombstoneContribution', contributionId: extra.id });
      const next = await world.fundJob();
      expect((await ask(life, next.job, next.clientKey, 'Who flies to the moon?')).answer.citations).toEqual([]);
      expect(shownRows()).toBe(0);
    });

    it('end the reach of an asker by a signed refusal', async () => {
      await setRules({ maxReachBps: 1 });
      const { job, clientKey } = await world.fundJob();
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      const state = await new Refusals(life.context, life.sessions, life.desk).ask(job.id, asked.request);
      expect(decodeRefusal(fromBase64(state.receipt!))).toMatchObject({ code: 'REACH_LIMIT', priceUnits: 0n });
      expect((await world.chain.job(job.id)).escrowUnits).toBe(job.escrowUnits);
    });

    it('have nothing to do with what an asker owns himself: that is free, and others are paid for the rest', async () => {
      const { job } = await world.fundJob();
      const clientKey = generateSigningKey(systemRandom);
      const amountUnits = asAmount(100n * PRICE);
      await world.run(hives.owner, { kind: 'mint', to: hives.owner.address, amountUnits });
      const jobSalt = salt();
      const { datasetId, chain } = world;
      await world.run(hives.owner, {
        kind: 'fundJob',
        salt: jobSalt,
        datasetId,
        purpose: PURPOSE,
        computation: 'rag',
        protection: 'tee',
        policyVersion: job.policyVersion,
        pricePerQuestionUnits: asAmount(PRICE),
        maxQuestions: 3,
        termMs: 30 * MINUTE_MS,
        clientPublicKey: clientKey.publicKey,
      });
      const own = await chain.job(deriveId<JobId>('job', datasetId, hives.owner.address, jobSalt));
      const alone = await ask(life, own, clientKey, 'How much stores do colonies need to survive the winter?');
      expect(alone.answer.citations.map(({ contributionId }) => contributionId)).toEqual([hives.id]);
      expect(alone.answer.uses).toEqual([]);
      const before = await world.balance(prices.owner.address);
      const both = await ask(life, own, clientKey, TWO_PLACES);
      expect(both.answer.uses.map(({ contributionId }) => contributionId)).toEqual([prices.id]);
      expect((await world.balance(prices.owner.address)) - before).toBe(700_000n);
      expect((await chain.job(own.id)).escrowUnits).toBe(2n * PRICE);
    });
  });
});
