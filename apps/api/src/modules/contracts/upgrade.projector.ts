import { Injectable } from '@nestjs/common';
import { withUpgradeEvent, type ChainEvent, type PackageUpgrade, type UpgradeTimelock } from '@usufruct/protocol';
import { toDate, toDateOrNull, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';
import { toTimelock, toUpgrade } from './upgrade.mapper.js';

/** The protocol says what an event changes; here its words are kept. */
@Injectable()
export class UpgradeProjector implements Projector {
  readonly tables = ['upgrade_timelock', 'package_upgrade'];

  async apply(tx: Database, event: ChainEvent): Promise<void> {
    if (!('timelockId' in event.data)) return;
    const [timelock, last] = await Promise.all([
      tx.upgradeTimelock.findFirst(),
      tx.packageUpgrade.findFirst({ orderBy: { eventSeq: 'desc' } }),
    ]);
    const before = { timelock: timelock && toTimelock(timelock), upgrades: last === null ? [] : [toUpgrade(last)] };
    const after = withUpgradeEvent(before, event);
    if (after.timelock !== null && after.timelock !== before.timelock) {
      await keepTimelock(tx, timelock?.eventSeq ?? event.seq, after.timelock);
    }
    const [upgrade] = after.upgrades.slice(-1);
    if (upgrade === undefined || upgrade === before.upgrades[0]) return;
    if (after.upgrades.length > before.upgrades.length) await announced(tx, event, upgrade);
    else if (last !== null)
      await tx.packageUpgrade.update({ where: { eventSeq: last.eventSeq }, data: closing(upgrade) });
  }
}

async function keepTimelock(tx: Database, eventSeq: number, timelock: UpgradeTimelock): Promise<void> {
  const { id, packageId, version, delayMs, lockedAtMs, immutableAtMs } = timelock;
  const changing = { packageId, version, immutableAt: toDateOrNull(immutableAtMs) };
  await tx.upgradeTimelock.upsert({
    where: { id },
    create: { id, ...changing, delayMs, lockedAt: toDate(lockedAtMs), eventSeq },
    update: changing,
  });
}

async function announced(tx: Database, { seq, transaction }: ChainEvent, upgrade: PackageUpgrade): Promise<void> {
  const { digest, announcedAtMs, readyAtMs, lapsesAtMs } = upgrade;
  const times = { announcedAt: toDate(announcedAtMs), readyAt: toDate(readyAtMs), lapsesAt: toDate(lapsesAtMs) };
  await tx.packageUpgrade.create({ data: { eventSeq: seq, digest, ...times, transaction } });
}

const closing = ({ outcome, closedAtMs, packageId, version }: PackageUpgrade) => ({
  outcome,
  closedAt: toDateOrNull(closedAtMs),
  packageId,
  version,
});
