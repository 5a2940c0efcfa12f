import type { Digest, Hex32, TimestampMs } from '@usufruct/kernel';
import type { ChainEvent } from './chain-views.js';

/** Where the right to upgrade the contracts lies. */
export interface UpgradeTimelock {
  readonly id: Hex32;
  /** The version that runs, and its number from 1. */
  readonly packageId: Hex32;
  readonly version: number;
  /** Between the announcement of an upgrade and its use, at least. */
  readonly delayMs: number;
  readonly lockedAtMs: TimestampMs;
  /** The right was destroyed: no upgrades any more. */
  readonly immutableAtMs: TimestampMs | null;
}

export const UPGRADE_OUTCOMES = ['cancelled', 'committed', 'burnt'] as const;
export type UpgradeOutcome = (typeof UPGRADE_OUTCOMES)[number];
/** `announced`: its delay runs; `usable`: it can happen any moment; `lapsed`: it was not used in time. */
export const UPGRADE_STATES = ['announced', 'usable', 'lapsed', ...UPGRADE_OUTCOMES] as const;
export type UpgradeState = (typeof UPGRADE_STATES)[number];

export interface PackageUpgrade {
  /** Of the announced version's modules and dependencies: compile what is announced and compare. */
  readonly digest: Digest;
  readonly announcedAtMs: TimestampMs;
  readonly readyAtMs: TimestampMs;
  readonly lapsesAtMs: TimestampMs;
  /** Null while nothing has ended it; `burnt`: the right to upgrade was destroyed before it was used. */
  readonly outcome: UpgradeOutcome | null;
  readonly closedAtMs: TimestampMs | null;
  /** Of the version that it made. */
  readonly packageId: Hex32 | null;
  readonly version: number | null;
}
export interface UpgradeHistory {
  /** Null before the right was locked up: it was destroyed at publication, or lies in somebody's wallet. */
  readonly timelock: UpgradeTimelock | null;
  /** Oldest first; at most the last is open. */
  readonly upgrades: readonly PackageUpgrade[];
}
export const NO_UPGRADES: UpgradeHistory = { timelock: null, upgrades: [] };

export function upgradeState(
  { outcome, readyAtMs, lapsesAtMs }: Pick<PackageUpgrade, 'outcome' | 'readyAtMs' | 'lapsesAtMs'>,
  nowMs: TimestampMs,
): UpgradeState {
  if (outcome !== null) return outcome;
  if (nowMs < readyAtMs) return 'announced';
  return nowMs < lapsesAtMs ? 'usable' : 'lapsed';
}

/** Whether the code can still become the announced one. */
export const isPending = (upgrade: PackageUpgrade, nowMs: TimestampMs): boolean =>
  upgrade.outcome === null && nowMs < upgrade.lapsesAtMs;

/** The history with one more event of the chain; the same where the event is about something else. */
export function withUpgradeEvent(history: UpgradeHistory, { data, atMs }: ChainEvent): UpgradeHistory {
  const { timelock, upgrades } = history;
  switch (data.type) {
    case 'UpgradesLocked': {
      const { timelockId: id, packageId, version, delayMs } = data;
      return { ...history, timelock: { id, packageId, version, delayMs, lockedAtMs: atMs, immutableAtMs: null } };
    }
    case 'UpgradeAnnounced': {
      const { digest, readyAtMs, lapsesAtMs } = data;
      const open = { outcome: null, closedAtMs: null, packageId: null, version: null };
      return { timelock, upgrades: [...upgrades, { digest, announcedAtMs: atMs, readyAtMs, lapsesAtMs, ...open }] };
    }
    case 'UpgradeCancelled':
      return { timelock, upgrades: closed(upgrades, { outcome: 'cancelled', closedAtMs: atMs }) };
    case 'UpgradeCommitted': {
      const made = { packageId: data.packageId, version: data.version };
      return {
        timelock: timelock && { ...timelock, ...made },
        upgrades: closed(upgrades, { outcome: 'committed', closedAtMs: atMs, ...made }),
      };
    }
    case 'PackageMadeImmutable':
      return {
        timelock: timelock && { ...timelock, immutableAtMs: atMs },
        upgrades: closed(upgrades, { outcome: 'burnt', closedAtMs: atMs }),
      };
    default:
      return history;
  }
}

/** One that lapsed stays what it is when the right to upgrade is destroyed later. */
function closed(upgrades: readonly PackageUpgrade[], changes: Partial<PackageUpgrade>): readonly PackageUpgrade[] {
  const last = upgrades.at(-1);
  if (last === undefined || last.outcome !== null) return upgrades;
  if (changes.outcome === 'burnt' && (changes.closedAtMs ?? 0) >= last.lapsesAtMs) return upgrades;
  return [...upgrades.slice(0, -1), { ...last, ...changes }];
}
