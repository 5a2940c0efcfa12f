import { Injectable } from '@nestjs/common';
import type { ContributionId, JobId } from '@usufruct/kernel';
import { byKey, groupBy, pageByEvent, type Loaders, type Page } from '../../platform/graphql/index.js';
import { PrismaService } from '../../platform/prisma/index.js';
import type { ChainJob, Payout, Question, Receipt, ReceiptUse } from '../../platform/prisma/generated/client.js';

export interface ReceiptKey {
  readonly jobId: string;
  readonly questionId: string;
}
const keyOf = ({ jobId, questionId }: ReceiptKey): string => `${jobId}:${questionId}`;
const keysIn = (texts: readonly string[]): { OR: ReceiptKey[] } => ({
  OR: texts.map((text) => {
    const [jobId = '', questionId = ''] = text.split(':');
    return { jobId, questionId };
  }),
});

@Injectable()
export class ReceiptRepository {
  constructor(private readonly prisma: PrismaService) {}

  load(loaders: Loaders, key: ReceiptKey): Promise<Receipt | null> {
    return loaders.load('receipt', keyOf(key), async (keys) =>
      byKey(await this.prisma.receipt.findMany({ where: keysIn(keys) }), keyOf),
    );
  }
  async loadUses(loaders: Loaders, key: ReceiptKey): Promise<ReceiptUse[]> {
    const uses = await loaders.load('receipt-uses', keyOf(key), async (keys) =>
      groupBy(
        await this.prisma.receiptUse.findMany({ where: keysIn(keys), orderBy: { contributionId: 'asc' } }),
        keyOf,
      ),
    );
    return uses ?? [];
  }
  async loadPayouts(loaders: Loaders, key: ReceiptKey): Promise<Payout[]> {
    const payouts = await loaders.load('payouts', keyOf(key), async (keys) =>
      groupBy(await this.prisma.payout.findMany({ where: keysIn(keys), orderBy: { line: 'asc' } }), keyOf),
    );
    return payouts ?? [];
  }
  /** The relayed answer, which has the receipt's bytes. */
  loadAnswer(loaders: Loaders, key: ReceiptKey): Promise<Question | null> {
    return loaders.load('answer', keyOf(key), async (keys) =>
      byKey(await this.prisma.question.findMany({ where: keysIn(keys) }), keyOf),
    );
  }
  loadJob(loaders: Loaders, jobId: string): Promise<ChainJob | null> {
    return loaders.load('chain-job', jobId, async (ids) =>
      byKey(await this.prisma.chainJob.findMany({ where: { id: { in: [...ids] } } }), (row) => row.id),
    );
  }
  /** Newest first. */
  ofJob(loaders: Loaders, jobId: JobId, page: Page): Promise<Receipt[]> {
    return pageByEvent(loaders, this.prisma, {
      list: { table: 'receipt', parent: 'job_id', order: 'desc' },
      parent: jobId,
      page,
      rows: (where) => this.prisma.receipt.findMany({ where }),
      parentOf: (row) => row.jobId,
    });
  }
  /** Newest first. */
  usesOf(loaders: Loaders, contributionId: ContributionId, page: Page): Promise<ReceiptUse[]> {
    return pageByEvent(loaders, this.prisma, {
      list: { table: 'receipt_use', parent: 'contribution_id', order: 'desc' },
      parent: contributionId,
      page,
      // One event has several uses, of which each parent takes its own.
      rows: (where) => this.prisma.receiptUse.findMany({ where }),
      parentOf: (row) => row.contributionId,
    });
  }
}
