import { Inject, Injectable } from '@nestjs/common';
import type { Clock } from '@usufruct/kernel';
import { Notices } from '../../platform/notify/index.js';
import { PrismaService, toDate } from '../../platform/prisma/index.js';
import { CLOCK } from '../../platform/tokens.js';
import { LEASE_LEVELS, levelsFrom, type LeaseLevel } from './lease-terms.js';
import type { KeptContribution } from './lease.repository.js';

/** `lost`: no aggregator has it any more, whatever its lease says. */
export type WarningLevel = LeaseLevel | 'lost';
export const WARNING_LEVELS = [...LEASE_LEVELS, 'lost'] as const;

const TOPIC = 'storage.lease';

/** Tells owners that their ciphertext will go, or has gone: each level of each lease once. */
@Injectable()
export class LeaseWarnings {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly prisma: PrismaService,
    private readonly notices: Notices,
  ) {}

  /** True when it was told now. Of two processes one tells it; a level is not told after a later one. */
  async warn(contribution: KeptContribution, level: WarningLevel, epoch: number | null): Promise<boolean> {
    const { id: contributionId, endEpoch, owner, datasetId, daoId } = contribution;
    const later = level === 'lost' ? ['lost'] : [...levelsFrom(level), 'lost'];
    return this.prisma.$transaction(async (tx) => {
      const told = await tx.leaseWarning.count({ where: { contributionId, endEpoch, level: { in: later } } });
      if (told > 0) return false;
      const { count } = await tx.leaseWarning.createMany({
        data: [{ contributionId, endEpoch, level, owner, epoch: epoch ?? 0, warnedAt: toDate(this.clock.nowMs()) }],
        skipDuplicates: true,
      });
      if (count === 0) return false;
      await this.notices.tell(tx, {
        address: owner,
        topic: TOPIC,
        dedupeKey: `lease/${contributionId}/${endEpoch}/${level}`,
        mailKey: `lease/${owner}/${endEpoch}/${level}`,
        data: { contributionId, datasetId, daoId, level, endEpoch, epoch },
        subject: SUBJECTS[level],
        text: textOf(contribution, level, epoch),
      });
      return true;
    });
  }
}

const SUBJECTS: Record<WarningLevel, string> = {
  notice: 'Storage of a contribution ends soon',
  urgent: 'Storage of a contribution is about to end',
  expired: 'Storage of a contribution has ended',
  lost: 'A contribution cannot be read from the store any more',
};

function textOf({ id, endEpoch }: KeptContribution, level: WarningLevel, epoch: number | null): string {
  const name = `Contribution ${id} (and whatever else of yours ends with the same epoch: the portal lists it)`;
  if (level === 'lost') {
    return `${name}: the store does not have its ciphertext any more. Nothing can use it, and nobody is charged for it, until the same ciphertext is in the store again. Without a copy of it, contribute the file anew and retire this contribution.`;
  }
  const now = epoch === null ? '' : ` It is epoch ${epoch} now.`;
  if (level === 'expired') {
    return `${name}: its lease ended with epoch ${endEpoch}.${now} The store may delete it at any time: make the lease longer, or contribute the file anew.`;
  }
  return `${name}: its lease ends with epoch ${endEpoch}.${now} Make it longer where it is stored, then note the new end with "usufruct contribution renew"; afterwards nobody can bring it back.`;
}
