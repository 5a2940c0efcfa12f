import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { followEvents, LocalChainClient } from '@usufruct/chain';
import {
  asAmount,
  toUsufructError,
  type ContributionId,
  type JobId,
  type LicenceId,
  type Logger,
  type QuestionId,
} from '@usufruct/kernel';
import {
  LIMITS,
  receiptDigest,
  runnerIdOf,
  signerIdOf,
  zTransactionOutcome,
  type ChainAction,
  type ChainEvent,
} from '@usufruct/protocol';
import { startLocalChain, type RunningChain } from '../start.js';
import { DaoWorld, PRICE, PURPOSE } from '../testing/dao-world.js';
import { CHALLENGE_MS, PrivateWorld } from '../testing/private-world.js';
import { countingRandom, digestOf, hexOf, TestClock, walletOf } from '../testing/world.js';
import type { Faults } from './server.js';

const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const ORIGIN = 'http://portal.test';
const alice = walletOf('alice');
const mint = (units: bigint): ChainAction => ({ kind: 'mint', to: alice.address, amountUnits: asAmount(units) });
const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'ok',
    (error: unknown) => toUsufructError(error).code,
  );

let dataDir: string;
let clock: TestClock;
let running: RunningChain | undefined;
let seeds = 0;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'local-chain-'));
  clock = new TestClock();
});
afterEach(async () => {
  await running?.close();
  running = undefined;
  await rm(dataDir, { recursive: true, force: true });
});

async function start(faults: Faults = {}): Promise<RunningChain> {
  const server = { host: '127.0.0.1', port: 0, allowedOrigins: [ORIGIN], logger: silent, faults };
  running = await startLocalChain({ ...server, dataDir, clock, random: countingRandom(`store ${seeds++}`) });
  return running;
}
const clientOf = ({ url }: { url: string }, options = {}) =>
  new LocalChainClient({ url, clock, random: countingRandom(`client ${seeds++}`), ...options });

