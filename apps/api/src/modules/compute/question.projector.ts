import { Injectable } from '@nestjs/common';
import type { ChainEvent } from '@usufruct/protocol';
import type { Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

/** Questions are not made from events; a settled one only learns its transaction from them. */
@Injectable()
export class QuestionProjector implements Projector {
  readonly tables = [];

  async apply(tx: Database, { transaction, data }: ChainEvent): Promise<void> {
    if (data.type !== 'ReceiptSettled' && data.type !== 'ReceiptSettledPrivately') return;
    const { jobId, questionId } = data;
    await tx.question.updateMany({ where: { jobId, questionId }, data: { settlementTransaction: transaction } });
  }
}
