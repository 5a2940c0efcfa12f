import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { asAmount, toUsufructError } from '@usufruct/kernel';
import type { ChainEvent } from '@usufruct/protocol';
import { suiEventFile } from '@usufruct/service';
import {
  buildPackage,
  readCompiled,
  settle,
  SUI_ACTIONS,
  SUI_IDS,
  SuiWorld,
  testWallet,
  type CompiledPackage,
  type MoveEvent,
} from '@usufruct/testing';
import { followEvents } from '../follow-events.js';

const founder = testWallet('founder');
const CLOSED: MoveEvent = [
  'JobClosed',
  { job_id: SUI_IDS.job, state: 2, refunded_to: founder.address, refund_units: asAmount(5_000_000n) },
];

let compiled: CompiledPackage;
let folder: string;
let world: SuiWorld;
beforeAll(async () => {
  compiled = readCompiled((await buildPackage()).modules);
}, 120_000);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sui-restart-'));
  world = new SuiWorld(compiled, { eventStore: suiEventFile(join(folder, 'sui-events.sqlite')) });
  world.wallet('founder', 10n ** 9n);
  settle(world);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Follow from `after` until `count` events came. */
async function followed(after: number, count: number): Promise<ChainEvent[]> {
  const events: ChainEvent[] = [];
  const stop = new AbortController();
  await followEvents(world.chain, {
    after,
    signal: stop.signal,
    limit: 2,
    waitMs: 20,
    retryMs: 1,
    onEvents: (page) => {
      events.push(...page);
      if (events.length >= count) stop.abort();
    },
    onUnavailable: () => (world.visible = Infinity),
  });
  return events;
}

describe('a Sui chain that keeps its events, after a restart', () => {
  it('numbers what a transaction did as it did before, and follows on from there', async () => {
    const before = await world.chain.events(0);
    world.upcoming.push([CLOSED]);
    const transaction = await world.chain.prepare([SUI_ACTIONS.closeJob], founder);
    const outcome = await world.chain.send(transaction);
    expect(outcome.events.map(({ seq }) => seq)).toEqual([before.length + 1]);

    world.restart();
    expect(await world.chain.transaction(transaction.digest)).toEqual(outcome);
    expect(await world.chain.events(0)).toEqual([...before, ...outcome.events]);
    expect(await followed(before.length, 1)).toEqual(outcome.events);
    // What only the events say is there as well: where the objects are.
    expect((await world.chain.dao(SUI_IDS.dao)).id).toBe(SUI_IDS.dao);
  });

  it('waits for a node that is behind what it has followed, and hands nothing over twice', async () => {
    const all = await world.chain.events(0);
    const half = Math.floor(all.length / 2);
    world.restart();
    world.visible = 1;
    const refusal = await world.chain.events(0).catch(toUsufructError);
    expect(refusal).toMatchObject({ code: 'CHAIN_UNAVAILABLE' });
    expect(await followed(half, all.length - half)).toEqual(all.slice(half));
  });

  it('refuses a node whose history is another one', async () => {
    await world.chain.events(0);
    const last = world.transactions.at(-1)!;
    world.transactions[world.transactions.length - 1] = { ...last, digest: world.transactions[0]!.digest };
    world.restart();
    await expect(world.chain.events(0)).rejects.toMatchObject({ code: 'CHAIN_EVENTS_BROKEN' });
  });
});
