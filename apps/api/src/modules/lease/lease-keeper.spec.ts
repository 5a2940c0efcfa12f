import 'reflect-metadata';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { refuse, type ContributionId, type Hex32 } from '@usufruct/kernel';
import { stopApp } from '../../app.js';
import { PrismaService } from '../../platform/prisma/index.js';
import { eventually } from '../../../../../test/support/api-world.js';
import { KeptWorld } from '../../../../../test/support/kept-world.js';
import { PURPOSE } from '../../../../local-chain/src/testing/dao-world.js';
import { bytesOf, hexOf } from '../../../../local-chain/src/testing/world.js';

const QUOTE = `query ($input: QuoteInput!) { quote(input: $input) {
  ... on Quote { usableContributions leftOut { contributionId code } } ... on Refusal { code } } }`;
const STORAGE = `query ($id: Hex32!) { contribution(contributionId: $id) { storage {
  leaseEndEpoch epoch level availability renewing notRenewed costUnits } } }`;
const WARNINGS = '{ leaseWarnings { contributionId level endEpoch } }';

// Blobs of 32 bytes and manifests of some hundred: each blob is one begun MiB, so two for a contribution.
const TARIFF = { LEASE_RENEW_EPOCHS: '20', LEASE_LEAD_EPOCHS: '3', LEASE_UNITS_PER_MIB_EPOCH: '10' };

