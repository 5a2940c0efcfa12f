import { Injectable } from '@nestjs/common';
import type { DaoId, DatasetId, Digest, TimestampMs } from '@usufruct/kernel';
import type { Metadata } from '@usufruct/protocol';
import { byKey, Loaders, pageByEvent, type Page } from '../../platform/graphql/index.js';
import { PrismaService, toDate } from '../../platform/prisma/index.js';
import type { Dao, Dataset, Description } from '../../platform/prisma/generated/client.js';

@Injectable()
export class DaoRepository {
  constructor(private readonly prisma: PrismaService) {}

  daos(page: Page): Promise<Dao[]> {
    return this.prisma.dao.findMany({
      where: { eventSeq: { gt: page.after?.[0] ?? 0 } },
      orderBy: { eventSeq: 'asc' },
      take: page.take,
    });
  }
  dao(id: DaoId): Promise<Dao | null> {
    return this.prisma.dao.findUnique({ where: { id } });
  }
  dataset(id: DatasetId): Promise<Dataset | null> {
    return this.prisma.dataset.findUnique({ where: { id } });
  }
  daosOf(ids: readonly DaoId[]): Promise<Dao[]> {
    return this.prisma.dao.findMany({ where: { id: { in: [...ids] } } });
  }
  datasets(page: Page): Promise<Dataset[]> {
    return this.prisma.dataset.findMany({
      where: { eventSeq: { gt: page.after?.[0] ?? 0 } },
      orderBy: { eventSeq: 'asc' },
      take: page.take,
    });
  }

  loadDao(loaders: Loaders, id: DaoId): Promise<Dao | null> {
    return loaders.load('dao', id, async (ids) =>
      byKey(await this.prisma.dao.findMany({ where: { id: { in: [...ids] } } }), (row) => row.id),
    );
  }
  loadDataset(loaders: Loaders, id: DatasetId): Promise<Dataset | null> {
    return loaders.load('dataset', id, async (ids) =>
      byKey(await this.prisma.dataset.findMany({ where: { id: { in: [...ids] } } }), (row) => row.id),
    );
  }
  async loadDatasetsOf(loaders: Loaders, daoId: DaoId, page: Page): Promise<Dataset[]> {
    return pageByEvent(loaders, this.prisma, {
      list: { table: 'dataset', parent: 'dao_id', order: 'asc' },
      parent: daoId,
      page,
      rows: (where) => this.prisma.dataset.findMany({ where }),
      parentOf: (row) => row.daoId,
    });
  }
  loadDescription(loaders: Loaders, digest: Digest): Promise<Description | null> {
    return loaders.load('description', digest, async (digests) =>
      byKey(await this.prisma.description.findMany({ where: { digest: { in: [...digests] } } }), (row) => row.digest),
    );
  }

  /** The same words twice are the same row. */
  async saveDescription(digest: Digest, { title, description }: Metadata, now: TimestampMs): Promise<void> {
    await this.prisma.description.upsert({
      where: { digest },
      create: { digest, title, description, describedAt: toDate(now) },
      update: {},
    });
  }
}
