import { asId, type TimestampMs } from '@usufruct/kernel';
import {
  parseAnswer,
  UPGRADE_OUTCOMES,
  upgradeState,
  type PackageUpgrade as Upgrade,
  type UpgradeTimelock as Timelock,
} from '@usufruct/protocol';
import { z } from 'zod';
import { toMs, toMsOrNull } from '../../platform/prisma/index.js';
import type { PackageUpgrade, UpgradeTimelock } from '../../platform/prisma/generated/client.js';
import type { PackageUpgradeType, UpgradeTimelockType } from './upgrade.types.js';

const zOutcome = z.enum(UPGRADE_OUTCOMES).nullable();

/** The rows as the protocol has them. */
export const toTimelock = (row: UpgradeTimelock): Timelock => ({
  id: asId(row.id, 'timelockId'),
  packageId: asId(row.packageId, 'packageId'),
  version: row.version,
  delayMs: Number(row.delayMs),
  lockedAtMs: toMs(row.lockedAt),
  immutableAtMs: toMsOrNull(row.immutableAt),
});

export const toUpgrade = (row: PackageUpgrade): Upgrade => ({
  digest: asId(row.digest, 'digest'),
  announcedAtMs: toMs(row.announcedAt),
  readyAtMs: toMs(row.readyAt),
  lapsesAtMs: toMs(row.lapsesAt),
  outcome: parseAnswer(zOutcome, row.outcome, 'projection'),
  closedAtMs: toMsOrNull(row.closedAt),
  packageId: row.packageId === null ? null : asId(row.packageId, 'packageId'),
  version: row.version,
});

export const toTimelockType = ({ id: timelockId, ...timelock }: Timelock): UpgradeTimelockType => ({
  timelockId,
  ...timelock,
});

export function toUpgradeType(row: PackageUpgrade, nowMs: TimestampMs): PackageUpgradeType {
  const upgrade = toUpgrade(row);
  const { outcome: _outcome, ...shown } = upgrade;
  return {
    ...shown,
    state: upgradeState(upgrade, nowMs),
    transaction: asId(row.transaction, 'transaction'),
  };
}
