import { Injectable } from '@nestjs/common';
import type { ChainEvent } from '@usufruct/protocol';
import { insertRows, toColumn, toDate, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

@Injectable()
export class ReceiptProjector implements Projector {
  readonly tables = ['receipt', 'receipt_use', 'payout'];

  async apply(tx: Database, { seq: eventSeq, transaction, atMs, data }: ChainEvent): Promise<void> {
    if (data.type !== 'ReceiptSettled' && data.type !== 'ReceiptSettledPrivately') return;
    const { jobId, questionId, receiptDigest, priceUnits, payouts } = data;
    const uses = data.type === 'ReceiptSettled' ? data.uses : [];
    const pooled =
      data.type === 'ReceiptSettled'
        ? {}
        : { number: toColumn(data.receiptNumber), pooledUnits: toColumn(data.pooledUnits) };
    await tx.receipt.create({
      data: {
        jobId,
        questionId,
        receiptDigest,
        priceUnits: toColumn(priceUnits),
        ...pooled,
        transaction,
        settledAt: toDate(atMs),
        eventSeq,
      },
    });
    const of = { job_id: jobId, question_id: questionId, event_seq: eventSeq };
    const usesPaid = uses.map(({ contributionId, grantId, weight }) => {
      const paid = payouts.filter((payout) => payout.contributionId === contributionId);
      const amountUnits = paid.reduce((sum, payout) => sum + payout.amountUnits, 0n);
      const what = { contribution_id: contributionId, grant_id: grantId };
      return { ...of, ...what, weight: weight.toString(), amount_units: amountUnits.toString() };
    });
    await insertRows(tx, 'receipt_use', usesPaid);
    const lines = payouts.map(({ account, role, contributionId, amountUnits }, line) => {
      const to = { line, account, role, contribution_id: contributionId };
      return { ...of, ...to, amount_units: amountUnits.toString() };
    });
    await insertRows(tx, 'payout', lines);
  }
}
