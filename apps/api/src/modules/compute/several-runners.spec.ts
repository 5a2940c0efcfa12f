import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { toBase64, type JobId, type QuestionId } from '@usufruct/kernel';
import { deriveId } from '@usufruct/protocol';
import { ApiWorld, eventually, ScriptedRunner, type RunnerReply } from '../../../../../test/support/api-world.js';
import { PRICE } from '../../../../local-chain/src/testing/dao-world.js';
import { hexOf } from '../../../../local-chain/src/testing/world.js';

const ask = `mutation ($input: AskQuestionInput!) { askQuestion(input: $input) {
  ... on Question { state sealedAnswer error { code } } ... on Refusal { __typename code } } }`;
const read = `query ($jobId: Hex32!, $questionId: Hex32!) { question(jobId: $jobId, questionId: $questionId) {
  state sealedAnswer error { code } } }`;
const SIGNATURE = toBase64(new Uint8Array(64).fill(7));
const refusal = (code: string, status = 409): RunnerReply => ({
  status,
  body: { code, message: '', remedy: '', details: {} },
});

/** As a runner tells it to whoever may have it signed. */
const failed = (code: string, questionId = hexOf('')): RunnerReply => ({
  body: {
    questionId,
    state: 'failed',
    sealedAnswer: null,
    receipt: null,
    signature: null,
    settlement: null,
    error: { code, message: '', remedy: '', details: {} },
  },
});
const IDLE = { sessions: 0, sessionsAtMost: 16, questionsUnderWay: 0, datasets: [] };
/** What a runner said of itself is forgotten then. */
const LOAD_TERM_MS = 2_100;

/** A runner that a test can kill: then it cuts every connection. */
class MortalRunner {
  isUp = true;
  /** It cuts the connections of those who read pieces of answers, and of nobody else. */
  cutsStreams = false;
  /** It has no room for another job, whatever it said of itself. */
  isFull = false;
  load: unknown = IDLE;
  /** Undefined cuts the connection. */
  onAsk: (questionId: QuestionId) => Promise<RunnerReply | undefined> | RunnerReply | undefined = () => undefined;
  /** What it has stored, by question. */
  readonly stored = new Map<string, RunnerReply>();

  constructor(
    readonly name: string,
    readonly server: ScriptedRunner,
  ) {
    server.reply = async ({ method, path, body }) => {
      if (!this.isUp || (this.cutsStreams && path.includes('/stream'))) return undefined;
      if (path === '/v1/load') return { body: this.load };
      const [, , , jobId, questions, questionId] = path.split('/');
      if (questions === 'questions') {
        if (method === 'POST') return this.onAsk(body.questionId);
        return this.stored.get(questionId!) ?? refusal('QUESTION_UNKNOWN', 404);
      }
      if (method === 'POST' && this.isFull) return refusal('RUNNER_UNAVAILABLE', 503);
      const told = { jobId: body.jobId ?? jobId, state: 'running', runnerId: hexOf(name) };
      return { body: { ...told, documents: 1, chunks: 1, leftOut: [], error: null } };
    };
  }
  asked(): number {
    return this.server.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/questions')).length;
  }
  hasStarted(jobId: JobId): boolean {
    return this.server.requests.some(({ path, body }) => path === '/v1/jobs' && body.jobId === jobId);
  }
}

