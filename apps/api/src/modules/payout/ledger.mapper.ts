import { asAmount, asId } from '@usufruct/kernel';
import { toBigint, toMs } from '../../platform/prisma/index.js';
import type { LedgerEntry } from '../../platform/prisma/generated/client.js';
import type { LedgerEntryType } from './payout.types.js';

export function toLedgerEntry(row: LedgerEntry): LedgerEntryType {
  const delta = toBigint(row.deltaUnits);
  return {
    account: row.account,
    counterAccount: row.counterAccount,
    direction: delta < 0n ? 'debit' : 'credit',
    amountUnits: asAmount(delta < 0n ? -delta : delta),
    reason: row.reason,
    jobId: row.jobId === null ? null : asId(row.jobId, 'jobId'),
    questionId: row.questionId === null ? null : asId(row.questionId, 'questionId'),
    contributionId: row.contributionId === null ? null : asId(row.contributionId, 'contributionId'),
    epochId: row.epochId === null ? null : asId(row.epochId, 'epochId'),
    eventSeq: row.eventSeq,
    transaction: asId(row.transaction, 'transaction'),
    atMs: toMs(row.at),
  };
}
