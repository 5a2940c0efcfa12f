import { join } from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { digestOf, generateSigningKey, sign, verify, type SigningKey } from '@usufruct/crypto';
import { fromBase64, systemRandom, toBase64, toHex32, type QuestionId } from '@usufruct/kernel';
import {
  decodeRefusal,
  evidenceDigest,
  NO_EVIDENCE,
  QuestionAuthorizationBcs,
  TAGS,
  type AskAnswer,
  type JobView,
} from '@usufruct/protocol';
import { ask, sealed, type Asked } from '../../testing/asking.js';
import { chainThatSends, Life } from '../../testing/life.js';
import { directory, hives, life, restart, useRunner, world } from '../../testing/use-runner.js';
import { codeOf, until } from '../../testing/values.js';
import { Corpus } from '../rag/index.js';
import { Refusals } from './refusals.js';

describe('the runner on a real local chain', () => {
  useRunner();

  describe('questions that are not what they must be', () => {
    /** Asked by questions that are refused: they cost it nothing. */
    let malformed: { job: JobView; clientKey: SigningKey };
    beforeAll(async () => {
      malformed = await world.fundJob();
    });

    it('refuses a signature of somebody else, another id, and a question sealed to another key', async () => {
      const { job, clientKey } = await world.fundJob();
      const stranger = await sealed(life, job, generateSigningKey(systemRandom), 'What is the price of beeswax?');
      expect(await codeOf(life.desk.ask(job.id, stranger.request))).toBe('SIGNATURE_INVALID');
      const good = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      const moved = { ...good.request, questionId: toHex32<QuestionId>(systemRandom(32)) };
      expect(await codeOf(life.desk.ask(job.id, moved))).toBe('SIGNATURE_INVALID');
      const other = await Life.begin(world, join(directory, 'other'));
      const stale = await sealed(other, job, clientKey, 'What is the price of beeswax?');
      other.end();
      expect(await codeOf(life.desk.ask(job.id, stale.request))).toBe('ATTESTATION_STALE');
      expect(await codeOf(life.desk.ask(toHex32(systemRandom(32)), good.request))).toBe('NOT_FOUND');
      expect(await codeOf(Promise.resolve().then(() => life.desk.read(job.id, moved.questionId)))).toBe(
        'QUESTION_UNKNOWN',
      );
    });

    it('refuses the same id with another question, and more questions than are paid for', async () => {
      const { job, clientKey } = await world.fundJob(1);
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      const other = await sealed(life, job, clientKey, 'What is the price of heather honey?', asked.request.questionId);
      const first = life.desk.ask(job.id, asked.request);
      const late = await sealed(life, job, clientKey, 'What is the price of heather honey?');
      await first;
      expect(await codeOf(life.desk.ask(job.id, other.request))).toBe('IDEMPOTENCY_KEY_REUSED');
      expect(await codeOf(life.desk.ask(job.id, late.request))).toBe('QUESTION_LIMIT');
    });

    it('answers every question that is paid for, also while the others are being settled', async () => {
      const { job, clientKey } = await world.fundJob(3);
      const heard = Promise.withResolvers<void>();
      const chain = chainThatSends(world.chain, async (transaction) => {
        const sent = await world.chain.send(transaction);
        await heard.promise;
        return sent;
      });
      await restart({ chain });
      const answers: Promise<string>[] = [];
      for (let settled = 1; settled <= 3; settled++) {
        const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
        const answer = life.desk.ask(job.id, asked.request);
        answers.push(answer.then(({ state }) => state));
        // The chain has them all; the runner has not heard so of any.
        await until(async () => (await world.chain.job(job.id)).questionsSettled === settled);
      }
      const late = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      expect(await codeOf(life.desk.ask(job.id, late.request))).toBe('QUESTION_LIMIT');
      heard.resolve();
      expect(await Promise.all(answers)).toEqual(['settled', 'settled', 'settled']);
    });

    it('refuses a job of another kind or protection than it can serve', async () => {
      const { job } = await world.fundJob();
      for (const other of [{ kind: 'train' }, { protection: 'mpc' }] as const) {
        expect(await codeOf(Promise.resolve().then(() => life.sessions.open({ ...job, ...other })))).toBe(
          'SCOPE_MISMATCH',
        );
      }
    });

    it('refuses a job that was closed', async () => {
      const { job, clientKey } = await world.fundJob();
      await world.run(world.requester, { kind: 'closeJob', jobId: job.id });
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?');
      expect(await codeOf(life.desk.ask(job.id, asked.request))).toBe('JOB_STATE');
      expect(life.sessions.view(await world.chain.job(job.id)).state).toBe('cancelled');
    });

    /** As asked over HTTP: what is refused for good comes signed. */
    const overHttp = (of: Life, job: JobView, { request }: Asked): Promise<AskAnswer> =>
      new Refusals(of.context, of.sessions, of.desk).ask(job.id, request);
    const refusalIn = ({ receipt }: AskAnswer) => decodeRefusal(fromBase64(receipt ?? ''));

    it.each<[string, object | string, string]>([
      ['empty', { text: '' }, 'INVALID_ARGUMENT'],
      ['of white space', { text: ' \n\t ' }, 'INVALID_ARGUMENT'],
      ['huge', { text: 'x'.repeat(4_001) }, 'INVALID_ARGUMENT'],
      ['no text', { text: 7 }, 'INVALID_ARGUMENT'],
      ['greedy', { topK: 33 }, 'INVALID_ARGUMENT'],
      ['without a key to answer to', { responsePublicKey: '' }, 'INVALID_ARGUMENT'],
      ['filtered by what is not known', { filter: { sql: '1=1' } }, 'INVALID_ARGUMENT'],
      ['filtered by formats that are none', { filter: { formats: ['exe'] } }, 'INVALID_ARGUMENT'],
      ['weighed by a method that is none', { attribution: 'mine' }, 'INVALID_ARGUMENT'],
      ['no JSON', '{"text": "What', 'MALFORMED_REQUEST'],
      ['no object', '[]', 'INVALID_ARGUMENT'],
    ])('refuses a question that is %s, signed, and charges nothing', async (_what, change, code) => {
      const { job, clientKey } = malformed;
      const asked = await sealed(life, job, clientKey, 'What is the price of beeswax?', undefined, (question) =>
        typeof change === 'string' ? change : JSON.stringify({ ...question, ...change }),
      );
      const state = await overHttp(life, job, asked);
      expect(state).toMatchObject({ state: 'failed', sealedAnswer: null, settlement: null, error: { code } });
      const { keys } = life.context;
      expect(refusalIn(state)).toMatchObject({
        jobId: job.id,
        questionId: asked.request.questionId,
        sealedQuestionSha256: digestOf(fromBase64(asked.request.sealedQuestion)),
        code,
        priceUnits: 0n,
        signerPublicKey: keys.signing.publicKey,
      });
      const [message, signature] = [fromBase64(state.receipt!), fromBase64(state.signature!)];
      const { publicKey } = keys.signing;
      expect(await verify({ publicKey, domainTag: TAGS.refusalReceipt, message, signature })).toBe(true);
      expect(JSON.stringify(state)).not.toMatch(/beeswax|1=1/);
      expect((await world.chain.job(job.id)).escrowUnits).toBe(job.escrowUnits);
    });

    it('signs a refusal once, with the evidence that keys were released for, and tells it again', async () => {
      const { job, clientKey } = await world.fundJob(1);
      await ask(life, job, clientKey, 'What is the price of beeswax?');
      const late = await sealed(life, job, clientKey, 'What is the price of heather honey?');
      const door = new Refusals(life.context, life.sessions, life.desk);
      const first = await door.ask(job.id, late.request);
      expect(refusalIn(first)?.code).toBe('QUESTION_LIMIT');
      expect(refusalIn(first)?.evidenceDigest).toBe(
        evidenceDigest(world.holders[0]!.releases.findLast(({ jobId }) => jobId === job.id)!.bundle),
      );
      expect(await door.ask(job.id, late.request)).toEqual(first);
    });

    it('signs nothing for strangers, for what may pass, and for what is to be sealed anew', async () => {
      const { job, clientKey } = await world.fundJob();
      const door = new Refusals(life.context, life.sessions, life.desk);
      const stranger = await sealed(life, job, generateSigningKey(systemRandom), '');
      expect(await codeOf(door.ask(job.id, stranger.request))).toBe('SIGNATURE_INVALID');
      const another = await world.fundJob();
      const moved = await sealed(life, another.job, clientKey, 'What is the price of beeswax?');
      const { sealedQuestion, questionId } = moved.request;
      const ids = { jobId: job.id, questionId, sealedQuestionSha256: digestOf(fromBase64(sealedQuestion)) };
      const message = QuestionAuthorizationBcs.serialize(ids).toBytes();
      const domainTag = TAGS.questionAuthorization;
      const authorization = toBase64(await sign({ secretKey: clientKey.secretKey, domainTag, message }));
      // Ciphertext of another session, with a good signature for this one.
      expect(await codeOf(door.ask(job.id, { questionId, sealedQuestion, authorization }))).toBe('ATTESTATION_STALE');
      expect(await codeOf(door.read(job.id, toHex32(systemRandom(32))))).toBe('QUESTION_UNKNOWN');
    });

    it('never scores what is granted for another purpose, and says by a signed refusal when there is nothing else', async () => {
      const phrase = 'The ferry at Brake leaves at noon.';
      const { id } = await world.contribute('ferry.txt', phrase, undefined, ['DUO:0000006']);
      const searched: Corpus[] = [];
      const search = jest.spyOn(Corpus.prototype, 'search').mockImplementation(function (this: Corpus, ...call) {
        searched.push(this);
        search.mockRestore();
        return this.search(...call);
      });
      const { job, clientKey } = await world.fundJob();
      const { answer } = await ask(life, job, clientKey, 'When does the ferry at Brake leave?');
      expect(answer.text).not.toContain('noon');
      expect(searched).toHaveLength(1);
      expect(searched[0]!.contributionIds.has(hives.id)).toBe(true);
      expect(searched[0]!.contributionIds.has(id)).toBe(false);
      expect(searched[0]!.passages.some(({ text }) => text.includes('ferry'))).toBe(false);

      const bare = new Proxy(world.chain, {
        get: (target, name) => {
          if (name === 'grantsOfEach') return async (ids: readonly unknown[]) => ids.map(() => []);
          const member: unknown = Reflect.get(target, name);
          return typeof member === 'function' ? (member.bind(target) as unknown) : member;
        },
      });
      const ungranted = await Life.begin(world, join(directory, 'ungranted'), { chain: bare });
      const other = await world.fundJob();
      const asked = await sealed(ungranted, other.job, other.clientKey, 'When does the ferry at Brake leave?');
      const state = await overHttp(ungranted, other.job, asked);
      ungranted.end();
      expect(refusalIn(state)).toMatchObject({ code: 'NO_USABLE_DATA', evidenceDigest: NO_EVIDENCE });
    });
  });
});