describe('several runners for one dataset', () => {
  let world: ApiWorld;
  let token: string;
  let runners: [MortalRunner, MortalRunner];
  let jobs = 0;

  beforeAll(async () => {
    const servers = [await ScriptedRunner.start(), await ScriptedRunner.start()] as const;
    world = await ApiWorld.start({ RUNNER_URLS: servers.map(({ url }) => url).join(',') });
    runners = [new MortalRunner('one', servers[0]), new MortalRunner('two', servers[1])];
    const { dao } = world;
    await dao.found();
    await dao.fill();
    await dao.run(dao.runnerWallet, await dao.registration(dao.statement()));
    await dao.run(dao.requester, dao.mint(dao.requester, 100n * PRICE));
    await world.settled();
    token = await world.signIn(dao.requester);
  });
  afterAll(async () => {
    await world.close();
    for (const { server } of runners) await server.close();
  });
  beforeEach(() => {
    for (const runner of runners)
      Object.assign(runner, { isUp: true, cutsStreams: false, isFull: false, onAsk: () => undefined });
  });
  afterEach(() => {
    for (const { server, stored } of runners) {
      server.requests.length = 0;
      stored.clear();
    }
  });

  const nextJobId = (): JobId =>
    deriveId<JobId>('job', world.dao.datasetId, world.dao.requester.address, hexOf(`several ${jobs}`));

  /** A funded job that runs at the first of the two returned. */
  async function running(): Promise<{ jobId: JobId; at: MortalRunner; other: MortalRunner }> {
    const { dao } = world;
    const jobId = nextJobId();
    await dao.run(dao.requester, dao.job({ salt: hexOf(`several ${jobs++}`), termMs: 600_000 }));
    await eventually(async () => runners.some((runner) => runner.hasStarted(jobId)));
    const at = runners.find((runner) => runner.hasStarted(jobId))!;
    return { jobId, at, other: runners.find((one) => one !== at)! };
  }

  const inputOf = (jobId: JobId, name: string, sealing = 1) => ({
    idempotencyKey: `key-of-${name}-${sealing}`,
    jobId,
    questionId: hexOf<QuestionId>(name),
    sealedQuestion: toBase64(new Uint8Array(100).fill(sealing)),
    authorization: SIGNATURE,
  });
  const send = (jobId: JobId, name: string, sealing = 1) =>
    world.field(ask, { input: inputOf(jobId, name, sealing) }, token);
  const question = (jobId: JobId, name: string) => world.field(read, { jobId, questionId: hexOf(name) }, token);
  const paid = async (jobId: JobId): Promise<number> => (await world.chain.job(jobId)).questionsSettled;

  /** As a runner that settles and keeps the answer; its own mark is the answer. */
  async function settle(jobId: JobId, runner: MortalRunner, questionId: QuestionId): Promise<RunnerReply> {
    const { dao } = world;
    const settlement = await dao.settlement(dao.uses(1n, 3n, null), { jobId, questionId });
    const { digest } = await dao.run(dao.runnerWallet, settlement);
    const reply = {
      body: {
        questionId,
        state: 'settled',
        sealedAnswer: markOf(runner),
        receipt: toBase64(settlement.receipt),
        signature: toBase64(settlement.signature),
        settlement: { transaction: digest },
        error: null,
      },
    };
    runner.stored.set(questionId, reply);
    return reply;
  }
  const markOf = ({ name }: MortalRunner): string => toBase64(new TextEncoder().encode(name.padEnd(64)));
  const consumed = (questionId: QuestionId): RunnerReply => failed('RECEIPT_CONSUMED', questionId);

  it('brings a job to the runner that has the dataset’s index', async () => {
    const jobId = nextJobId();
    // Without it, the job would go to the first one.
    const [first, second] = Number.parseInt(jobId.slice(2, 10), 16) % 2 === 0 ? runners : runners.toReversed();
    second!.load = { ...IDLE, sessions: 3, questionsUnderWay: 5, datasets: [world.dao.datasetId] };
    expect([(await running()).at.name, first!.name]).toEqual([second!.name, first!.name]);
  });

  it('loses only time with a runner that says it is the best, and cuts what it is given', async () => {
    for (const runner of runners) runner.load = { ...IDLE, sessions: 15 };
    const liar = runners[0];
    liar.load = { ...IDLE, sessionsAtMost: 1_000_000, datasets: [world.dao.datasetId] };
    await new Promise((resolve) => setTimeout(resolve, LOAD_TERM_MS));
    const { jobId, at, other } = await running();
    expect(at.name).toBe(liar.name);
    other.onAsk = (questionId) => settle(jobId, other, questionId);
    expect(await send(jobId, 'lied-to')).toMatchObject({ state: 'settled', sealedAnswer: markOf(other) });
    expect([at.asked(), await paid(jobId)]).toEqual([1, 1]);
  });

  it('brings a job, and a question, that a runner has no room for to one that has', async () => {
    for (const runner of runners) runner.isFull = true;
    const { jobId, at, other } = await running();
    other.isFull = false;
    const state = async () =>
      (await world.field(`query ($jobId: Hex32!) { job(jobId: $jobId) { state } }`, { jobId }, token)).state;
    await eventually(async () => (await state()) === 'running');
    at.onAsk = () => refusal('NOT_FOUND', 404);
    other.onAsk = (questionId) => settle(jobId, other, questionId);
    expect(await send(jobId, 'no-room')).toMatchObject({ state: 'settled', sealedAnswer: markOf(other) });
  });

  it('asks another runner when one is killed between computing and settling: one settlement, one answer', async () => {
    const { jobId, at, other } = await running();
    at.onAsk = () => {
      at.isUp = false;
      return undefined;
    };
    other.onAsk = () => refusal('ATTESTATION_STALE');
    expect(await send(jobId, 'killed-before')).toMatchObject({ code: 'ATTESTATION_STALE' });
    await eventually(async () => other.hasStarted(jobId));
    // The client has appraised the other one, and seals to its key.
    other.onAsk = (questionId) => settle(jobId, other, questionId);
    expect(await send(jobId, 'killed-before', 2)).toMatchObject({ state: 'settled', sealedAnswer: markOf(other) });
    expect([at.asked(), other.asked(), await paid(jobId)]).toEqual([1, 2, 1]);
  });

  it('waits for a runner that was killed after settling, and asks no other', async () => {
    const { jobId, at, other } = await running();
    at.onAsk = async (questionId) => {
      await settle(jobId, at, questionId);
      at.isUp = false;
      return undefined;
    };
    other.onAsk = (questionId) => settle(jobId, other, questionId);
    expect(await send(jobId, 'killed-after')).toMatchObject({ state: 'computing' });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await question(jobId, 'killed-after')).toMatchObject({ state: 'computing' });
    at.isUp = true;
    await eventually(async () => (await question(jobId, 'killed-after')).state === 'settled');
    expect(await question(jobId, 'killed-after')).toMatchObject({ sealedAnswer: markOf(at), error: null });
    expect([at.asked(), other.asked(), await paid(jobId)]).toEqual([1, 0, 1]);
  });

  it('gives the answer that was paid, where both have one and the first comes back', async () => {
    const { jobId, at, other } = await running();
    let ofFirst: QuestionId | undefined;
    at.onAsk = (questionId) => {
      ofFirst = questionId;
      at.isUp = false;
      return undefined;
    };
    other.onAsk = () => refusal('ATTESTATION_STALE');
    expect(await send(jobId, 'both-have')).toMatchObject({ code: 'ATTESTATION_STALE' });
    // Back, it settles what it had stored, before the other one has.
    other.onAsk = async (questionId) => {
      await settle(jobId, at, ofFirst!);
      return consumed(questionId);
    };
    expect(await send(jobId, 'both-have', 2)).toMatchObject({ state: 'computing' });
    at.isUp = true;
    await eventually(async () => (await question(jobId, 'both-have')).state === 'settled');
    expect(await question(jobId, 'both-have')).toMatchObject({ sealedAnswer: markOf(at) });
    expect(await paid(jobId)).toBe(1);
  });

  it('does not let a runner that refuses to say what it knows speak for the one that has the answer', async () => {
    const { jobId, at, other } = await running();
    at.onAsk = async (questionId) => {
      await settle(jobId, at, questionId);
      at.isUp = false;
      return undefined;
    };
    other.stored.set(hexOf('spoken-for'), refusal('INVALID_ARGUMENT', 400));
    expect(await send(jobId, 'spoken-for')).toMatchObject({ state: 'computing' });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await question(jobId, 'spoken-for')).toMatchObject({ state: 'computing' });
    at.isUp = true;
    await eventually(async () => (await question(jobId, 'spoken-for')).state === 'settled');
    expect(await question(jobId, 'spoken-for')).toMatchObject({ sealedAnswer: markOf(at), error: null });
  });

  it.each([
    ['before it is', false, refusal('NO_USABLE_DATA')],
    ['when it is', true, refusal('NO_USABLE_DATA')],
    ['by a receipt before it is', false, failed('NO_USABLE_DATA')],
    ['by a receipt when it is', true, failed('NO_USABLE_DATA')],
  ])(
    'gives the answer that was paid, where another has refused the question %s',
    async (when, isPaidFirst, refused) => {
      const name = `refused-${when.replaceAll(' ', '-')}`;
      const { jobId, at, other } = await running();
      at.onAsk = () => {
        at.isUp = false;
        return undefined;
      };
      other.onAsk = () => refusal('ATTESTATION_STALE');
      expect(await send(jobId, name)).toMatchObject({ code: 'ATTESTATION_STALE' });
      const settleAtFirst = () => settle(jobId, at, hexOf<QuestionId>(name));
      other.onAsk = async () => {
        if (isPaidFirst) {
          await settleAtFirst();
          await world.settled();
        }
        return 'status' in refused ? refused : { body: { ...(refused.body as object), questionId: hexOf(name) } };
      };
      expect(await send(jobId, name, 2)).toMatchObject(
        isPaidFirst ? { state: 'computing' } : { code: 'NO_USABLE_DATA' },
      );
      if (!isPaidFirst) await settleAtFirst();
      at.isUp = true;
      await eventually(async () => (await question(jobId, name)).state === 'settled');
      expect(await question(jobId, name)).toMatchObject({ sealedAnswer: markOf(at), error: null });
      expect([at.asked(), await paid(jobId)]).toEqual([1, 1]);
    },
  );

  it('reads the pieces of an answer where they are, and moves no job for that', async () => {
    const { jobId, at, other } = await running();
    at.onAsk = (questionId) => settle(jobId, at, questionId);
    other.onAsk = (questionId) => settle(jobId, other, questionId);
    await send(jobId, 'pieces');
    const stream = async () => {
      const path = `/v1/jobs/${jobId}/questions/${hexOf('pieces')}/stream`;
      const response = await fetch(`${world.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
      return [response.status, ((await response.json()) as { code?: string }).code];
    };
    expect(await stream()).toEqual([200, undefined]);
    // To streams alone: one that is down to all is right to lose its job to whoever looks after it in the background.
    at.cutsStreams = true;
    expect(await stream()).toEqual([404, 'QUESTION_UNKNOWN']);
    at.cutsStreams = false;
    expect(await stream()).toEqual([200, undefined]);
    await send(jobId, 'after-pieces');
    expect([at.asked(), other.asked()]).toEqual([2, 0]);
  });
});
