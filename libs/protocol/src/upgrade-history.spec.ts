import { describe, expect, it } from '@jest/globals';
import { asTimestampMs, type Address, type Digest, type Hex32 } from '@usufruct/kernel';
import type { ChainEvent, ChainEventData } from './chain-views.js';
import { isPending, NO_UPGRADES, upgradeState, withUpgradeEvent } from './upgrade-history.js';

const id = <T extends Hex32>(n: number): T => `0x${n.toString(16).padStart(64, '0')}` as T;
const timelockId = id(1);
const locked: ChainEventData = { type: 'UpgradesLocked', timelockId, packageId: id(2), version: 1, delayMs: 100 };
const announced = (digest: number, readyAtMs: number): ChainEventData => ({
  type: 'UpgradeAnnounced',
  timelockId,
  digest: id(digest),
  readyAtMs: asTimestampMs(readyAtMs),
  lapsesAtMs: asTimestampMs(readyAtMs + 50),
});
const cancelled = (digest: number): ChainEventData => ({ type: 'UpgradeCancelled', timelockId, digest: id(digest) });
const committed: ChainEventData = { type: 'UpgradeCommitted', timelockId, packageId: id(3), version: 2 };
const immutable: ChainEventData = { type: 'PackageMadeImmutable', timelockId, packageId: id(3), version: 2 };

/** Each at its time. */
const history = (...told: readonly (readonly [number, ChainEventData])[]) =>
  told
    .map(([atMs, data], i): ChainEvent => {
      const place = { seq: i + 1, transaction: id<Digest>(100 + i), sender: id<Address>(9) };
      return { ...place, atMs: asTimestampMs(atMs), data };
    })
    .reduce(withUpgradeEvent, NO_UPGRADES);
const statesAt = (nowMs: number, { upgrades }: ReturnType<typeof history>) =>
  upgrades.map((upgrade) => upgradeState(upgrade, asTimestampMs(nowMs)));

describe('the upgrades of the contracts', () => {
  it.each([
    [109, 'announced', true],
    [110, 'usable', true],
    [159, 'usable', true],
    [160, 'lapsed', false],
  ])('at %d one that is usable from 110 and before 160 is %s', (nowMs, state, pending) => {
    const told = history([0, locked], [10, announced(7, 110)]);
    expect(statesAt(nowMs, told)).toEqual([state]);
    expect(isPending(told.upgrades[0]!, asTimestampMs(nowMs))).toBe(pending);
  });

  it('end by being cancelled or used, and the next can be announced', () => {
    const told = history(
      [0, locked],
      [10, announced(7, 110)],
      [20, cancelled(7)],
      [30, announced(8, 130)],
      [140, committed],
      [150, announced(7, 250)],
    );
    expect(statesAt(150, told)).toEqual(['cancelled', 'committed', 'announced']);
    expect(told.upgrades.map(({ closedAtMs, packageId, version }) => [closedAtMs, packageId, version])).toEqual([
      [20, null, null],
      [140, id(3), 2],
      [null, null, null],
    ]);
    expect(told.timelock).toMatchObject({ packageId: id(3), version: 2, immutableAtMs: null });
  });

  it('are over when the right to them is destroyed; one that had lapsed before stays lapsed', () => {
    const before = history([0, locked], [10, announced(7, 110)], [159, immutable]);
    expect(statesAt(200, before)).toEqual(['burnt']);
    expect(before.timelock?.immutableAtMs).toBe(159);
    expect(statesAt(200, history([0, locked], [10, announced(7, 110)], [160, immutable]))).toEqual(['lapsed']);
  });

  it('leave one that lapsed alone when the next one ends', () => {
    const told = history([0, locked], [10, announced(7, 110)], [170, announced(7, 270)], [180, cancelled(7)]);
    expect(statesAt(200, told)).toEqual(['lapsed', 'cancelled']);
  });

  it('are none where no event tells of any', () => {
    const minted: ChainEventData = { type: 'DaoPaused', daoId: id(4) };
    expect(history([0, minted])).toBe(NO_UPGRADES);
  });
});
