import { Injectable } from '@nestjs/common';
import { assertInvariant } from '@usufruct/kernel';
import { journalOf } from '@usufruct/ledger';
import type { ChainEvent, ChainEventData } from '@usufruct/protocol';
import { insertRows, Prisma, toDate, type Database } from '../../platform/prisma/index.js';
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
    const entries = postings.map(({ account, deltaUnits }, line) => {
      // Postings come in pairs: what one account gives, the next one gets.
      const counter = postings[line ^ 1];
      assertInvariant(counter?.deltaUnits === -deltaUnits, 'postings come in pairs');
      const { jobId = null, questionId = null, contributionId = null, epochId = null } = subjectOf(data, line >> 1);
      return {
        event_seq: seq,
        line,
        account,
        counter_account: counter.account,
        delta_units: deltaUnits.toString(),
        reason: data.type,
        job_id: jobId,
        question_id: questionId,
        contribution_id: contributionId,
        epoch_id: epochId,
        transaction,
        at: toDate(atMs),
      };
    });
    await insertRows(tx, 'ledger_entry', entries);
    const deltas = new Map<string, bigint>();
    for (const { account, deltaUnits } of postings) {
      deltas.set(account, (deltas.get(account) ?? 0n) + deltaUnits);
    }
    const rows = [...deltas].map(([account, delta]) => Prisma.sql`(${account}, ${delta.toString()}::decimal)`);
    await tx.$executeRaw`insert into account_balance (account, balance_units) values ${Prisma.join(rows)}
      on conflict (account) do update set balance_units = account_balance.balance_units + excluded.balance_units`;
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
