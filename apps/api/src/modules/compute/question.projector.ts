import { Injectable } from '@nestjs/common';
import type { ChainEvent } from '@usufruct/protocol';
import type { Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';
import { QuestionRelay } from './question-relay.js';
import { QuestionRepository } from './question.repository.js';

/**
 * Questions are not made from events; a settled one only learns its transaction from them. Where one runner has refused
 * it, and another settles what it had stored before it was gone, its answer is fetched from there: it is paid.
 */
@Injectable()
export class QuestionProjector implements Projector {
  readonly tables = [];

  constructor(
    private readonly repository: QuestionRepository,
    private readonly relay: QuestionRelay,
  ) {}

  async apply(tx: Database, { transaction, data }: ChainEvent): Promise<void> {
    if (data.type !== 'ReceiptSettled' && data.type !== 'ReceiptSettledPrivately') return;
    const { jobId, questionId } = data;
    const [row] = await tx.question.updateManyAndReturn({
      where: { jobId, questionId },
      data: { settlementTransaction: transaction },
    });
    if (row === undefined || row.state !== 'failed') return;
    const reopened = await this.repository.reopenPaid(tx, jobId, questionId);
    if (reopened !== null) await this.relay.plan(tx, reopened);
  }
}
