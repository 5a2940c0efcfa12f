import 'reflect-metadata';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ChainReader } from '@usufruct/chain';
import { asAmount } from '@usufruct/kernel';
import type { ChainEvent } from '@usufruct/protocol';
import { ApiWorld, eventually } from '../../../../../test/support/api-world.js';
import { PRICE } from '../../../../local-chain/src/testing/dao-world.js';
import { PrismaService } from '../../platform/prisma/index.js';
import { rebuildProjection } from '../../rebuild-projection.js';
import { PayoutService } from '../payout/index.js';
import { ProjectionService } from './projection.service.js';

describe('the projection', () => {
  let world: ApiWorld;
  let projection: ProjectionService;
  let prisma: PrismaService;
  let events: ChainEvent[];

  beforeAll(async () => {
    world = await ApiWorld.start();
    const { dao } = world;
    await dao.found();
    await dao.fill();
    await dao.open();
    // weights 3 and 1 of a price of 1,000,000: 70 % to contributors, so 525,000 and 175,000
    await dao.run(dao.runnerWallet, await dao.settlement(dao.uses(3n, 1n, null)));
    await dao.run(dao.requester, { kind: 'closeJob', jobId: dao.jobId });
    await world.settled();
    events = await world.chain.events(0);
  });
  afterAll(() => world.close());
  beforeEach(() => {
    projection = world.app.get(ProjectionService, { strict: false });
    prisma = world.app.get(PrismaService, { strict: false });
  });

  const contents = (): Promise<string> => world.projected();

  it('has the balances of the chain to the last unit, and they add up to what was issued', async () => {
    const reconciliation = await world.app.get(PayoutService, { strict: false }).reconcileAll();
    expect(reconciliation).toMatchObject({ agrees: true, mismatches: [] });
    expect(reconciliation.accountsChecked).toBeGreaterThan(5);
    const { dao } = world;
    const wallet = (name: string) => prisma.accountBalance.findUnique({ where: { account: `wallet:${name}` } });
    expect((await wallet(dao.contributors[0]!.address))?.balanceUnits.toFixed()).toBe('525000');
    expect((await wallet(dao.contributors[1]!.address))?.balanceUnits.toFixed()).toBe('175000');
    expect(await wallet(dao.contributors[2]!.address)).toBeNull();
    expect((await wallet(dao.requester.address))?.balanceUnits.toFixed()).toBe((9n * PRICE).toString());
  });

  it('notices when one of its balances is not the chain’s', async () => {
    const account = `wallet:${world.dao.requester.address}`;
    await prisma.accountBalance.update({ where: { account }, data: { balanceUnits: { increment: 1 } } });
    await prisma.accountBalance.update({ where: { account: 'issuance' }, data: { balanceUnits: { decrement: 1 } } });
    const payouts = world.app.get(PayoutService, { strict: false });
    expect(await payouts.reconcileAll()).toMatchObject({
      agrees: false,
      mismatches: [{ account, projectedUnits: 9n * PRICE + 1n, chainUnits: 9n * PRICE }],
    });
    await prisma.accountBalance.update({ where: { account: 'issuance' }, data: { balanceUnits: { increment: 1 } } });
    await expect(payouts.reconcileAll()).rejects.toMatchObject({ code: 'CHAIN_EVENTS_BROKEN' });
    await prisma.accountBalance.update({ where: { account }, data: { balanceUnits: { decrement: 1 } } });
    expect(await payouts.reconcileAll()).toMatchObject({ agrees: true });
  });

  it('applies an event that comes again not again', async () => {
    const before = await contents();
    for (const event of events) await projection.applyEvent(event);
    expect(await contents()).toBe(before);
  });

  it('comes out the same when it is rebuilt, and job events are not told twice', async () => {
    const before = await contents();
    const told = await prisma.jobEvent.count();
    await projection.reset();
    expect(await prisma.dao.count()).toBe(0);
    expect(await projection.catchUp()).toBe(events.length);
    expect(await contents()).toBe(before);
    expect(await prisma.jobEvent.count()).toBe(told);
  });

  it('says whether a rebuild changed anything: the tables, or what the books say', async () => {
    const before = await contents();
    const rebuilt = await rebuildProjection(world.app);
    expect(rebuilt).toMatchObject({
      events: events.length,
      eventsBefore: events.length,
      identical: true,
      agrees: true,
    });
    await prisma.dao.updateMany({ data: { paused: true } });
    expect(await rebuildProjection(world.app)).toMatchObject({
      identical: false,
      digest: rebuilt.digest,
      agrees: true,
    });
    expect(await contents()).toBe(before);
    await prisma.projectionCursor.updateMany({ data: { seq: { decrement: 1 } } });
    expect(await rebuildProjection(world.app)).toMatchObject({ eventsBefore: events.length - 1, identical: null });
    expect(await contents()).toBe(before);
  });

  it('leaves nothing half-written: an event whose last part fails changes nothing', async () => {
    const before = await contents();
    const next: ChainEvent = {
      ...events[0]!,
      seq: events.length + 1,
      data: {
        type: 'ReceiptSettled',
        jobId: world.dao.jobId,
        questionId: events[0]!.transaction as never,
        receiptDigest: events[0]!.transaction,
        priceUnits: asAmount(5n),
        uses: [],
        payouts: [],
        questionsSettled: 2,
        escrowLeftUnits: asAmount(0n),
      },
    };
    await expect(projection.applyEvent(next)).rejects.toMatchObject({ code: 'CHAIN_EVENTS_BROKEN' });
    expect(await contents()).toBe(before);
  });

  it('refuses a gap', async () => {
    const later = { ...events[0]!, seq: events.length + 2 };
    await expect(projection.applyEvent(later)).rejects.toMatchObject({
      code: 'CHAIN_EVENTS_BROKEN',
      details: { expected: String(events.length + 1), found: String(events.length + 2) },
    });
  });

  it.each([
    [
      'a gap',
      (chain: ChainReader): Partial<ChainReader> => ({
        events: async (after, options) =>
          (await chain.events(after, { ...options, waitMs: 0 })).map((e) => ({ ...e, seq: e.seq + 1 })),
      }),
    ],
    [
      'another chain',
      (chain: ChainReader): Partial<ChainReader> => ({
        info: async () => ({ ...(await chain.info()), chainId: 'local:other' }),
      }),
    ],
  ])('stops at %s, and the API is not ready until it is rebuilt', async (_, lies) => {
    await world.stopApi();
    const honest = { events: world.chain.events, info: world.chain.info };
    await world.dao.run(world.dao.founder, world.dao.mint(world.dao.founder, 1n));
    Object.assign(world.chain, lies({ ...world.chain, ...bound(world) }));
    await world.startApi();
    await eventually(async () => (await fetch(`${world.url}/readyz`)).status === 503);
    const { failures } = (await (await fetch(`${world.url}/readyz`)).json()) as { failures: object };
    expect(failures).toEqual({ projection: 'CHAIN_EVENTS_BROKEN' });
    await world.stopApi();
    Object.assign(world.chain, honest);
    await world.startApi();
    await world.settled();
    expect((await fetch(`${world.url}/readyz`)).status).toBe(200);
  });
});

/** The chain's own methods, before they are replaced. */
const bound = (world: ApiWorld): Pick<ChainReader, 'events' | 'info'> => ({
  events: world.chain.events.bind(world.chain),
  info: world.chain.info.bind(world.chain),
});
