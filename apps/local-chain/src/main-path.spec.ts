import { describe, expect, it } from '@jest/globals';
import { Book, journalEntryOf, walletAccount } from '@usufruct/ledger';
import { zChainEvent, type ChainEvent } from '@usufruct/protocol';
import type { QuestionId } from '@usufruct/kernel';
import { DaoWorld, PRICE } from './testing/dao-world.js';
import { hexOf } from './testing/world.js';

const eventsOf = (world: DaoWorld): ChainEvent[] =>
  world.store.events(0, 1_000, 10 ** 9).map((text) => zChainEvent.parse(JSON.parse(text)));

describe('the main path on the local chain', () => {
  it('pays by weight what was used, and nobody else; refunds the rest', async () => {
    const world = await DaoWorld.ready();
    const [ada, ben, cleo] = world.contributors as [never, never, never];
    expect(world.balanceOf(world.requester)).toBe(7n * PRICE);

    await world.run(world.stranger, await world.settlement(world.uses(3n, 1n, null)));
    // 1,000,000 = 700,000 (3:1 → 525,000 and 175,000) + 200,000 + 80,000 + 20,000
    expect([ada, ben, cleo].map((who) => world.balanceOf(who))).toEqual([525_000n, 175_000n, 0n]);
    const dao = world.store.read('dao', world.daoId)!;
    expect(world.balanceOf({ address: dao.treasury })).toBe(200_000n);
    expect(world.balanceOf(world.runnerWallet)).toBe(80_000n);
    expect(world.balanceOf({ address: world.chain.info.protocolAccount })).toBe(20_000n);

    const closed = await world.run(world.requester, { kind: 'closeJob', jobId: world.jobId });
    expect(closed.events[0]!.data).toMatchObject({ type: 'JobClosed', state: 'succeeded', refundUnits: 2n * PRICE });
    expect(world.balanceOf(world.requester)).toBe(9n * PRICE);
  });

  it('splits as the policy was when the job was funded: the founder cannot change who is paid afterwards', async () => {
    const world = await DaoWorld.ready();
    const greedy = world.policy({ split: { contributorsBps: 0, treasuryBps: 10_000, runnerBps: 0, protocolBps: 0 } });
    await world.run(world.founder, { kind: 'setPolicy', daoId: world.daoId, expectedVersion: 1, policy: greedy });
    await world.run(world.stranger, await world.settlement(world.uses(1n)));
    expect(world.balanceOf(world.contributors[0] as never)).toBe(700_000n);
  });

  it('gives everything back for a job that answered nothing, and calls it cancelled', async () => {
    const world = await DaoWorld.ready();
    const closed = await world.run(world.requester, { kind: 'closeJob', jobId: world.jobId });
    expect(closed.events[0]!.data).toMatchObject({ type: 'JobClosed', state: 'cancelled', refundUnits: 3n * PRICE });
    expect(world.balanceOf(world.requester)).toBe(10n * PRICE);
  });

  it('closes by itself after the last question, and refunds what free questions left', async () => {
    const world = await DaoWorld.ready();
    for (const [n, uses] of [world.uses(1n), [], world.uses(1n)].entries()) {
      await world.run(world.stranger, await world.settlement(uses, { questionId: hexOf<QuestionId>(`q ${n}`) }));
    }
    // Three questions were paid for and one used nothing: one price comes back.
    expect(world.store.read('job', world.jobId)).toMatchObject({ state: 'succeeded', escrowUnits: 0n });
    expect(world.balanceOf(world.requester)).toBe(8n * PRICE);
  });

  it('has events from which a book has the same balances', async () => {
    const world = await DaoWorld.ready();
    await world.run(world.stranger, await world.settlement(world.uses(1n, 1n, 1n)));
    const events = eventsOf(world);
    expect(events.map((event) => event.seq)).toEqual(events.map((_, i) => i + 1));
    const book = new Book();
    for (const event of events) book.record(journalEntryOf(event));
    book.assertBacked();
    for (const who of [world.requester, world.runnerWallet, ...world.contributors]) {
      expect(book.balanceOf(walletAccount(who.address))).toBe(world.balanceOf(who));
    }
  });
});
