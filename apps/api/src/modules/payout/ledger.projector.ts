import { Injectable } from '@nestjs/common';
import { assertInvariant } from '@usufruct/kernel';
import { journalOf } from '@usufruct/ledger';
import type { ChainEvent, ChainEventData } from '@usufruct/protocol';
import { Prisma, toDate, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

/** The double entries of the chain's events (libs/ledger says which), and the balances that they add up to. */
@Injectable()
export class LedgerProjector implements Projector {
  readonly tables = ['ledger_entry', 'account_balance'];

  async apply(tx: Database, { seq, transaction, atMs, data }: ChainEvent): Promise<void> {
    const postings = journalOf(data);
    if (postings.length === 0) return;
    assertInvariant(
      postings.reduce((sum, posting) => sum + posting.deltaUnits, 0n) === 0n,
      'the postings of an event add up to zero',
    );
    await tx.ledgerEntry.createMany({
      data: postings.map(({ account, deltaUnits }, line) => {
        // Postings come in pairs: what one account gives, the next one gets.
        const counter = postings[line ^ 1];
        assertInvariant(counter?.deltaUnits === -deltaUnits, 'postings come in pairs');
        return {
          eventSeq: seq,
          line,
          account,
          counterAccount: counter.account,
          deltaUnits: new Prisma.Decimal(deltaUnits.toString()),
          reason: data.type,
          ...subjectOf(data, line >> 1),
          transaction,
          at: toDate(atMs),
        };
      }),
    });
    const deltas = new Map<string, bigint>();
    for (const { account, deltaUnits } of postings) {
      deltas.set(account, (deltas.get(account) ?? 0n) + deltaUnits);
    }
    for (const [account, delta] of deltas) {
      await tx.$executeRaw`insert into account_balance (account, balance_units)
        values (${account}, ${delta.toString()}::decimal)
        on conflict (account) do update set balance_units = account_balance.balance_units + excluded.balance_units`;
    }
  }
}

interface Subject {
  readonly jobId?: string;
  readonly questionId?: string;
  readonly contributionId?: string | null;
  readonly epochId?: string;
}

/** What a pair of postings is about. Payouts of nothing are not posted, so they are not counted either. */
function subjectOf(data: ChainEventData, pair: number): Subject {
  if (data.type === 'JobFunded') return { jobId: data.job.id };
  if (data.type === 'JobClosed') return { jobId: data.jobId };
  if (data.type === 'ReceiptSettledPrivately') return { jobId: data.jobId, questionId: data.questionId };
  if (data.type === 'EpochProposed') return { epochId: data.epoch.id };
  if (data.type === 'EpochRejected' || data.type === 'PayoutClaimed' || data.type === 'EpochSwept') {
    return { epochId: data.epochId };
  }
  if (data.type !== 'ReceiptSettled') return {};
  const payout = data.payouts.filter(({ amountUnits }) => amountUnits > 0n)[pair];
  return { jobId: data.jobId, questionId: data.questionId, contributionId: payout?.contributionId ?? null };
}
