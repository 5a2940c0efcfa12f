import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { deriveId, type JobState } from '@usufruct/protocol';
import type { JobId } from '@usufruct/kernel';
import { createClient, type Client } from 'graphql-ws';
import { ApiWorld, eventually, ScriptedRunner } from '../../../../../test/support/api-world.js';
import { PRICE, PURPOSE } from '../../../../local-chain/src/testing/dao-world.js';
import { hexOf, walletOf } from '../../../../local-chain/src/testing/world.js';
import { JobEvents } from './job-events.js';

const prepare = `mutation ($input: PrepareJobInput!) { prepareJob(input: $input) {
  ... on PreparedJob { job { jobId state lastEventSeq escrowUnits maxQuestions } quote { escrowUnits usableContributions leftOut { contributionId code } policyVersion } }
  ... on Refusal { __typename code details { key value } } } }`;
const submit = `mutation ($jobId: Hex32!) { submitJob(jobId: $jobId) {
  ... on Job { jobId state } ... on Refusal { __typename code } } }`;
const events = `query ($jobId: Hex32!, $after: Int!) { jobEventsPage(jobId: $jobId, after: $after) {
  events { seq name state error { code } } lastSeq hasMore ended } }`;
const RUNNER_ID = hexOf('runner id');

describe('job: quote, prepare, fund, dispatch, follow', () => {
  let world: ApiWorld;
  let runner: ScriptedRunner;
  let token: string;
  let state: JobState = 'running';
  let clients: Client[] = [];

  beforeAll(async () => {
    runner = await ScriptedRunner.start();
    world = await ApiWorld.start({ RUNNER_URLS: runner.url });
    const { dao } = world;
    await dao.found();
    await dao.fill();
    await dao.run(dao.requester, dao.mint(dao.requester, 100n * PRICE));
    await world.settled();
    token = await world.signIn(dao.requester);
  });
  afterAll(async () => {
    await world.close();
    await runner.close();
  });
  beforeEach(() => {
    state = 'running';
    runner.requests.length = 0;
    runner.reply = ({ path, body }) => ({ body: told((body.jobId ?? path.split('/')[3]) as JobId) });
  });
  afterEach(async () => {
    for (const client of clients) await client.dispose();
    clients = [];
  });

  const told = (jobId: JobId) => ({
    jobId,
    state,
    runnerId: RUNNER_ID,
    documents: 3,
    chunks: 12,
    leftOut: [],
    error: null,
  });
  const terms = (changes: object = {}) => ({
    datasetId: world.dao.datasetId,
    purpose: PURPOSE,
    maxQuestions: 3,
    termMs: 60_000,
    ...changes,
  });
  const idOf = (salt: string): JobId =>
    deriveId<JobId>('job', world.dao.datasetId, world.dao.requester.address, hexOf(salt));
  const fund = (salt: string, changes: object = {}) =>
    world.dao.run(world.dao.requester, world.dao.job({ salt: hexOf(salt), termMs: 60_000, ...changes }));
  const stateOf = async (jobId: JobId): Promise<string> =>
    (await world.field('query ($jobId: Hex32!) { job(jobId: $jobId) { state } }', { jobId }, token))?.state ??
    'unknown';
  const names = async (jobId: JobId): Promise<string[]> =>
    (await world.field(events, { jobId, after: 0 }, token)).events.map((event: { name: string }) => event.name);

  it('quotes what the policy and the grants allow', async () => {
    const quote = `query ($input: QuoteInput!) { quote(input: $input) {
      ... on Quote { escrowUnits pricePerQuestionUnits usableContributions leftOut { code } kind protection } ... on Refusal { __typename code } } }`;
    const ask = (changes: object) => world.field(quote, { input: terms(changes) }, token);
    expect(await ask({})).toEqual({
      escrowUnits: (3n * PRICE).toString(),
      pricePerQuestionUnits: PRICE.toString(),
      usableContributions: 3,
      leftOut: [],
      kind: 'rag',
      protection: 'tee',
    });
    expect(await ask({ purpose: 'dpv:Marketing' })).toEqual({ __typename: 'ConsentRefusal', code: 'PURPOSE_DENIED' });
    expect(await ask({ protection: 'fhe' })).toEqual({ __typename: 'ConsentRefusal', code: 'SCOPE_MISMATCH' });
    // allowed by the policy, granted by nobody
    expect(await ask({ kind: 'stats' })).toEqual({ __typename: 'ConsentRefusal', code: 'NO_USABLE_DATA' });
    expect(await ask({ datasetId: hexOf('none') })).toMatchObject({ code: 'NOT_FOUND' });
    for (const wrong of [
      { maxQuestions: 0 },
      { maxQuestions: 10_001 },
      { termMs: 0 },
      { termMs: 10 ** 9 },
      { purpose: 'fun' },
    ]) {
      expect(await ask(wrong)).toEqual({ __typename: 'InputRefusal', code: 'INVALID_ARGUMENT' });
    }
  });

  it('prepares a job once, however often it is asked to', async () => {
    const input = { ...terms(), salt: hexOf('prepare'), idempotencyKey: 'prepare-key-1' };
    const first = await world.field(prepare, { input }, token);
    expect(first).toMatchObject({
      job: { jobId: idOf('prepare'), state: 'awaiting_approval', lastEventSeq: 2, escrowUnits: '0', maxQuestions: 3 },
      quote: { escrowUnits: (3n * PRICE).toString(), usableContributions: 3, policyVersion: 1 },
    });
    const again = await Promise.all([1, 2, 3].map(() => world.field(prepare, { input }, token)));
    for (const answer of again) expect(answer).toEqual(first);
    expect(await names(idOf('prepare'))).toEqual(['JobQuoted', 'ApprovalAwaited']);
    const other = { ...input, maxQuestions: 2 };
    expect(await world.field(prepare, { input: other }, token)).toMatchObject({
      __typename: 'InputRefusal',
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
    expect(await world.field(prepare, { input: { ...other, idempotencyKey: 'prepare-key-2' } }, token)).toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    expect(await world.field(prepare, { input: { ...input, idempotencyKey: 'short' } }, token)).toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(await world.field(submit, { jobId: idOf('prepare') }, token)).toEqual({
      __typename: 'PaymentRefusal',
      code: 'PAYMENT_REQUIRED',
    });
  });

  it('shows a job to its requester and to nobody else', async () => {
    const jobId = idOf('prepare');
    const stranger = await world.signIn(walletOf('stranger'));
    expect(
      await world.field('query ($jobId: Hex32!) { job(jobId: $jobId) { state } }', { jobId }, stranger),
    ).toBeNull();
    const page = await world.ask(events, { jobId, after: 0 }, stranger);
    expect(page.errors[0]?.extensions.code).toBe('NOT_FOUND');
    expect(await world.field(submit, { jobId }, stranger)).toMatchObject({ code: 'NOT_FOUND' });
    const mine = await world.field('{ jobs { edges { node { jobId } } } }', {}, token);
    expect(mine.edges).toEqual([{ node: { jobId } }]);
  });

  it('brings a funded job to the runner by itself, and tells each step once, in order', async () => {
    state = 'attesting';
    const jobId = idOf('dispatch');
    await world.field(
      prepare,
      { input: { ...terms(), salt: hexOf('dispatch'), idempotencyKey: 'dispatch-key' } },
      token,
    );
    await fund('dispatch');
    await eventually(async () => (await stateOf(jobId)) === 'attesting');
    state = 'provisioning';
    await eventually(async () => (await stateOf(jobId)) === 'provisioning');
    state = 'running';
    await eventually(async () => (await stateOf(jobId)) === 'running');
    expect(await names(jobId)).toEqual([
      'JobQuoted',
      'ApprovalAwaited',
      'JobFunded',
      'JobQueued',
      'AttestationStarted',
      'ProvisioningStarted',
      'SessionStarted',
    ]);
    const job = await world.field(
      `query ($jobId: Hex32!) { job(jobId: $jobId) { escrowUnits documents chunks runnerId clientPublicKey runner { runnerId } } }`,
      { jobId },
      token,
    );
    expect(job).toMatchObject({ escrowUnits: (3n * PRICE).toString(), documents: 3, chunks: 12, runnerId: RUNNER_ID });
    // the runner's stamp was never registered on the chain
    expect(job.runner).toBeNull();
  });

  it('pages through the events from anywhere', async () => {
    const jobId = idOf('dispatch');
    const page = `query ($jobId: Hex32!, $after: Int!) { jobEventsPage(jobId: $jobId, after: $after, first: 3) { events { seq } lastSeq hasMore ended } }`;
    const at = (after: number) => world.field(page, { jobId, after }, token);
    expect(await at(0)).toEqual({
      events: [{ seq: 1 }, { seq: 2 }, { seq: 3 }],
      lastSeq: 3,
      hasMore: true,
      ended: false,
    });
    expect(await at(6)).toEqual({ events: [{ seq: 7 }], lastSeq: 7, hasMore: false, ended: false });
    expect(await at(7)).toEqual({ events: [], lastSeq: 7, hasMore: false, ended: false });
  });

  it('numbers what is told at the same time without a gap, and what is told twice once', async () => {
    const jobId = idOf('dispatch');
    const jobEvents = world.app.get(JobEvents, { strict: false });
    const tell = (i: number) =>
      jobEvents.record({ jobId, name: `Told${i % 6}`, dedupeKey: `told ${i % 6}`, details: { i: `${i % 6}` } });
    await Promise.all(Array.from({ length: 18 }, (_, i) => tell(i)));
    const { events: all, lastSeq } = await world.field(events, { jobId, after: 7 }, token);
    expect(all.map(({ name }: { name: string }) => name).toSorted()).toEqual([0, 1, 2, 3, 4, 5].map((i) => `Told${i}`));
    expect([all.map(({ seq }: { seq: number }) => seq), lastSeq]).toEqual([[8, 9, 10, 11, 12, 13], 13]);
    expect(all[0]).toMatchObject({ state: 'running', error: null });
  });

  it('keeps at a runner that is down, and says so', async () => {
    let down = true;
    runner.reply = ({ path, body }) => (down ? undefined : { body: told((body.jobId ?? path.split('/')[3]) as JobId) });
    const jobId = idOf('outage');
    await fund('outage');
    await eventually(async () => (await names(jobId).catch((): string[] => [])).includes('RunnerTroubled'));
    expect(await stateOf(jobId)).toBe('queued');
    down = false;
    await world.field(submit, { jobId }, token);
    await eventually(async () => (await stateOf(jobId)) === 'running');
  });

  it('loses no job when it is restarted between funding and dispatch', async () => {
    const jobId = idOf('restart');
    await world.stopApi();
    await fund('restart');
    await world.startApi();
    await eventually(async () => (await stateOf(jobId)) === 'running');
    expect((await names(jobId)).filter((name) => name === 'JobFunded')).toHaveLength(1);
  });

  it('has the chain refund a job whose term is over, though nobody asked', async () => {
    runner.reply = () => undefined;
    const before = world.dao.balanceOf(world.dao.requester);
    const jobId = idOf('expiry');
    await fund('expiry', { termMs: 1_500 });
    expect(world.dao.balanceOf(world.dao.requester)).toBe(before - 3n * PRICE);
    await eventually(async () => (await stateOf(jobId).catch(() => '')) === 'expired');
    expect(world.dao.balanceOf(world.dao.requester)).toBe(before);
    const { ended, events: list } = await world.field(events, { jobId, after: 0 }, token);
    expect(ended).toBe(true);
    expect(list.at(-1)).toMatchObject({ name: 'JobClosed', state: 'expired' });
    const job = await world.field(
      `query ($jobId: Hex32!) { job(jobId: $jobId) { escrowUnits refundUnits } }`,
      { jobId },
      token,
    );
    expect(job).toEqual({ escrowUnits: '0', refundUnits: (3n * PRICE).toString() });
  });

  it('tells why a job failed at the runner; its money waits for the end of the term or of the requester', async () => {
    const error = { code: 'NO_USABLE_DATA', message: '', remedy: '', details: {} };
    runner.reply = ({ path, body }) => ({
      body: { ...told((body.jobId ?? path.split('/')[3]) as JobId), state: 'failed', error },
    });
    const jobId = idOf('failure');
    await fund('failure');
    await eventually(async () => (await stateOf(jobId).catch(() => '')) === 'failed');
    const job = await world.field(
      `query ($jobId: Hex32!) { job(jobId: $jobId) { error { code remedy } } }`,
      { jobId },
      token,
    );
    expect(job.error.code).toBe('NO_USABLE_DATA');
    expect(job.error.remedy).not.toBe('');
    await world.dao.run(world.dao.requester, { kind: 'closeJob', jobId });
    await eventually(async () => (await stateOf(jobId)) === 'cancelled');
  });

  describe('jobEvents', () => {
    const subscribe = (jobId: JobId, after: number, bearer = token) => {
      const client = createClient({
        url: `${world.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        connectionParams: { authorization: `Bearer ${bearer}` },
      });
      clients.push(client);
      return client.iterate<{ jobEvents: { seq: number; name: string } }>({
        query: `subscription { jobEvents(jobId: "${jobId}", after: ${after}) { seq name } }`,
      });
    };

    it('tells what has happened, then what happens, and resumes where a client stopped', async () => {
      const jobId = idOf('follow');
      await fund('follow');
      await eventually(async () => (await stateOf(jobId).catch(() => '')) === 'running');
      const seen: string[] = [];
      for await (const { data } of subscribe(jobId, 0)) {
        seen.push(`${data?.jobEvents.seq} ${data?.jobEvents.name}`);
        if (seen.length === 2) break;
      }
      expect(seen).toEqual(['1 JobFunded', '2 JobQueued']);
      const rest = (async () => {
        for await (const { data } of subscribe(jobId, 2)) seen.push(`${data?.jobEvents.seq} ${data?.jobEvents.name}`);
      })();
      await eventually(async () => seen.length >= 3);
      await world.dao.run(world.dao.requester, { kind: 'closeJob', jobId });
      await rest;
      expect(seen).toEqual(['1 JobFunded', '2 JobQueued', '3 SessionStarted', '4 JobClosed']);
    });

    it.each([
      ['nobody', async () => 'no-token', 'UNAUTHENTICATED'],
      ['a stranger', async () => world.signIn(walletOf('stranger')), 'NOT_FOUND'],
    ])('refuses %s', async (_, bearer, code) => {
      const following = subscribe(idOf('follow'), 0, await bearer());
      await expect(following.next()).rejects.toMatchObject([{ extensions: { code } }]);
    });

    it('holds subscriptions to the rules and limits of every other query', async () => {
      const client = createClient({
        url: `${world.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
      });
      clients.push(client);
      const fields = Array.from({ length: 25 }, (_, i) => `a${i}: seq`).join(' ');
      const query = `subscription { jobEvents(jobId: "${idOf('follow')}") { ${fields} } }`;
      await expect(client.iterate({ query }).next()).rejects.toMatchObject([
        { extensions: { code: 'QUERY_TOO_EXPENSIVE' } },
      ]);
    });
  });
});
