import { Injectable } from '@nestjs/common';
import type { EpochId } from '@usufruct/kernel';
import type { ChainEvent, EpochView } from '@usufruct/protocol';
import { toBigint, toColumn, toDate, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

/** Private payout: what is set aside, and the epochs that divide it. */
@Injectable()
export class EpochProjector implements Projector {
  readonly tables = ['receipt_pool', 'epoch', 'epoch_claim'];

  async apply(tx: Database, event: ChainEvent): Promise<void> {
    const { atMs, data } = event;
    switch (data.type) {
      case 'ReceiptSettledPrivately':
        return pooled(tx, data);
      case 'EpochProposed':
        return proposed(tx, event, data.epoch);
      case 'EpochObjected':
        await tx.epoch.update({
          where: { id: data.epochId },
          data: { objections: { push: data.operator }, challengeEndsAt: toDate(data.challengeEndsAtMs) },
        });
        return;
      case 'ReceiptsWrittenOff':
        await tx.receiptPool.update({
          where: { daoId: data.daoId },
          data: { coveredReceipts: toColumn(data.toReceipt) },
        });
        return;
      case 'EpochRejected':
        return rejected(tx, event, data.epochId);
      case 'PayoutClaimed':
        return claimed(tx, event, data);
      case 'EpochSwept':
        await tx.epoch.update({
          where: { id: data.epochId },
          data: { state: 'swept', closedAt: toDate(atMs), sweptUnits: toColumn(data.amountUnits) },
        });
        return;
      default:
    }
  }
}

type DataOf<T extends ChainEvent['data']['type']> = Extract<ChainEvent['data'], { type: T }>;

async function pooled(tx: Database, data: DataOf<'ReceiptSettledPrivately'>): Promise<void> {
  const { daoId, pooledUnits, receiptNumber } = data;
  const receipts = { receiptCount: toColumn(receiptNumber), receiptChain: data.receiptChain };
  const none = toColumn(0n);
  await tx.receiptPool.upsert({
    where: { daoId },
    create: { daoId, ...receipts, pooledUnits: toColumn(pooledUnits), coveredReceipts: none, epochCount: none },
    update: { ...receipts, pooledUnits: { increment: toColumn(pooledUnits) } },
  });
}

async function proposed(tx: Database, { seq }: ChainEvent, epoch: EpochView): Promise<void> {
  const { id, daoId, attempt, settler, root, state, unclaimedTo } = epoch;
  await tx.epoch.create({
    data: {
      id,
      daoId,
      number: toColumn(epoch.number),
      attempt,
      settler,
      fromReceipt: toColumn(epoch.fromReceipt),
      toReceipt: toColumn(epoch.toReceipt),
      totalUnits: toColumn(epoch.totalUnits),
      root,
      leafCount: epoch.leafCount,
      claimedUnits: toColumn(epoch.claimedUnits),
      state,
      objections: [...epoch.objections],
      proposedAt: toDate(epoch.proposedAtMs),
      challengeEndsAt: toDate(epoch.challengeEndsAtMs),
      claimTermMs: epoch.claimTermMs,
      unclaimedTo,
      eventSeq: seq,
    },
  });
  await tx.receiptPool.update({
    where: { daoId },
    data: { coveredReceipts: toColumn(epoch.toReceipt), epochCount: toColumn(epoch.number) },
  });
}

/** Its receipts wait again, and its number is free. */
async function rejected(tx: Database, { atMs }: ChainEvent, id: EpochId): Promise<void> {
  const epoch = await tx.epoch.update({ where: { id }, data: { state: 'rejected', closedAt: toDate(atMs) } });
  await tx.receiptPool.update({
    where: { daoId: epoch.daoId },
    data: {
      coveredReceipts: toColumn(toBigint(epoch.fromReceipt) - 1n),
      epochCount: toColumn(toBigint(epoch.number) - 1n),
    },
  });
}

async function claimed(tx: Database, event: ChainEvent, data: DataOf<'PayoutClaimed'>): Promise<void> {
  const { epochId, index, account } = data;
  const amountUnits = toColumn(data.amountUnits);
  const { transaction, seq: eventSeq } = event;
  await tx.epochClaim.create({
    data: { epochId, index, account, amountUnits, transaction, claimedAt: toDate(event.atMs), eventSeq },
  });
  await tx.epoch.update({ where: { id: epochId }, data: { claimedUnits: { increment: amountUnits } } });
}
