import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@usufruct/kernel';
import { connectionFrom, pageOf, type Connection, type PageArgs } from '../../platform/graphql/index.js';
import { PrismaService } from '../../platform/prisma/index.js';
import { CLOCK } from '../../platform/tokens.js';
import { toTimelock, toTimelockType, toUpgradeType } from './upgrade.mapper.js';
import type { PackageUpgradeType, UpgradeTimelockType } from './upgrade.types.js';

@Injectable()
export class UpgradeService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly prisma: PrismaService,
  ) {}

  async timelock(): Promise<UpgradeTimelockType | null> {
    const row = await this.prisma.upgradeTimelock.findFirst();
    return row === null ? null : toTimelockType(toTimelock(row));
  }

  /** Newest first. */
  async upgrades(args: PageArgs): Promise<Connection<PackageUpgradeType>> {
    const page = pageOf('packageUpgrades', args);
    const before = page.after?.[0];
    const rows = await this.prisma.packageUpgrade.findMany({
      ...(before !== undefined && { where: { eventSeq: { lt: before } } }),
      orderBy: { eventSeq: 'desc' },
      take: page.take,
    });
    const nowMs = this.clock.nowMs();
    return connectionFrom(
      'packageUpgrades',
      page,
      rows,
      (row) => [row.eventSeq],
      (row) => toUpgradeType(row, nowMs),
    );
  }
}
