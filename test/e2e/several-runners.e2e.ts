import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  toBase64,
  toHex32,
  UsufructError,
  type DatasetId,
  type Hex32,
  type JobId,
  type QuestionId,
} from '@usufruct/kernel';
import { deriveId, LIMITS, zAskAnswer, zRunnerLoad, type AskAnswer, type RunnerLoad } from '@usufruct/protocol';
import { memoryJournal, type Asked } from '@usufruct/sdk';
import { FRIDGE_LOG, HANDBOOK, HARVEST, QUESTION } from '../support/documents.js';
import {
  balanceOf,
  contributor,
  found,
  mint,
  newPlayer,
  PRICE_UNITS,
  PURPOSE,
  type Contributor,
  type Founded,
  type Player,
} from '../support/players.js';
import { secondRunner, type SecondRunner } from '../support/second-runner.js';
import { startTestSystem } from '../support/system.js';

/** What the API knows of the runners' load may be this old. */
const LOAD_TERM_MS = 2_100;
/** Of 1,000,003 units: 10 % is 100,000.3, and the unit that the floors leave goes to the treasury. */
const RUNNER_UNITS = 100_000n;

type Session = ReturnType<Player['client']['jobs']['session']>;

/**
 * Two runners, each a process with its own disk, keys and wallet, serve the same datasets. Each is killed while it has
 * something to do; who asked gets the answer of the other, and what it pays is one question.
 */
