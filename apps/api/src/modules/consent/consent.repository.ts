import { Injectable } from '@nestjs/common';
import type { ContributionId, GrantId } from '@usufruct/kernel';
import { groupBy, type Loaders } from '../../platform/graphql/index.js';
import { PrismaService } from '../../platform/prisma/index.js';
import type { Grant } from '../../platform/prisma/generated/client.js';

@Injectable()
export class GrantRepository {
  constructor(private readonly prisma: PrismaService) {}

  grant(id: GrantId): Promise<Grant | null> {
    return this.prisma.grant.findUnique({ where: { id } });
  }
  /** Of all these contributions, oldest first. */
  of(contributionIds: readonly string[]): Promise<Grant[]> {
    return this.prisma.grant.findMany({
      where: { contributionId: { in: [...contributionIds] } },
      orderBy: { eventSeq: 'asc' },
    });
  }
  async loadOf(loaders: Loaders, contributionId: ContributionId): Promise<Grant[]> {
    const grants = await loaders.load('grants', contributionId, async (ids) =>
      groupBy(await this.of(ids), (row) => row.contributionId),
    );
    return grants ?? [];
  }
}
