import { Injectable } from '@nestjs/common';
import type { ChainEvent } from '@usufruct/protocol';
import { toColumn, toDate, type Database } from '../../platform/prisma/index.js';
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
    await tx.receiptUse.createMany({
      data: uses.map(({ contributionId, grantId, weight }) => {
        const paid = payouts.filter((payout) => payout.contributionId === contributionId);
        const amountUnits = toColumn(paid.reduce((sum, payout) => sum + payout.amountUnits, 0n));
        return { jobId, questionId, contributionId, grantId, weight: toColumn(weight), amountUnits, eventSeq };
      }),
    });
    await tx.payout.createMany({
      data: payouts.map(({ account, role, contributionId, amountUnits }, line) => ({
        account,
        role,
        contributionId,
        amountUnits: toColumn(amountUnits),
        eventSeq,
        line,
        jobId,
        questionId,
      })),
    });
  }
}
