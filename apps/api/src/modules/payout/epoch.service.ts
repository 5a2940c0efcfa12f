import { Inject, Injectable } from '@nestjs/common';
import { asAmount, asId, ZERO_UNITS, type Clock, type DaoId, type EpochId, type TimestampMs } from '@usufruct/kernel';
import {
  claimEndOf,
  EMPTY_RECEIPT_CHAIN,
  epochPhase,
  parseAnswer,
  receiptPoolAccountOf,
  zEpochView,
  type EpochView,
} from '@usufruct/protocol';
import {
  byKey,
  connectionFrom,
  globalId,
  pageByEvent,
  pageOf,
  type Connection,
  type Loaders,
  type PageArgs,
} from '../../platform/graphql/index.js';
import { PrismaService, toBigint, toMs, toMsOrNull } from '../../platform/prisma/index.js';
import type { Epoch, EpochClaim, ReceiptPool } from '../../platform/prisma/generated/client.js';
import { CLOCK } from '../../platform/tokens.js';
import type { EpochClaimType, EpochType, ReceiptPoolType } from './epoch.types.js';

@Injectable()
export class EpochService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly prisma: PrismaService,
  ) {}

  async epoch(loaders: Loaders, id: EpochId): Promise<EpochType | null> {
    const row = await loaders.load('epoch', id, async (ids) =>
      byKey(await this.prisma.epoch.findMany({ where: { id: { in: [...ids] } } }), (each) => each.id),
    );
    return row === null ? null : toEpoch(row, this.clock.nowMs());
  }

  /** Newest first, rejected ones included. */
  async ofDao(loaders: Loaders, daoId: DaoId, args: PageArgs): Promise<Connection<EpochType>> {
    const page = pageOf('epochs', args);
    const rows = await pageByEvent(loaders, this.prisma, {
      list: { table: 'epoch', parent: 'dao_id', order: 'desc' },
      parent: daoId,
      page,
      rows: (where) => this.prisma.epoch.findMany({ where }),
      parentOf: (row) => row.daoId,
    });
    const nowMs = this.clock.nowMs();
    return connectionFrom(
      'epochs',
      page,
      rows,
      (row) => [row.eventSeq],
      (row) => toEpoch(row, nowMs),
    );
  }

  /** Newest first. */
  async claims(loaders: Loaders, epochId: EpochId, args: PageArgs): Promise<Connection<EpochClaimType>> {
    const page = pageOf('epochClaims', args);
    const rows = await pageByEvent(loaders, this.prisma, {
      list: { table: 'epoch_claim', parent: 'epoch_id', order: 'desc' },
      parent: epochId,
      page,
      rows: (where) => this.prisma.epochClaim.findMany({ where }),
      parentOf: (row) => row.epochId,
    });
    return connectionFrom('epochClaims', page, rows, (row) => [row.eventSeq], toClaim);
  }

  async pool(loaders: Loaders, daoId: DaoId): Promise<ReceiptPoolType> {
    const row = await loaders.load('receipt-pool', daoId, async (ids) =>
      byKey(await this.prisma.receiptPool.findMany({ where: { daoId: { in: [...ids] } } }), (each) => each.daoId),
    );
    const account = receiptPoolAccountOf(daoId);
    return { daoId, account, ...(row === null ? EMPTY_POOL : toPool(row)) };
  }
}

type Pool = Omit<ReceiptPoolType, 'daoId' | 'account'>;

/** Before the first private receipt there is no row. */
const EMPTY_POOL: Pool = {
  receiptCount: 0n,
  pooledUnits: ZERO_UNITS,
  receiptChain: EMPTY_RECEIPT_CHAIN,
  coveredReceipts: 0n,
  epochCount: 0n,
};

const toPool = (row: ReceiptPool): Pool => ({
  receiptCount: toBigint(row.receiptCount),
  pooledUnits: asAmount(toBigint(row.pooledUnits)),
  receiptChain: asId(row.receiptChain, 'receiptChain'),
  coveredReceipts: toBigint(row.coveredReceipts),
  epochCount: toBigint(row.epochCount),
});

/** The row as the chain's view of it. */
const toEpochView = (row: Epoch): EpochView =>
  parseAnswer(
    zEpochView,
    {
      ...row,
      number: row.number.toFixed(0),
      attempt: Number(row.attempt),
      fromReceipt: row.fromReceipt.toFixed(0),
      toReceipt: row.toReceipt.toFixed(0),
      totalUnits: row.totalUnits.toFixed(0),
      leafCount: Number(row.leafCount),
      claimedUnits: row.claimedUnits.toFixed(0),
      proposedAtMs: toMs(row.proposedAt),
      challengeEndsAtMs: toMs(row.challengeEndsAt),
      claimTermMs: Number(row.claimTermMs),
    },
    'projection',
  );

function toEpoch(row: Epoch, nowMs: TimestampMs): EpochType {
  const epoch = toEpochView(row);
  const { id: epochId, ...view } = epoch;
  const phase = epochPhase(epoch, nowMs);
  return {
    ...view,
    __typename: 'Epoch',
    id: globalId('Epoch', epochId),
    epochId,
    phase: phase === 'ended' ? 'lapsed' : phase,
    claimableUntilMs: claimEndOf(epoch),
    closedAtMs: toMsOrNull(row.closedAt),
    sweptUnits: row.sweptUnits === null ? null : asAmount(toBigint(row.sweptUnits)),
  };
}

const toClaim = (row: EpochClaim): EpochClaimType => ({
  index: Number(row.index),
  account: asId(row.account, 'account'),
  amountUnits: asAmount(toBigint(row.amountUnits)),
  transaction: asId(row.transaction, 'transaction'),
  claimedAtMs: toMs(row.claimedAt),
});
