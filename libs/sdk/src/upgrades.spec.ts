import { describe, expect, it } from '@jest/globals';
import { asTimestampMs, type Address, type Digest, type Hex32 } from '@usufruct/kernel';
import type { ChainEvent, ChainEventData } from '@usufruct/protocol';
import { FakeChain, idOf, testChainInfo, TEST_NOW_MS } from '@usufruct/testing';
import { upgradesOf } from './upgrades.js';

const timelockId = idOf<Hex32>('timelock');
const told: readonly ChainEventData[] = [
  { type: 'UpgradesLocked', timelockId, packageId: idOf('package'), version: 1, delayMs: 604_800_000 },
  {
    type: 'UpgradeAnnounced',
    timelockId,
    digest: idOf<Digest>('code'),
    readyAtMs: asTimestampMs(TEST_NOW_MS + 1),
    lapsesAtMs: asTimestampMs(TEST_NOW_MS + 2),
  },
];
/** A chain that is no stand-in, with as many other events before these as a page has. */
function chainWith(standIn: boolean): FakeChain {
  const chain = new FakeChain({ ...testChainInfo(), standIn });
  const others = Array.from({ length: 1_500 }, (): ChainEventData => ({ type: 'DaoPaused', daoId: idOf('dao') }));
  const events = [...others, ...told].map((data, i): ChainEvent => {
    const place = { seq: i + 1, transaction: idOf<Digest>(`tx ${i}`), sender: idOf<Address>('sender') };
    return { ...place, atMs: TEST_NOW_MS, data };
  });
  chain.events = async (after, { limit = 100 } = {}) => events.slice(after, after + limit);
  return chain;
}

describe('upgrades of the contracts', () => {
  it('are read from the events of the chain, to the last', async () => {
    const { timelock, upgrades } = await upgradesOf({ chain: chainWith(false) });
    expect(timelock).toMatchObject({ id: timelockId, version: 1, immutableAtMs: null });
    expect(upgrades).toMatchObject([{ digest: idOf('code'), announcedAtMs: TEST_NOW_MS, outcome: null }]);
  });
  it('are none that the local ledger could have', async () => {
    await expect(upgradesOf({ chain: chainWith(true) })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field: 'network' },
    });
  });
});