describe('two runners for one dataset', () => {
  let system: Awaited<ReturnType<typeof startTestSystem>>;
  let second: SecondRunner;
  let dao: Founded;
  let other: Founded;
  let fridge: Contributor;
  let handbook: Contributor;
  let asker: Player;
  let session: Session;

  beforeAll(async () => {
    second = await secondRunner(() => system);
    system = await startTestSystem({ moreRunnerUrls: [second.url] });
    await second.start();
    dao = await found(system.endpoints);
    fridge = await contributor(system.endpoints, dao, 'fridge.txt', FRIDGE_LOG);
    handbook = await contributor(system.endpoints, dao, 'handbook.md', HANDBOOK);
    const { founder, dao: of } = dao;
    const dataset = await founder.client.datasets.create({
      key: 'other',
      daoId: of.id,
      title: 'Harvests',
      description: 'Reports.',
    });
    other = { ...dao, dataset };
    await contributor(system.endpoints, other, 'harvest.txt', HARVEST);
  }, 240_000);
  afterAll(async () => {
    await second?.close();
    await system?.stop();
  }, 240_000);

  /** A funded job whose turn, where nothing tells the runners apart, is at the second one: its id says so. */
  async function fundedAtSecond(
    datasetId: DatasetId,
    maxQuestions: number,
  ): Promise<{ player: Player; session: Session }> {
    const journal = memoryJournal();
    const player = newPlayer(system.endpoints, journal);
    const salts = Array.from({ length: 64 }, (_, i) => toHex32<Hex32>(new Uint8Array(32).fill(i)));
    const isOdd = (salt: Hex32): boolean =>
      Number.parseInt(deriveId<JobId>('job', datasetId, player.signer.address, salt).slice(2, 10), 16) % 2 === 1;
    const record = { salt: salts.find(isOdd), idempotencyKey: toBase64(new Uint8Array(24)) };
    await journal.put('job/session', JSON.stringify(record));
    await mint(player, PRICE_UNITS * BigInt(maxQuestions));
    const terms = { key: 'session', datasetId, purpose: PURPOSE, maxQuestions, termMs: LIMITS.sessionTermMs };
    const { id } = await player.client.jobs.fund(terms);
    return { player, session: player.client.jobs.session(id) };
  }
  const earned = async () => ({
    second: await dao.founder.client.chain.balanceOf(second.wallet.address),
    contributors: (await balanceOf(fridge)) + (await balanceOf(handbook)),
    asked: (await session.onChain()).questionsSettled,
  });
  async function untilDone<T>(attempt: () => Promise<T>): Promise<T> {
    for (const endMs = Date.now() + 60_000; ;) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof UsufructError) || error.entry.retry !== 'later' || Date.now() > endMs) throw error;
        await sleep(200);
      }
    }
  }
  const idOf = async (url: string): Promise<string> =>
    ((await (await fetch(`${url}/v1/runner`)).json()) as { runnerId: string }).runnerId;
  const loadOf = async (url: string): Promise<RunnerLoad> =>
    zRunnerLoad.parse(await (await fetch(`${url}/v1/load`)).json());
  const readAt = async (url: string, questionId: QuestionId): Promise<AskAnswer> =>
    zAskAnswer.parse(await (await fetch(`${url}/v1/jobs/${session.jobId}/questions/${questionId}`)).json());
  const requireAnswer = ({ verdict, answer }: Asked): void => {
    expect(verdict.ok).toBe(true);
    const cited = new Set(answer.citations.map(({ contributionId }) => contributionId));
    expect(cited).toEqual(new Set([fridge.contributionId, handbook.contributionId]));
  };

  /** Asked as a stream. */
  async function heard(key: string): Promise<{ readonly asked: Asked; readonly text: string }> {
    const sentences: string[] = [];
    for await (const event of session.askStream({ key, text: QUESTION })) {
      if (event.kind === 'sentence') sentences.push(event.sentence.shown);
      if (event.kind === 'answer') return { asked: event.asked, text: sentences.join(' ') };
    }
    throw new Error('there was no answer');
  }

  it('brings a job to the one that is less busy, and both serve', async () => {
    ({ player: asker, session } = await fundedAtSecond(dao.dataset.id, 4));
    requireAnswer(await session.ask({ key: 'at the second', text: QUESTION }));
    expect(await earned()).toEqual({ second: RUNNER_UNITS, contributors: 700_002n, asked: 1 });
    expect(await loadOf(second.url)).toMatchObject({ sessions: 1, datasets: [dao.dataset.id] });
    await sleep(LOAD_TERM_MS);
    const elsewhere = await fundedAtSecond(other.dataset.id, 1);
    const { verdict } = await elsewhere.session.ask({ key: 'q', text: 'What premium did buyers pay for?' });
    expect(verdict.ok).toBe(true);
    expect((await loadOf(second.url)).sessions).toBe(1);
    expect((await earned()).second).toBe(RUNNER_UNITS);
  }, 240_000);

  it('has the other answer when one is killed while it works: paid once', async () => {
    const before = await earned();
    // The first thing that it does for a question: read the chain's events since the last one.
    const stuck = second.stuckAt(/\/v1\/events\?.*limit=500/);
    const asking = heard('killed at work');
    await stuck;
    await second.kill();
    const { asked, text } = await asking;
    requireAnswer(asked);
    // Its pieces came from the one that answered, each once.
    expect(text).toBe(asked.answer.text);
    const after = await earned();
    // The second one has earned nothing of it.
    expect(after).toEqual({ ...before, contributors: before.contributors + 700_002n, asked: 2 });
  }, 240_000);

  it('serves again when it is back, with new keys, when the other one dies', async () => {
    const before = await earned();
    await second.start();
    await system.kill('runner');
    requireAnswer(await untilDone(() => session.ask({ key: 'back again', text: QUESTION })));
    expect(await earned()).toMatchObject({ second: before.second + RUNNER_UNITS, asked: 3 });
    await system.restart('runner');
  }, 240_000);

  it('pays for one answer where the dead one had made its own, and tells nobody otherwise', async () => {
    const before = await earned();
    const stuck = second.stuckAt(/^POST \/v1\/transactions/);
    const asking = untilDone(() => session.ask({ key: 'killed before it was paid', text: QUESTION }));
    await stuck;
    const deadId = await idOf(second.url);
    await second.kill();
    const asked = await asking;
    requireAnswer(asked);
    expect(await earned()).toEqual({ ...before, contributors: before.contributors + 700_002n, asked: 4 });
    // Back, it tries to have its own settled.
    await second.start();
    expect(await idOf(second.url)).not.toBe(deadId);
    const { questionId } = asked;
    for (const endMs = Date.now() + 60_000; Date.now() < endMs; await sleep(100)) {
      if ((await readAt(second.url, questionId)).state === 'failed') break;
    }
    expect(await readAt(second.url, questionId)).toMatchObject({
      sealedAnswer: null,
      error: { code: 'RECEIPT_CONSUMED' },
    });
    const again = await session.ask({ key: 'killed before it was paid', text: QUESTION });
    expect(again.answer).toEqual(asked.answer);
  }, 240_000);

  it('has taken the price of four questions from the escrow, and every unit is accounted for', async () => {
    const job = await session.onChain();
    expect([job.state, job.questionsSettled, job.escrowUnits]).toEqual(['succeeded', 4, 0n]);
    expect(await balanceOf(asker)).toBe(0n);
    expect(await earned()).toEqual({ second: 2n * RUNNER_UNITS, contributors: 4n * 700_002n, asked: 4 });
    const { mismatches } = await untilDone(() => dao.founder.client.payouts.reconcile());
    expect(mismatches).toEqual([]);
  }, 240_000);

  it('answers a hundred questions at once without an error, and each is paid once', async () => {
    const asking = [await fundedAtSecond(dao.dataset.id, 50), await fundedAtSecond(dao.dataset.id, 50)] as const;
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => asking[i % 2]!.session.ask({ key: `at once ${i}`, text: QUESTION })),
    );
    answers.forEach(requireAnswer);
    expect(new Set(answers.map(({ questionId }) => questionId)).size).toBe(100);
    for (const { session: of, player } of asking) {
      const { state, questionsSettled, escrowUnits } = await of.onChain();
      expect([state, questionsSettled, escrowUnits, await balanceOf(player)]).toEqual(['succeeded', 50, 0n, 0n]);
    }
  }, 240_000);
});
