import { Injectable } from '@nestjs/common';
import type { Address, ContributionId, DatasetId } from '@usufruct/kernel';
import { byKey, pageByEvent, whereEquals, type Loaders, type Page } from '../../platform/graphql/index.js';
import { PrismaService } from '../../platform/prisma/index.js';
import type { Contribution } from '../../platform/prisma/generated/client.js';
import type { ContributionState } from './contribute.types.js';

export interface ContributionFilter {
  readonly owner?: Address | undefined;
  readonly datasetId?: DatasetId | undefined;
  readonly state?: ContributionState | undefined;
}

@Injectable()
export class ContributionRepository {
  constructor(private readonly prisma: PrismaService) {}

  /** Newest first. */
  find({ owner, datasetId, state }: ContributionFilter, page: Page): Promise<Contribution[]> {
    const before = page.after?.[0];
    return this.prisma.contribution.findMany({
      where: {
        ...(owner !== undefined && { owner }),
        ...(datasetId !== undefined && { datasetId }),
        ...(state !== undefined && { state }),
        ...(before !== undefined && { eventSeq: { lt: before } }),
      },
      orderBy: { eventSeq: 'desc' },
      take: page.take,
    });
  }
  accepted(datasetId: DatasetId): Promise<Contribution[]> {
    return this.prisma.contribution.findMany({
      where: { datasetId, state: 'accepted' },
      orderBy: { eventSeq: 'asc' },
    });
  }
  load(loaders: Loaders, id: ContributionId): Promise<Contribution | null> {
    return loaders.load('contribution', id, async (ids) =>
      byKey(await this.prisma.contribution.findMany({ where: { id: { in: [...ids] } } }), (row) => row.id),
    );
  }
  loadOf(loaders: Loaders, datasetId: DatasetId, state: ContributionState | null, page: Page): Promise<Contribution[]> {
    const where = state === null ? undefined : whereEquals('state', state);
    return pageByEvent(loaders, this.prisma, {
      list: { table: 'contribution', parent: 'dataset_id', order: 'desc', where },
      parent: datasetId,
      page,
      rows: (where) => this.prisma.contribution.findMany({ where }),
      parentOf: (row) => row.datasetId,
    });
  }
  /** How many were registered, whatever became of them. */
  async loadCount(loaders: Loaders, datasetId: DatasetId): Promise<number> {
    const count = await loaders.load('contribution-count', datasetId, async (ids) => {
      const counts = await this.prisma.contribution.groupBy({
        by: ['datasetId'],
        where: { datasetId: { in: [...ids] } },
        _count: true,
      });
      return new Map(counts.map((group) => [group.datasetId, group._count]));
    });
    return count ?? 0;
  }
}
