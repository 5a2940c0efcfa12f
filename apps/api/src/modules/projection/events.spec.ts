import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChainReader } from '@usufruct/chain';
import type { ChainEvent } from '@usufruct/protocol';
import { ApiWorld, eventually } from '../../../../../test/support/api-world.js';
import { asStream, EVENT_TYPES, furtherEvents } from '../../../../../test/support/chain-events.js';
import { hexOf } from '../../../../local-chain/src/testing/world.js';
import { Prisma, PrismaService } from '../../platform/prisma/index.js';
import { ProjectionService } from './projection.service.js';

/** A chain on which everything happens that the protocol has an event for. */
describe('every event of the protocol', () => {
  let world: ApiWorld;
  let projection: ProjectionService;
  let events: ChainEvent[];
  let daoId: string;

  beforeAll(async () => {
    world = await ApiWorld.start();
    const { dao } = world;
    ({ daoId } = dao);
    await dao.found();
    await dao.fill();
    await dao.open();
    await dao.run(dao.runnerWallet, await dao.settlement(dao.uses(3n, 1n, null)));
    await world.settled();
    await world.stopApi();
    const told = await world.chain.events(0);
    const story = asStream(dao, furtherEvents(dao), told.length);
    events = [...told, ...story];
    Object.assign(world.chain, { events: continued(world.chain, events) });
    await world.startApi();
    projection = world.app.get(ProjectionService, { strict: false });
    await eventually(async () => (await projection.appliedSeq()) === events.length);
  });
  afterAll(() => world.close());

  const node = (connection: { edges: { node: object }[] }): object[] => connection.edges.map((edge) => edge.node);
  const ofDao = async (selection: string, token?: string) =>
    world.field(`{ dao(daoId: "${daoId}") { ${selection} } }`, {}, token);

  const contents = (): Promise<string> => world.projected();

  it('is in this story', () => {
    expect([...new Set(events.map(({ data }) => data.type))].sort()).toEqual([...EVENT_TYPES].sort());
  });

  it('leaves a trace in some table of the projection', async () => {
    const prisma = world.app.get(PrismaService, { strict: false });
    const empty: string[] = [];
    for (const table of projection.tables()) {
      const [row] = await prisma.$queryRaw<{ n: number }[]>`select count(*)::int as n from ${Prisma.raw(`"${table}"`)}`;
      if (row?.n === 0) empty.push(table);
    }
    expect(empty).toEqual([]);
  });

  it('has one time, by whichever statement it is written', async () => {
    const prisma = world.app.get(PrismaService, { strict: false });
    const rows = await prisma.$queryRaw<{ of: string; late: number; n: number }[]>`
      select 'ledger' as of, count(*) filter (where l.at <> d.at)::int as late, count(*)::int as n
        from ledger_entry l join dao_event d using (event_seq)
      union all select 'receipt', count(*) filter (where r.settled_at <> d.at)::int, count(*)::int
        from receipt r join dao_event d using (event_seq)`;
    expect(rows.map(({ of, late, n }) => [of, late, n > 0])).toEqual([
      ['ledger', 0, true],
      ['receipt', 0, true],
    ]);
  });

  it('counts once, however often it comes', async () => {
    const before = await contents();
    for (const event of events) await projection.applyEvent(event);
    expect(await contents()).toBe(before);
  });

  it('is refused out of its order, changes nothing then, and gives byte-equal tables in order', async () => {
    const [before, digest] = [await contents(), await projection.digest()];
    await projection.reset();
    expect(await projection.digest()).not.toBe(digest);
    const { chainId } = await world.chain.info();
    const prisma = world.app.get(PrismaService, { strict: false });
    await prisma.projectionCursor.create({ data: { chainId, seq: 0 } });
    for (const [i, event] of events.entries()) {
      await projection.applyEvent(event);
      const next = events[i + 1];
      if (next === undefined) continue;
      const early = { ...next, seq: next.seq + 1 };
      const after = events[i + 2] ?? early;
      for (const wrong of [early, after]) {
        await expect(projection.applyEvent(wrong)).rejects.toMatchObject({
          code: 'CHAIN_EVENTS_BROKEN',
          details: { expected: String(next.seq), found: String(wrong.seq) },
        });
      }
    }
    expect(await contents()).toBe(before);
    expect(await projection.digest()).toBe(digest);
  });

  it('gives the same tables when they are made again from the chain', async () => {
    const [before, digest] = [await contents(), await projection.digest()];
    await projection.reset();
    expect(await projection.catchUp()).toBe(events.length);
    expect(await contents()).toBe(before);
    expect(await projection.digest()).toBe(digest);
  });

  describe('is told by GraphQL', () => {
    let token: string;
    beforeAll(async () => {
      token = await world.signIn(world.dao.requester);
    });

    it('applications and roles', async () => {
      const { members, applications } = await ofDao(
        'members { edges { node { address roles } } } applications { edges { node { applicant state decidedAtMs } } }',
      );
      const { founder, stranger, requester } = world.dao;
      expect(node(members)).toContainEqual({ address: founder.address, roles: ['administrator', 'steward'] });
      expect(node(members).at(-1)).toEqual({ address: stranger.address, roles: [] });
      expect(node(applications)).toMatchObject([
        { applicant: requester.address, state: 'declined' },
        { applicant: stranger.address, state: 'accepted' },
      ]);
    });

    it('proposals and rules', async () => {
      const dao = await ofDao(`paused proposalCount governance { voting } payoutRules { mode }
        proposals { edges { node { state executedIn tally { yesVotes noVotes passed } effect { __typename ... on Unpause { paused } } } } }`);
      expect(dao).toMatchObject({
        paused: false,
        proposalCount: 1,
        governance: { voting: 'contribution' },
        payoutRules: { mode: 'epoch' },
      });
      expect(node(dao.proposals)).toEqual([
        {
          state: 'executed',
          executedIn: events.find(({ data }) => data.type === 'ProposalExecuted')?.transaction,
          tally: { yesVotes: '1', noVotes: (2n ** 64n - 2n).toString(), passed: false },
          effect: { __typename: 'Unpause', paused: false },
        },
      ]);
    });

    it('signers and runners that count no more', async () => {
      const { signers, runners } = await ofDao(
        'signers { id signerKind publicKeys withdrawnAtMs } runners { withdrawnAtMs current }',
      );
      expect(signers).toMatchObject([{ signerKind: 'mpc-set', withdrawnAtMs: expect.any(Number) }]);
      expect(signers[0].publicKeys).toHaveLength(3);
      expect(runners).toEqual([{ withdrawnAtMs: expect.any(Number), current: false }]);
      expect(await world.field(`{ node(id: "${signers[0].id}") { ... on Signer { payTo } } }`)).toEqual({
        payTo: hexOf('parties'),
      });
    });

    it('holder sets by version, and whom they retired', async () => {
      const { verifiers } = await ofDao(`verifiers { threshold holderSet { id version threshold tombstonedKeys
        members { operator tombstoned } versions { edges { node { version threshold members { index } } } } } }`);
      const { holderSet } = verifiers;
      expect(verifiers.threshold).toBe(2);
      expect(holderSet).toMatchObject({
        version: 2,
        threshold: 1,
        members: [
          { operator: hexOf('new operator'), tombstoned: false },
          { operator: hexOf('old operator'), tombstoned: true },
        ],
      });
      expect(holderSet.tombstonedKeys).toHaveLength(1);
      expect(node(holderSet.versions)).toEqual([
        { version: 2, threshold: 1, members: [{ index: 0 }, { index: 1 }] },
        { version: 1, threshold: 2, members: [{ index: 0 }, { index: 1 }, { index: 2 }] },
      ]);
      expect(await world.field(`{ node(id: "${holderSet.id}") { ... on HolderSet { version } } }`)).toEqual({
        version: 2,
      });
    });

    it('upgrades of the contracts, to everybody', async () => {
      const fields = 'digest state readyAtMs closedAtMs packageId version transaction';
      const told = node(await world.field(`{ packageUpgrades { edges { node { ${fields} } } } }`));
      const of = (type: ChainEvent['data']['type']) => events.filter(({ data }) => data.type === type);
      const [first, second, third] = of('UpgradeAnnounced').map(({ transaction, data }) => ({
        ...('readyAtMs' in data && { digest: data.digest, readyAtMs: data.readyAtMs }),
        transaction,
      }));
      const closedAtMs = (type: ChainEvent['data']['type']) => of(type)[0]?.atMs;
      const none = { packageId: null, version: null };
      const next = { packageId: hexOf('package 2'), version: 2 };
      expect(told).toEqual([
        { ...third, ...none, state: 'burnt', closedAtMs: closedAtMs('PackageMadeImmutable') },
        { ...second, ...next, state: 'committed', closedAtMs: closedAtMs('UpgradeCommitted') },
        { ...first, ...none, state: 'cancelled', closedAtMs: closedAtMs('UpgradeCancelled') },
      ]);
      const page = 'edges { node { state } } pageInfo { endCursor hasNextPage }';
      const { edges, pageInfo } = await world.field(`{ packageUpgrades(first: 2) { ${page} } }`);
      expect([edges.length, pageInfo.hasNextPage]).toEqual([2, true]);
      const rest = await world.field(`{ packageUpgrades(first: 2, after: "${pageInfo.endCursor}") { ${page} } }`);
      expect(node(rest)).toEqual([{ state: 'cancelled' }]);
      expect(await world.field('{ upgradeTimelock { packageId version delayMs immutableAtMs } }')).toEqual({
        ...next,
        delayMs: 7 * 86_400_000,
        immutableAtMs: closedAtMs('PackageMadeImmutable'),
      });
    });

    it('erasure and leases', async () => {
      const { datasetId, contributionIds } = world.dao;
      const { tombstonedAtMs } = await world.field(`{ dataset(datasetId: "${datasetId}") { tombstonedAtMs } }`);
      expect(tombstonedAtMs).toEqual(expect.any(Number));
      const contribution = (i: number) =>
        world.field(
          `{ contribution(contributionId: "${contributionIds[i]}") { tombstonedAtMs manifestBlob { endEpoch } parts { endEpoch } } }`,
          {},
          token,
        );
      expect(await contribution(0)).toEqual({
        tombstonedAtMs: null,
        manifestBlob: { endEpoch: 9 },
        parts: [{ endEpoch: 99 }],
      });
      expect(await contribution(1)).toMatchObject({ tombstonedAtMs, parts: [{ endEpoch: 9 }] });
      const quote = `{ quote(input: { datasetId: "${datasetId}", purpose: "DUO:0000042", maxQuestions: 1, termMs: 60000 }) {
        ... on Refusal { code } } }`;
      expect(await world.field(quote, {}, token)).toEqual({ code: 'TOMBSTONED' });
    });

    it('private receipts, the pool, and epochs without their leaves', async () => {
      const { dao } = world;
      const { receipts } = await world.field(
        `{ job(jobId: "${dao.jobId}") { receipts { edges { node { number pooledUnits uses { weight } payouts { role amountUnits } } } } } }`,
        {},
        token,
      );
      const payouts = [
        { role: 'treasury', amountUnits: '200000' },
        { role: 'runner', amountUnits: '80000' },
        { role: 'protocol', amountUnits: '20000' },
      ];
      const [second, first, direct] = node(receipts);
      expect(second).toEqual({ number: '2', pooledUnits: '700000', uses: [], payouts });
      expect(first).toMatchObject({ number: '1', pooledUnits: '700000' });
      expect(direct).toMatchObject({ number: null, pooledUnits: null, uses: [{ weight: '3' }, { weight: '1' }] });

      const epochFields = `epochId number attempt phase objections totalUnits claimedUnits sweptUnits leafCount`;
      const { receiptPool, epochs } = await ofDao(
        `receiptPool { receiptCount pooledUnits coveredReceipts epochCount balanceUnits } epochs { edges { node { ${epochFields} } } }`,
      );
      expect(receiptPool).toEqual({
        receiptCount: '2',
        pooledUnits: '1400000',
        coveredReceipts: '2',
        epochCount: '1',
        balanceUnits: '0',
      });
      const [swept, rejected] = node(epochs) as { epochId: string }[];
      expect(swept).toMatchObject({ number: '1', attempt: 2, phase: 'swept', leafCount: 4_294_967_295 });
      expect(swept).toMatchObject({ totalUnits: '700000', claimedUnits: '500000', sweptUnits: '200000' });
      expect(rejected).toMatchObject({
        number: '1',
        attempt: 1,
        phase: 'rejected',
        objections: [dao.operators[2]!.address],
      });

      const claims = `{ epoch(epochId: "${swept?.epochId}") { claims { edges { node { index account amountUnits } } } } }`;
      expect((await world.ask(claims)).errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
      expect(node((await world.field(claims, {}, token)).claims)).toEqual([
        { index: 4_294_967_294, account: dao.contributors[0]!.address, amountUnits: '500000' },
      ]);
      // 525,000 by the receipt and 500,000 by the claim
      const { members } = await ofDao('members { edges { node { ordinal earnedUnits } } }', token);
      expect(node(members)).toContainEqual({ ordinal: 1, earnedUnits: '1025000' });
    });

    it('licences, to who is signed in', async () => {
      const { licenceOffers } = await ofDao(
        'licenceOffers { edges { node { offerId withdrawnAtMs terms { priceUnits termMs datasetId } } } }',
      );
      expect(node(licenceOffers)).toMatchObject([
        {
          offerId: hexOf('offer'),
          withdrawnAtMs: expect.any(Number),
          terms: { priceUnits: '1000', termMs: 400 * 86_400_000, datasetId: world.dao.datasetId },
        },
      ]);
      const mine = '{ licences { edges { node { id licenceId active } } } }';
      const [licence] = node(await world.field(mine, {}, token)) as { id: string }[];
      expect(licence).toMatchObject({ licenceId: hexOf('licence'), active: true });
      expect(node(await world.field(mine, {}, await world.signIn(world.dao.stranger)))).toEqual([]);
      const byId = `{ licence(licenceId: "${hexOf('licence')}") { licensee offerId } }`;
      expect(await world.field(byId, {}, token)).toMatchObject({ licensee: world.dao.requester.address });
      const sold = `{ dao(daoId: "${daoId}") { licences { edges { node { licenceId } } } } }`;
      for (const query of [byId, sold, mine, `{ node(id: "${licence?.id}") { id } }`]) {
        expect((await world.ask(query)).errors[0]?.extensions.code).toBe('UNAUTHENTICATED');
      }
      expect(node((await world.field(sold, {}, token)).licences)).toEqual([{ licenceId: hexOf('licence') }]);
    });
  });
});

/** The chain that goes on with what the list says. */
function continued(chain: ChainReader, events: readonly ChainEvent[]): ChainReader['events'] {
  const real = chain.events.bind(chain);
  return async (after, options = {}) => {
    const page = events.filter(({ seq }) => seq > after).slice(0, options.limit ?? 7);
    return page.length > 0 ? page : real(after, options);
  };
}