describe('the chain port over HTTP', () => {
  it('reads every object as the chain has it', async () => {
    const server = await start();
    const { chain } = server;
    const world = await (await (await new DaoWorld({ clock, chain }).found()).fill()).open();
    const client = clientOf(server);
    const settlement = await world.settlement(world.uses(2n, 1n, null));
    await client.execute([settlement], world.stranger);

    const { store } = world;
    expect(await client.info()).toEqual(chain.info);
    expect(await client.dataset(world.datasetId)).toEqual(store.read('dataset', world.datasetId));
    const members = [world.founder, ...world.contributors].map((who) => who.address);
    expect(await client.dao(world.daoId)).toEqual({ ...store.read('dao', world.daoId), members });
    expect(await client.holderSet(world.holderSetId)).toEqual(store.read('holder-set', world.holderSetId));
    expect((await client.contributionsOf(world.datasetId)).map((c) => c.id)).toEqual(world.contributionIds);
    const first = world.contributionIds[0]!;
    expect(await client.contribution(first)).toEqual(store.read('contribution', first));
    expect((await client.grantsOf(first)).map((grant) => grant.id)).toEqual([world.grantIds[0]]);
    const asked = [world.contributionIds[1]!, hexOf<ContributionId>('x'), first];
    expect((await client.contributions(asked)).map((one) => one?.id ?? null)).toEqual([asked[0], null, first]);
    const grants = (await client.grantsOfEach(asked)).map((of) => of.map(({ id }) => id));
    expect(grants).toEqual([[world.grantIds[1]], [], [world.grantIds[0]]]);
    expect(await client.grant(world.grantIds[0]!)).toEqual(store.read('grant', world.grantIds[0]!));
    const runnerId = runnerIdOf(world.runnerKey.publicKey) as Parameters<typeof client.runner>[1];
    expect(await client.runner(world.daoId, runnerId)).toMatchObject({ payTo: world.runnerWallet.address });
    expect(await client.job(world.jobId)).toMatchObject({ questionsSettled: 1, escrowUnits: 2n * PRICE });
    const questionId = hexOf<QuestionId>('question 1');
    expect(await client.settledReceipt(world.jobId, questionId)).toBe(receiptDigest(settlement.receipt));
    expect(await client.settledReceipt(world.jobId, hexOf<QuestionId>('question 2'))).toBeNull();
    const [, ada] = members;
    expect(await client.member(world.daoId, ada!)).toEqual({
      address: ada,
      roles: 0,
      ordinal: 1,
      // Two thirds of 70 % of a million, rounded down, and one unit more: 466,666.67 has the larger remainder.
      earnedUnits: 466_667n,
    });
    expect(await client.member(world.daoId, world.stranger.address)).toBeNull();
    expect(await client.applicationsOf(world.daoId)).toEqual([]);
    const statementHash = digestOf('statement');
    await client.execute([{ kind: 'applyForMembership', daoId: world.daoId, statementHash }], world.stranger);
    const applicant = world.stranger.address;
    expect(await client.applicationsOf(world.daoId)).toEqual([{ applicant, statementHash }]);
    await client.execute([world.propose({ kind: 'unpause' }, 'first')], world.founder);
    await client.execute([world.propose({ kind: 'unpause' }, 'second')], world.founder);
    const proposals = await client.proposalsOf(world.daoId);
    expect(proposals.map((proposal) => proposal.number)).toEqual([1, 2]);
    expect(await client.proposal(world.proposalIdOf(world.founder, 'second'))).toEqual(proposals[1]);
    expect(proposals[1]).toEqual(store.read('proposal', proposals[1]!.id));
    expect(await client.balanceOf(world.requester.address)).toBe(7n * PRICE);
    expect(await client.balanceOf(walletOf('nobody').address)).toBe(0n);
  });

  it('reads offers and licences as the chain has them', async () => {
    const server = await start();
    const { chain } = server;
    const world = await (await new DaoWorld({ clock, chain }).found()).fill();
    const client = clientOf(server);
    const terms = {
      datasetId: world.datasetId,
      purpose: PURPOSE,
      computation: 'rag' as const,
      protection: 'tee' as const,
      priceUnits: asAmount(5n),
      termMs: 1_000,
    };
    await world.decided({ kind: 'offerLicence', terms });
    const offerId = world.proposalIdOf(world.founder) as string as LicenceId;
    expect(await client.licenceOffer(offerId)).toEqual({ id: offerId, daoId: world.daoId, terms, withdrawnAtMs: null });
    const salt = hexOf('licence');
    const buy = { kind: 'buyLicence' as const, salt, offerId, priceUnits: asAmount(5n) };
    await client.execute([world.mint(world.requester, 5n), buy], world.requester);
    const licence = await client.licence(world.derive<LicenceId>('licence', offerId, world.requester, 'licence'));
    expect(licence).toEqual(world.store.read('licence', licence.id));
    expect(licence).toMatchObject({ offerId, licensee: world.requester.address, terms });
  });

  it('reads signers, the pool, epochs and claims as the chain has them', async () => {
    const server = await start();
    const { chain } = server;
    const world = new PrivateWorld({ clock, chain });
    await (await (await world.found()).fill()).open();
    const client = clientOf(server);
    expect(await client.receiptPool(world.daoId)).toMatchObject({ receiptCount: 0n, coveredReceipts: 0n });
    expect(await client.epochsOf(world.daoId)).toEqual([]);

    await world.settle(1, [1n, 1n, null]);
    const epoch = await world.epoch();
    await client.execute([epoch.action], world.stranger);
    clock.advance(CHALLENGE_MS);
    await client.execute([world.claim(epoch, 1)], world.stranger);
    const { store } = world;
    expect(await client.receiptPool(world.daoId)).toEqual(store.read('receipt-pool', world.daoId));
    expect(await client.epoch(epoch.id)).toEqual(store.read('epoch', epoch.id));
    expect((await client.epochsOf(world.daoId)).map(({ id, state }) => [id, state])).toEqual([[epoch.id, 'open']]);
    expect(await Promise.all([0, 1, 2].map((index) => client.isClaimed(epoch.id, index)))).toEqual([
      false,
      true,
      false,
    ]);

    const publicKeys = [world.host.publicKey];
    const signer = { kind: 'registerSigner', signerKind: 'fhe-host', publicKeys, payTo: alice.address } as const;
    await world.decided(signer);
    const signerId = signerIdOf('fhe-host', publicKeys);
    expect(await client.signer(world.daoId, signerId)).toMatchObject({ signerKind: 'fhe-host', withdrawnAtMs: null });
  });

  it('gives many contributions in pages, each in its place, and no page that is larger', async () => {
    const { url, chain } = await start();
    const world = await new DaoWorld({ chain, clock }).found();
    await world.fill();
    const paths: string[] = [];
    const counted: typeof fetch = (input, init) => {
      paths.push(String(input).slice(url.length));
      return fetch(input, init);
    };
    const client = new LocalChainClient({ url, fetch: counted });
    const [first] = world.contributionIds as [ContributionId];
    const many = Array.from({ length: 2 * LIMITS.contributionsPage + 1 }, (_, i) => hexOf<ContributionId>(`no ${i}`));
    many[LIMITS.contributionsPage] = first;
    const found = await client.contributions(many);
    expect(found.map((one, i) => (one === null ? [] : [i, one.id])).flat()).toEqual([LIMITS.contributionsPage, first]);
    const grants = await client.grantsOfEach(many);
    expect(grants.map((of, i) => (of.length === 0 ? [] : [i])).flat()).toEqual([LIMITS.contributionsPage]);
    expect(paths).toEqual([...Array(3).fill('/v1/contributions/query'), ...Array(3).fill('/v1/grants/query')]);
    const body = JSON.stringify({ contributionIds: many });
    const refused = await fetch(`${url}/v1/grants/query`, { method: 'POST', body });
    expect([refused.status, await refused.json()]).toMatchObject([400, { code: 'INVALID_ARGUMENT' }]);
  });

  it('says what is not there', async () => {
    const client = clientOf(await start());
    const codes = await Promise.all([
      codeOf(client.dao(hexOf('x'))),
      codeOf(client.contributionsOf(hexOf('x'))),
      codeOf(client.grantsOf(hexOf('x'))),
      codeOf(client.member(hexOf('x'), hexOf('y'))),
      codeOf(client.applicationsOf(hexOf('x'))),
      codeOf(client.proposal(hexOf('x'))),
      codeOf(client.proposalsOf(hexOf('x'))),
      codeOf(client.licenceOffer(hexOf('x'))),
      codeOf(client.licence(hexOf('x'))),
      codeOf(client.runner(hexOf('x'), hexOf('y'))),
      codeOf(client.settledReceipt(hexOf('x'), hexOf('y'))),
      codeOf(client.signer(hexOf('x'), hexOf('y'))),
      codeOf(client.receiptPool(hexOf('x'))),
      codeOf(client.epoch(hexOf('x'))),
      codeOf(client.epochsOf(hexOf('x'))),
      codeOf(client.isClaimed(hexOf('x'), 0)),
    ]);
    expect(codes).toEqual(codes.map(() => 'NOT_FOUND'));
    expect(await client.transaction(digestOf('x'))).toBeNull();
  });

  it('gives the outcome, throws the refusal, and keeps both', async () => {
    const client = clientOf(await start());
    const outcome = await client.execute([mint(5n)], alice);
    expect(outcome.events[0]?.data).toMatchObject({ type: 'Minted', amountUnits: 5n });
    expect(await client.transaction(outcome.digest)).toEqual(outcome);

    const failing = await client.prepare([{ kind: 'closeJob', jobId: hexOf<JobId>('x') }], alice);
    expect(await codeOf(client.send(failing))).toBe('NOT_FOUND');
    expect(await codeOf(client.send(failing))).toBe('NOT_FOUND');
    expect((await client.transaction(failing.digest))?.error).toEqual({
      code: 'NOT_FOUND',
      details: { job: hexOf('x') },
    });
  });

  it('pages events and waits for the next one', async () => {
    const client = clientOf(await start());
    for (const units of [1n, 2n, 3n]) await client.execute([mint(units)], alice);
    expect((await client.events(0, { limit: 2 })).map((event) => event.seq)).toEqual([1, 2]);
    expect((await client.events(2)).map((event) => event.seq)).toEqual([3]);
    expect(await client.events(3)).toEqual([]);
    const waiting = client.events(3, { waitMs: 10_000 });
    await client.execute([mint(4n)], alice);
    expect((await waiting).map((event) => event.seq)).toEqual([4]);
  });

  it('follows events to the end, and stops when told', async () => {
    const client = clientOf(await start());
    const stop = new AbortController();
    const seen: ChainEvent[] = [];
    const following = followEvents(client, {
      after: 0,
      signal: stop.signal,
      onEvents: (events) => {
        seen.push(...events);
        if (seen.length === 5) stop.abort();
      },
    });
    for (let i = 1n; i <= 5n; i++) await client.execute([mint(i)], alice);
    await following;
    expect(seen.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('when the way to the chain is bad', () => {
  it('executes once what arrives twice', async () => {
    const client = clientOf(await start({ deliverTwice: true }));
    await client.execute([mint(5n)], alice);
    expect(await client.balanceOf(alice.address)).toBe(5n);
  });

  it('finds the outcome of a transaction whose answer was lost', async () => {
    let lost = 0;
    const client = clientOf(await start({ loseReply: () => ++lost > 0 }), { lookUpAfterMs: [1] });
    expect((await client.execute([mint(5n)], alice)).status).toBe('succeeded');
    expect(
      await codeOf(client.execute([{ kind: 'transfer', to: alice.address, amountUnits: asAmount(6n) }], alice)),
    ).toBe('INSUFFICIENT_BALANCE');
    // Over a kept connection, of which there may be none left, each is sent twice; it happens once.
    expect(lost).toBeGreaterThanOrEqual(2);
    expect([(await client.events(0)).length, await client.balanceOf(alice.address)]).toEqual([1, 5n]);
  });

  it('says that the outcome is not known while it is not, and knows it later', async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
    const server = await start({ held });
    let sent: Promise<unknown> = Promise.resolve();
    // Whoever gives up has sent it all the same, also on a machine that is slow.
    const givingUp: typeof fetch = (input, init) => {
      if (init?.method !== 'POST' || !String(input).endsWith('/transactions')) return fetch(input, init);
      const { signal, ...rest } = init;
      const arriving = fetch(input, rest);
      sent = arriving.then((response) => response.text());
      const left = new Promise<never>((_, fail) => signal!.addEventListener('abort', () => fail(signal!.reason)));
      return Promise.race([arriving, left]);
    };
    const patient = clientOf(server);
    const transaction = await patient.prepare([mint(5n)], alice);
    const client = clientOf(server, { fetch: givingUp, timeoutMs: 50, lookUpAfterMs: [1, 1] });
    expect(await codeOf(client.send(transaction))).toBe('SETTLEMENT_UNKNOWN');
    expect(await patient.transaction(transaction.digest)).toBeNull();
    letGo();
    await sent;
    expect((await patient.transaction(transaction.digest))?.status).toBe('succeeded');
    expect(await patient.balanceOf(alice.address)).toBe(5n);
  });

  it('tells each of several readers everything from its own cursor on, once and in order, whatever pages are lost', async () => {
    let [pages, lost] = [0, 0];
    const client = clientOf(await start({ loseEvents: () => ++pages % 3 === 0 }));
    const stop = new AbortController();
    const reader = (after: number, limit: number, pauseMs: number): { seen: number[]; done: Promise<void> } => {
      const seen: number[] = [];
      const done = followEvents(client, {
        after,
        limit,
        retryMs: 1,
        waitMs: 20,
        signal: stop.signal,
        onUnavailable: () => void lost++,
        onEvents: async (events) => {
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
          seen.push(...events.map(({ seq }) => seq));
        },
      });
      return { seen, done };
    };
    const readers = [reader(0, 1, 0), reader(0, 100, 30), reader(4, 2, 5)];
    for (let i = 1n; i <= 8n; i++) await client.execute([mint(i)], alice);
    while (readers.some(({ seen }) => seen.at(-1) !== 8)) await new Promise((resolve) => setTimeout(resolve, 5));
    stop.abort();
    await Promise.all(readers.map(({ done }) => done));
    const all = [1, 2, 3, 4, 5, 6, 7, 8];
    expect(readers.map(({ seen }) => seen)).toEqual([all, all, all.slice(4)]);
    expect(lost).toBeGreaterThan(0);
  });

  it('answers what is asked together as it answers it alone, as of one moment', async () => {
    const server = await start();
    const client = clientOf(server);
    await client.execute([mint(5n)], alice);
    let [balance, seq] = [5n, 1];
    for (const more of [1n, 2n, 3n]) {
      const minting = client.execute([mint(more)], alice);
      const unknown = hexOf<ContributionId>('unknown');
      const [units, events, position, code, none] = await Promise.all([
        client.balanceOf(alice.address),
        client.events(0),
        client.position(),
        codeOf(client.contribution(unknown)),
        client.contributions([unknown]),
      ]);
      // Before or after the other transaction, and never in part.
      expect([`${balance} ${seq}`, `${balance + more} ${seq + 1}`]).toContain(`${units} ${position}`);
      expect([events.length, code, none]).toEqual([position, 'NOT_FOUND', [null]]);
      await minting;
      [balance, seq] = [balance + more, seq + 1];
    }
  });

  it('answers long questions that come together', async () => {
    const client = clientOf(await start());
    const ids = Array.from({ length: LIMITS.contributionsPage }, (_, i) => hexOf<ContributionId>(`unknown ${i}`));
    const answers = await Promise.all(Array.from({ length: LIMITS.readsPerRequest }, () => client.contributions(ids)));
    expect(new Set(answers.flat())).toEqual(new Set([null]));
  });

  it.each([
    ['no list', {}],
    ['too many', { reads: Array.from({ length: LIMITS.readsPerRequest + 1 }, () => ({ path: '/v1/position' })) }],
    ['a path that is none', { reads: [{ path: 7 }] }],
  ])('refuses reads that are %s', async (_name, body) => {
    const { url } = await start();
    const response = await fetch(`${url}/v1/reads`, { method: 'POST', body: JSON.stringify(body) });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, 'INVALID_ARGUMENT']);
  });

  it('has everything after a restart', async () => {
    const first = await start();
    const { chainId } = first.chain.info;
    const outcome = await clientOf(first).execute([mint(5n)], alice);
    await first.close();
    const second = await start();
    const client = clientOf(second);
    expect((await client.info()).chainId).toBe(chainId);
    expect(await client.transaction(outcome.digest)).toEqual(outcome);
    await client.execute([mint(6n)], alice);
    expect((await client.events(0)).map((event) => event.seq)).toEqual([1, 2]);
  });

  it('is refused a second process on one store, and a port that is taken', async () => {
    const first = await start();
    const options = { host: '127.0.0.1', allowedOrigins: [], logger: silent, clock, random: countingRandom('x') };
    expect(await codeOf(startLocalChain({ ...options, port: 0, dataDir }))).toBe('CONFIG_INVALID');
    const other = join(dataDir, 'other');
    expect(await codeOf(startLocalChain({ ...options, port: first.port, dataDir: other }))).toBe('CONFIG_INVALID');
  });
});

describe('requests that are not what they should be', () => {
  const post = (body: string): RequestInit => ({ method: 'POST', body });
  const rows: [string, string, RequestInit, number, string][] = [
    ['an id that is none', '/v1/daos/0x12', {}, 400, 'INVALID_ARGUMENT'],
    ['a room that is none', `/v1/wallets/${hexOf('x')}`, {}, 404, 'NOT_FOUND'],
    ['a list that is none', `/v1/daos/${hexOf('x')}/jobs`, {}, 404, 'NOT_FOUND'],
    ['a pair that is none', `/v1/daos/${hexOf('x')}/jobs/${hexOf('y')}`, {}, 404, 'NOT_FOUND'],
    ['a path too long', `/v1/daos/${hexOf('x')}/runners/${hexOf('y')}/z`, {}, 404, 'NOT_FOUND'],
    ['a leaf that is no number', `/v1/epochs/${hexOf('x')}/claims/${hexOf('y')}`, {}, 400, 'INVALID_ARGUMENT'],
    ['no path', '/', {}, 404, 'NOT_FOUND'],
    ['a negative position', '/v1/events?after=-1', {}, 400, 'INVALID_ARGUMENT'],
    ['a page of none', '/v1/events?limit=0', {}, 400, 'INVALID_ARGUMENT'],
    ['a page too large', `/v1/events?limit=${LIMITS.eventsPage + 1}`, {}, 400, 'INVALID_ARGUMENT'],
    ['a wait too long', '/v1/events?waitMs=30001', {}, 400, 'INVALID_ARGUMENT'],
    ['another method', '/v1/info', { method: 'DELETE' }, 404, 'NOT_FOUND'],
    ['no JSON', '/v1/transactions', post('{'), 400, 'MALFORMED_REQUEST'],
    ['JSON of another shape', '/v1/transactions', post('[]'), 400, 'INVALID_ARGUMENT'],
    ['bytes that are not base64', '/v1/transactions', post('{"bytes":"*","signature":""}'), 400, 'INVALID_ARGUMENT'],
    ['a body too large', '/v1/transactions', post('x'.repeat(300_000)), 413, 'REQUEST_TOO_LARGE'],
  ];
  it('each get their status and code', async () => {
    const { url } = await start();
    for (const [name, path, init, status, code] of rows) {
      const response = await fetch(`${url}${path}`, init);
      const body = (await response.json()) as { code: string };
      expect([name, response.status, body.code]).toEqual([name, status, code]);
    }
  });

  it('answers browsers of the portal, and no other', async () => {
    const { url } = await start();
    const allowed = await fetch(`${url}/v1/info`, { headers: { origin: ORIGIN } });
    expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
    const preflight = await fetch(`${url}/v1/transactions`, { method: 'OPTIONS', headers: { origin: ORIGIN } });
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([204, 'content-type']);
    const other = await fetch(`${url}/v1/info`, { headers: { origin: 'http://evil.test' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  it('takes the outcome from the POST itself', async () => {
    const server = await start();
    const { bytes, signature, digest } = await clientOf(server).prepare([mint(5n)], alice);
    const body = JSON.stringify({ bytes: Buffer.from(bytes).toString('base64'), signature });
    const response = await fetch(`${server.url}/v1/transactions`, { method: 'POST', body });
    expect(zTransactionOutcome.parse(await response.json())).toMatchObject({ digest, status: 'succeeded' });
  });
});
