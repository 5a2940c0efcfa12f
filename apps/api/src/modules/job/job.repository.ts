import { Injectable } from '@nestjs/common';
import type { Address, JobId } from '@usufruct/kernel';
import { byKey, type Loaders, type Page } from '../../platform/graphql/index.js';
import { PrismaService } from '../../platform/prisma/index.js';
import type { ChainJob, JobProgress } from '../../platform/prisma/generated/client.js';
import type { JobRecord } from './job-record.js';

@Injectable()
export class JobRepository {
  constructor(private readonly prisma: PrismaService) {}

  async record(jobId: JobId): Promise<JobRecord | null> {
    const [progress, chain] = await Promise.all([
      this.prisma.jobProgress.findUnique({ where: { jobId } }),
      this.funded(jobId),
    ]);
    return progress === null ? null : { progress, chain };
  }
  funded(id: JobId): Promise<ChainJob | null> {
    return this.prisma.chainJob.findUnique({ where: { id } });
  }
  async load(loaders: Loaders, jobId: JobId): Promise<JobRecord | null> {
    return loaders.load('job', jobId, async (ids) =>
      byKey(
        await this.join(await this.prisma.jobProgress.findMany({ where: { jobId: { in: [...ids] } } })),
        ({ progress }) => progress.jobId,
      ),
    );
  }
  /** Newest first. */
  async of(requester: Address, page: Page): Promise<JobRecord[]> {
    const before = page.after?.[0];
    const rows = await this.prisma.jobProgress.findMany({
      where: { requester, ...(before !== undefined && { ordinal: { lt: before } }) },
      orderBy: { ordinal: 'desc' },
      take: page.take,
    });
    return this.join(rows);
  }

  private async join(rows: readonly JobProgress[]): Promise<JobRecord[]> {
    const jobs = await this.prisma.chainJob.findMany({ where: { id: { in: rows.map((row) => row.jobId) } } });
    const funded = byKey(jobs, (job) => job.id);
    return rows.map((progress) => ({ progress, chain: funded.get(progress.jobId) ?? null }));
  }
}