describe('the lease keeper', () => {
  let world: KeptWorld;
  let prisma: PrismaService;
  const start = async (leases: readonly number[], settings: Readonly<Record<string, string>> = {}) => {
    world = await KeptWorld.start(leases, settings);
    prisma = world.api.app.get(PrismaService, { strict: false });
  };
  const id = (i: number) => world.api.dao.contributionIds[i]!;
  const storage = async (i: number) => {
    const token = await world.api.signIn(world.api.dao.contributors[i]!);
    return (await world.api.field(STORAGE, { id: id(i) }, token)).storage;
  };
  const warned = async () =>
    (await prisma.leaseWarning.findMany({ orderBy: { ordinal: 'asc' } })).map(
      ({ contributionId, level }) => `${world.api.dao.contributionIds.indexOf(contributionId as never)} ${level}`,
    );
  const budget = async () => {
    const { dao } = world.api;
    const query = `query ($id: Hex32!) { dao(daoId: $id) { storage {
      renews fundedUnits spentUnits reservedUnits availableUnits costs { owner costUnits } } } }`;
    const token = await world.api.signIn(dao.founder);
    return (await world.api.field(query, { id: dao.daoId }, token)).storage;
  };

  describe('where it may not renew', () => {
    beforeAll(async () => {
      await start([26, 13, 2]); // in epoch 24: until 50, 37 and 26
    });
    afterAll(() => world.api.close());

    it('warns each owner once for each level, and only of the last one when the epochs leap', async () => {
      await world.round();
      expect(await warned()).toEqual(['2 notice']); // two epochs are left
      await world.round();
      world.stores.now = 34; // 3 of 13 left
      await world.round();
      // After its end the store keeps nothing, and says so.
      expect(await warned()).toEqual(['2 notice', '2 expired', '1 notice', '2 lost']);
      world.stores.now = 9_000;
      await world.round();
      await world.round();
      expect((await warned()).slice(4).sort()).toEqual(['0 expired', '0 lost', '1 expired', '1 lost']);
    });

    it('warns of nothing again when the epochs go back', async () => {
      const before = await warned();
      world.stores.now = 36;
      await world.round();
      expect(await warned()).toEqual(before);
    });

    it('concludes nothing while the store does not say its epoch', async () => {
      world.stores.epochUnknown = true;
      await expect(world.round()).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    });
  });

  describe('with a budget', () => {
    /** Contribution 1 has an object of this blob in custody. */
    const keep = (blob: Hex32, change: { readonly sizeBytes: number; readonly endEpoch: number }): void => {
      const { objects } = world.stores;
      const objectId = objects.own(blob, change);
      objects.objects.set(objectId, { ...objects.objects.get(objectId)!, keptFor: id(1) });
    };
    beforeEach(async () => {
      await start([26, 13], TARIFF);
      await world.round();
    });
    afterEach(() => world.api.close());

    it('renews before the end, books what it cost, and makes it known on the chain', async () => {
      await world.trustKeeper(1_000n);
      world.stores.now = 34; // 3 of contribution 1 are left: to epoch 54, so 17 more for each of two blobs
      await world.round();
      await world.endsWith(1, 54);
      expect(world.stores.asked).toEqual(['extend', 'extend']);
      expect(await warned()).toEqual([]);
      const owner = world.api.dao.contributors[1]!.address;
      await eventually(async () => (await budget()).reservedUnits === '0');
      expect(await budget()).toEqual({
        renews: true,
        fundedUnits: '1000',
        spentUnits: '340', // 2 · 17 · 10
        reservedUnits: '0',
        availableUnits: '660',
        costs: [{ owner, costUnits: '340' }],
      });
      expect(await storage(1)).toMatchObject({ leaseEndEpoch: 54, epoch: 34, level: null, costUnits: '340' });
      const { _sum } = await prisma.storageEntry.aggregate({ _sum: { deltaUnits: true } });
      expect(_sum.deltaUnits?.toFixed()).toBe('0');
      await world.round();
      expect(world.stores.asked).toHaveLength(2);
    });

    it('makes an object in custody last by its own wallet, once, and the rest as ever', async () => {
      await world.trustKeeper(1_000n);
      const { objects } = world.stores;
      const { part, manifestBlob } = world.kept[1]!;
      keep(part.blob, { sizeBytes: part.sizeBytes, endEpoch: 40 }); // longer than its owner told the chain
      keep(manifestBlob.blob, { sizeBytes: manifestBlob.sizeBytes, endEpoch: 34 }); // has ended: nobody can make it longer
      // The keeper is not told that it has happened, but something that would end what cannot have been paid.
      objects.after = () => {
        objects.after = () => undefined;
        throw refuse('FORBIDDEN');
      };
      world.stores.now = 34;
      await world.round();
      await eventually(async () => (await prisma.leaseRenewal.count({ where: { failures: 1 } })) === 1);
      const [begun] = await prisma.leaseRenewal.findMany();
      expect(begun).toMatchObject({ state: 'planned', prepared: { custodyOf: part.blob } });
      await world.endsWith(1, 54);
      await eventually(async () => (await prisma.leaseRenewal.count({ where: { state: 'done' } })) === 1);
      expect([objects.steps, world.stores.asked]).toEqual([['renew'], ['extend']]);
      // 14 epochs more of the part, 17 of the manifest.
      expect((await budget()).spentUnits).toBe('310');
    });

    it.each([false, true])(
      'does not go on paying for what its owner has retired since it was planned (in custody: %p)',
      async (isKept) => {
        await world.trustKeeper(1_000n);
        const { dao } = world.api;
        const { objects } = world.stores;
        const { part, manifestBlob } = world.kept[1]!;
        if (isKept) for (const { blob, sizeBytes } of [part, manifestBlob]) keep(blob, { sizeBytes, endEpoch: 37 });
        const retire = async (): Promise<void> => {
          objects.before = () => undefined;
          world.stores.before = () => undefined;
          await dao.run(dao.contributors[1]!, { kind: 'tombstoneContribution', contributionId: id(1) });
          await world.api.settled();
          throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'store' });
        };
        objects.before = retire;
        world.stores.before = retire;
        world.stores.now = 34;
        await world.round();
        await eventually(async () => (await prisma.leaseRenewal.count({ where: { state: 'failed' } })) === 1);
        await world.round();
        expect([objects.steps, world.stores.asked]).toEqual([[], isKept ? [] : ['extend']]);
        expect(await prisma.leaseRenewal.findMany()).toMatchObject([{ refusal: 'TOMBSTONED' }]);
        expect(await budget()).toMatchObject({ spentUnits: '0', reservedUnits: '0' });
      },
    );

    it('settles what it had signed of a contribution that was retired since, and pays for no more of it', async () => {
      await world.trustKeeper(1_000n);
      const { dao } = world.api;
      const { objects } = world.stores;
      const { part, manifestBlob } = world.kept[1]!;
      for (const { blob, sizeBytes } of [part, manifestBlob]) keep(blob, { sizeBytes, endEpoch: 37 });
      objects.after = async () => {
        objects.after = () => undefined;
        await dao.run(dao.contributors[1]!, { kind: 'tombstoneContribution', contributionId: id(1) });
        await world.api.settled();
        throw refuse('SETTLEMENT_UNKNOWN');
      };
      world.stores.now = 34;
      await world.round();
      await eventually(async () => (await prisma.leaseRenewal.count({ where: { state: 'failed' } })) === 1);
      expect(objects.steps).toEqual(['renew']);
      expect((await budget()).spentUnits).toBe('170');
    });

    it('does not pay for what is lost, though its object is in custody, until it is found again', async () => {
      await world.trustKeeper(1_000n);
      const { part, manifestBlob } = world.kept[1]!;
      for (const { blob, sizeBytes } of [part, manifestBlob]) keep(blob, { sizeBytes, endEpoch: 37 });
      const lost = { contributionId: id(1), blob: part.blob, state: 'lost', times: 3 };
      await prisma.lostContribution.create({ data: { ...lost, countedAt: new Date(0), since: new Date(0) } });
      world.stores.now = 34;
      await world.round();
      expect(await storage(1)).toMatchObject({ notRenewed: 'BLOB_LOST' });
      expect([await prisma.leaseRenewal.count(), world.stores.objects.steps]).toEqual([0, []]);
      // The aggregators have it: that was seen in the same round.
      await world.round();
      await world.endsWith(1, 54);
      expect((await budget()).spentUnits).toBe('340');
    });

    it('does not renew what the budget does not cover, says why, and warns', async () => {
      await world.trustKeeper(339n);
      world.stores.now = 34;
      await world.round();
      expect(world.stores.asked).toEqual([]);
      expect(await storage(1)).toMatchObject({ notRenewed: 'INSUFFICIENT_BALANCE', level: 'notice', renewing: false });
      expect(await warned()).toEqual(['1 notice']);
      await world.fund(1n);
      await world.round();
      await world.endsWith(1, 54);
      expect(await storage(1)).toMatchObject({ notRenewed: null, level: null });
    });

    it('does not renew where the DAO has not made it a steward', async () => {
      world.stores.now = 34;
      await world.round();
      expect(await storage(1)).toMatchObject({ notRenewed: 'FORBIDDEN' });
      expect(await warned()).toEqual(['1 notice']);
      expect((await budget()).renews).toBe(false);
    });

    it('is not made to pay for what nobody accepted, or for what its owner told the chain wrongly', async () => {
      await world.trustKeeper(1_000n);
      const { dao } = world.api;
      const [, , owner] = dao.contributors;
      const { part, manifestBlob } = world.kept[0]!;
      // The store has these until epoch 50; their new owner says 26.
      const early = (reference: typeof part) => ({ ...reference, endEpoch: 26 });
      const lie = { parts: [early(part)], manifestBlob: early(manifestBlob) };
      await dao.run(owner!, dao.contribution({ ...lie, manifestDigest: hexOf('x') }));
      await world.api.settled();
      await world.round();
      expect(await storage(2)).toMatchObject({ notRenewed: 'CONTRIBUTION_NOT_ACCEPTED' });
      await dao.run(dao.founder, dao.decide(2));
      await world.api.settled();
      await world.round();
      await world.endsWith(2, 50);
      expect((await budget()).spentUnits).toBe('0');
      const small = { ...early(part), sizeBytes: 1 };
      const salt = hexOf<Hex32>('another');
      await dao.run(owner!, dao.contribution({ ...lie, parts: [small], salt }));
      const contributionId = dao.derive<ContributionId>('contribution', dao.datasetId, owner!, 'another');
      await dao.run(dao.founder, { kind: 'decideContribution', contributionId, accept: true });
      await world.api.settled();
      await world.round();
      const refusal = await prisma.renewalRefusal.findUnique({ where: { contributionId } });
      expect(refusal?.code).toBe('MANIFEST_MISMATCH');
      expect((await budget()).spentUnits).toBe('0');
    });

    it('pays once when replies are lost: at the store, and at the chain', async () => {
      await world.trustKeeper(1_000n);
      let lost = 0;
      world.stores.after = () => {
        if (lost++ < 2) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'store' });
      };
      const send = world.api.chain.send.bind(world.api.chain);
      let sent = 0;
      Object.assign(world.api.chain, {
        send: async (...prepared: Parameters<typeof send>) => {
          const outcome = await send(...prepared);
          if (sent++ === 0) throw refuse('SETTLEMENT_UNKNOWN');
          return outcome;
        },
      });
      world.stores.now = 34;
      await world.round();
      await world.endsWith(1, 54);
      await eventually(async () => (await prisma.leaseRenewal.count({ where: { state: 'done' } })) === 1);
      // The second try goes on with the first blob; it was already longer, which the store says without selling more.
      expect((await budget()).spentUnits).toBe('340');
      expect(sent).toBe(1);
      const told = (await world.api.chain.events(0)).filter(({ data }) => data.type === 'LeaseRenewed');
      expect(told).toHaveLength(1);
    });

    it('does it once when two processes go round at the same time', async () => {
      await world.trustKeeper(1_000n);
      const other = await world.api.anotherApi();
      try {
        world.stores.now = 34;
        await Promise.all([world.round(), world.round(other), world.round(), world.round(other)]);
        await world.endsWith(1, 54);
        await eventually(async () => (await prisma.leaseRenewal.count({ where: { state: 'done' } })) === 1);
        expect(world.stores.asked).toEqual(['extend', 'extend']);
        expect((await budget()).spentUnits).toBe('340');
        world.stores.now = 49; // 660 are left, and 2 · 19 · 10 + 2 · 15 · 10 are needed for both
        await Promise.all([world.round(), world.round(other), world.round()]);
        const told = await warned();
        expect(told).toHaveLength(new Set(told).size);
      } finally {
        await stopApp(other);
      }
    });

    it('goes on after it was killed between paying and telling', async () => {
      await world.trustKeeper(1_000n);
      world.stores.now = 34;
      const prepare = world.api.chain.prepare.bind(world.api.chain);
      Object.assign(world.api.chain, {
        prepare: async () => {
          throw refuse('CHAIN_UNAVAILABLE');
        },
      });
      await world.round();
      await eventually(async () => (await prisma.leaseRenewal.count({ where: { state: 'stored' } })) === 1);
      await world.api.stopApi();
      Object.assign(world.api.chain, { prepare });
      await world.api.startApi();
      await world.endsWith(1, 54);
      expect(world.stores.asked).toHaveLength(2);
      prisma = world.api.app.get(PrismaService, { strict: false });
      expect((await budget()).spentUnits).toBe('340');
    });

    it('puts the bytes again where the store extends nothing', async () => {
      world.stores.extendable = false;
      await world.trustKeeper(1_000n);
      world.stores.now = 34;
      await world.round();
      await world.endsWith(1, 54);
      expect(world.stores.asked).toEqual(['put', 'put']);
      // As the DAO's policy says, and not for good.
      const part = Buffer.from(world.kept[1]!.part.blob.slice(2), 'hex').toString('base64url');
      expect(await world.stores.first.status(part as never)).toMatchObject({ deletable: true });
    });
  });

  describe('of contributions in one quilt', () => {
    const MIB = 1024 ** 2;
    /** 0.3 MiB and 0.9 MiB: a quilt of two begun MiB. */
    const ciphertexts = [0.3, 0.9].map((share, i) => new Uint8Array(Math.round(share * MIB)).fill(i + 1));
    let ids: ContributionId[];
    const endOf = (which: number): number => {
      const view = world.api.dao.store.read('contribution', ids[which]!)!;
      return Math.min(view.manifestBlob.endEpoch, ...view.parts.map(({ endEpoch }) => endEpoch));
    };
    const costOf = async (which: number): Promise<bigint> => {
      const where = { contributionId: ids[which]!, account: { startsWith: 'storage-cost:' } };
      const { _sum } = await prisma.storageEntry.aggregate({ where, _sum: { deltaUnits: true } });
      return BigInt(_sum.deltaUnits?.toFixed() ?? '0');
    };
    const lostIds = async () =>
      (await prisma.lostContribution.findMany({ where: { state: 'lost' } })).map((row) => row.contributionId);
    let lost: Hex32;
    beforeEach(async () => {
      await start([], { ...TARIFF, LEASE_SAMPLES: '16' });
      const owner = world.api.dao.contributors[0]!;
      const made = await world.contributeTogether(owner, ciphertexts, 13);
      ids = made.ids;
      lost = `0x${Buffer.from(made.quilt.blobId, 'base64url').toString('hex')}` as Hex32;
    });
    afterEach(() => world.api.close());

    it.each([
      ['extends', true, ['extend', 'extend']],
      ['extends nothing and says no sizes', false, ['put', 'put']],
    ])(
      'pays for a quilt once, shares it among all that lies in it to the unit, and makes each known, where the store %s',
      async (_, isAble, asked) => {
        Object.assign(world.stores, { extendable: isAble, saysSizes: isAble });
        await world.trustKeeper(10_000n);
        await world.round();
        world.stores.now = 34;
        for (let rounds = 0; rounds < 6 && (endOf(0) < 54 || endOf(1) < 54); rounds++) {
          await world.round();
          await eventually(
            async () => (await prisma.leaseRenewal.count({ where: { state: { in: ['planned', 'stored'] } } })) === 0,
          );
          await world.api.settled();
        }
        expect([endOf(0), endOf(1)]).toEqual([54, 54]);
        expect(world.stores.asked).toEqual(asked);
        // 17 epochs more of two begun MiB for the parts and one for the manifests: 3 · 17 · 10.
        expect((await budget()).spentUnits).toBe('510');
        const [small, large] = [await costOf(0), await costOf(1)];
        expect(small + large).toBe(510n);
        // A quarter of the parts, and half of the manifests, which are equally long.
        expect(small).toBe(85n + 85n);
      },
    );

    it('refuses to pay for a quilt that holds nothing of it', async () => {
      await world.trustKeeper(10_000n);
      const { dao } = world.api;
      const owner = dao.contributors[0]!;
      const view = dao.store.read('contribution', ids[0]!)!;
      const salt = hexOf<Hex32>('a lie');
      const parts = [{ ...view.parts[0]!, sizeBytes: 7 }];
      await dao.run(
        owner,
        dao.contribution({ manifestDigest: hexOf('x'), manifestBlob: view.manifestBlob, parts, salt }),
      );
      const contributionId = dao.derive<ContributionId>('contribution', dao.datasetId, owner, 'a lie');
      await dao.run(dao.founder, { kind: 'decideContribution', contributionId, accept: true });
      await world.api.settled();
      world.stores.now = 34;
      await world.round();
      const refusal = await prisma.renewalRefusal.findUnique({ where: { contributionId } });
      expect(refusal?.code).toBe('MANIFEST_MISMATCH');
    });

    it('calls all of it lost with the quilt, and finds all of it again', async () => {
      expect(await lostIds()).toEqual([]);
      const bytes = await world.stores.first.get(Buffer.from(lost.slice(2), 'hex').toString('base64url') as never);
      for (const store of [world.stores.first, world.stores.second]) await world.stores.lose(lost, store);
      for (let rounds = 0; rounds < 40 && (await lostIds()).length === 0; rounds++) await world.round();
      expect((await lostIds()).sort()).toEqual([...ids].sort());
      await world.stores.first.put(bytes, { epochs: 13 });
      await world.round();
      expect(await lostIds()).toEqual([]);
    });

    it('puts a quilt back whole, once for all of it', async () => {
      await world.trustKeeper(10_000n);
      await world.stores.lose(lost, world.stores.first);
      for (let rounds = 0; rounds < 40 && !world.stores.asked.includes('put'); rounds++) {
        await world.round();
        await eventually(
          async () => (await prisma.leaseRenewal.count({ where: { state: { in: ['planned', 'stored'] } } })) === 0,
        );
      }
      await world.round();
      await world.round();
      expect(world.stores.asked).toEqual(['put']);
      expect(
        (await world.stores.first.status(Buffer.from(lost.slice(2), 'hex').toString('base64url') as never)).available,
      ).toBe(true);
      // Two begun MiB for the 13 epochs that are left.
      expect((await costOf(0)) + (await costOf(1))).toBe(260n);
    });
  });

  describe('reading samples', () => {
    beforeEach(async () => {
      await start([26, 26], { ...TARIFF, LEASE_SAMPLES: '16' });
    });
    afterEach(() => world.api.close());
    const quote = async () => {
      const { dao } = world.api;
      const input = {
        datasetId: dao.datasetId,
        purpose: PURPOSE,
        kind: 'rag',
        protection: 'tee',
        maxQuestions: 1,
        termMs: 60_000,
      };
      return world.api.field(QUOTE, { input }, await world.api.signIn(dao.requester));
    };
    /** Which blob is read is drawn. */
    const roundsUntil = async (holds: () => Promise<boolean>) => {
      for (let rounds = 0; !(await holds()); rounds++) {
        if (rounds === 40) throw new Error('it did not come true in forty rounds');
        await world.round();
      }
    };
    const loseEverywhere = async (blob: Hex32) => {
      await world.stores.lose(blob, world.stores.first);
      await world.stores.lose(blob, world.stores.second);
    };

    it('finds what is readable, and nothing wrong with it', async () => {
      await world.round();
      expect(await prisma.blobSample.count({ where: { outcome: { not: 'readable' } } })).toBe(0);
      expect((await storage(0)).availability).not.toBe('lost');
      expect(await warned()).toEqual([]);
    });

    it.each(['manifestBlob', 'part'] as const)(
      'calls it lost when no aggregator has its %s, three times',
      async (which) => {
        await loseEverywhere(world.kept[0]![which].blob);
        await roundsUntil(async () => (await storage(0)).availability === 'suspected');
        await world.round();
        expect((await storage(0)).availability).toBe('suspected');
        expect(await quote()).toMatchObject({ usableContributions: 2 });
        await world.round();
        expect(await quote()).toEqual({
          usableContributions: 1,
          leftOut: [{ contributionId: id(0), code: 'BLOB_LOST' }],
        });
        expect(await warned()).toEqual(['0 lost']);
        const token = await world.api.signIn(world.api.dao.contributors[0]!);
        expect(await world.api.field(WARNINGS, {}, token)).toEqual([
          { contributionId: id(0), level: 'lost', endEpoch: 50 },
        ]);
        await loseEverywhere(world.kept[1]![which].blob);
        await roundsUntil(async () => (await quote()).code === 'NO_USABLE_DATA');
      },
    );

    it('takes silence for no proof', async () => {
      await loseEverywhere(world.kept[0]!.part.blob);
      world.stores.second.isDown = true;
      for (let i = 0; i < 5; i++) await world.round();
      expect(await prisma.lostContribution.count()).toBe(0);
    });

    it('puts back what one aggregator has and the first has not, and says that it is there again', async () => {
      await world.trustKeeper(1_000n);
      const { blob } = world.kept[0]!.part;
      await world.stores.lose(blob, world.stores.first);
      await roundsUntil(async () => (await prisma.leaseRenewal.count()) > 0);
      await eventually(
        async () => (await prisma.leaseRenewal.count({ where: { kind: 'repair', state: 'done' } })) === 1,
      );
      expect(world.stores.asked).toEqual(['put']);
      expect((await budget()).spentUnits).toBe('260'); // one begun MiB for the 26 epochs that are left
      await world.round();
      expect(world.stores.asked).toEqual(['put']);
    });

    it('does not put back wrong bytes: an aggregator that lies is none that has them', async () => {
      await world.trustKeeper(1_000n);
      const { blob } = world.kept[0]!.part;
      await world.stores.lose(blob, world.stores.first);
      world.stores.second.tamper(Buffer.from(blob.slice(2), 'hex').toString('base64url') as never);
      await roundsUntil(async () => (await storage(0)).availability === 'lost');
      expect(world.stores.asked).toEqual([]);
      expect(await warned()).toEqual(['0 lost']);
    });

    it('finds it again when its owner has put it back', async () => {
      const { blob } = world.kept[0]!.part;
      await loseEverywhere(blob);
      await roundsUntil(async () => (await quote()).usableContributions === 1);
      await world.stores.first.put(bytesOf('ciphertext 0'), { epochs: 26 });
      await world.round();
      expect(await quote()).toMatchObject({ usableContributions: 2, leftOut: [] });
      const token = await world.api.signIn(world.api.dao.contributors[0]!);
      expect(await world.api.field(WARNINGS, {}, token)).toEqual([]);
    });
  });
});
