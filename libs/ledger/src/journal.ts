import { refuse, sumUnits, type AmountUnits } from '@usufruct/kernel';
import {
  epochAccountOf,
  receiptPoolAccountOf,
  treasuryAccountOf,
  type ChainEvent,
  type ChainEventData,
} from '@usufruct/protocol';
import { escrowAccount, ISSUANCE_ACCOUNT, walletAccount, type AccountId } from './accounts.js';

/** One line of an entry: what the account gains (or loses, below zero), in units. */
export interface Posting {
  readonly account: AccountId;
  readonly deltaUnits: bigint;
}
/** Postings that happen together and add up to zero. */
export interface JournalEntry {
  readonly id: string;
  readonly postings: readonly Posting[];
}

/**
 * The double-entry postings of one chain event; none where no money moves. Whoever posts these for every event, in
 * order, has the balances of the chain to the last unit. Refuses `CHAIN_EVENTS_BROKEN` for a settlement whose payouts
 * are not its price. Proves nothing about whether the event was allowed to happen.
 */
export function journalOf(event: ChainEventData): Posting[] {
  switch (event.type) {
    case 'Minted':
      return move(ISSUANCE_ACCOUNT, walletAccount(event.to), event.amountUnits);
    case 'Transferred':
      return move(walletAccount(event.from), walletAccount(event.to), event.amountUnits);
    case 'JobFunded':
      return move(walletAccount(event.job.requester), escrowAccount(event.job.id), event.job.escrowUnits);
    case 'ReceiptSettled': {
      if (sumUnits(event.payouts.map((payout) => payout.amountUnits)) !== event.priceUnits) {
        throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'the payouts are not the price', jobId: event.jobId });
      }
      return event.payouts.flatMap(({ account, amountUnits }) =>
        move(escrowAccount(event.jobId), walletAccount(account), amountUnits),
      );
    }
    case 'ReceiptSettledPrivately': {
      const { jobId, daoId, payouts, pooledUnits, priceUnits } = event;
      if (sumUnits([...payouts.map((payout) => payout.amountUnits), pooledUnits]) !== priceUnits) {
        throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'payouts and pooled part are not the price', jobId });
      }
      return [...payouts, { account: receiptPoolAccountOf(daoId), amountUnits: pooledUnits }].flatMap(
        ({ account, amountUnits }) => move(escrowAccount(jobId), walletAccount(account), amountUnits),
      );
    }
    case 'EpochProposed': {
      const { id, daoId, totalUnits } = event.epoch;
      return move(walletAccount(receiptPoolAccountOf(daoId)), walletAccount(epochAccountOf(id)), totalUnits);
    }
    case 'EpochRejected': {
      const pool = walletAccount(receiptPoolAccountOf(event.daoId));
      return move(walletAccount(epochAccountOf(event.epochId)), pool, event.amountUnits);
    }
    case 'ReceiptsWrittenOff': {
      const pool = walletAccount(receiptPoolAccountOf(event.daoId));
      return move(pool, walletAccount(treasuryAccountOf(event.daoId)), event.amountUnits);
    }
    case 'PayoutClaimed':
    case 'EpochSwept':
      return move(walletAccount(epochAccountOf(event.epochId)), walletAccount(event.account), event.amountUnits);
    case 'LicenceBought': {
      const { licence, payouts } = event;
      if (sumUnits(payouts.map((payout) => payout.amountUnits)) !== licence.terms.priceUnits) {
        throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'the payouts are not the price', licenceId: licence.id });
      }
      return payouts.flatMap(({ account, amountUnits }) =>
        move(walletAccount(licence.licensee), walletAccount(account), amountUnits),
      );
    }
    case 'JobClosed':
      return move(escrowAccount(event.jobId), walletAccount(event.refundedTo), event.refundUnits);
    case 'TreasurySpent':
      return move(walletAccount(treasuryAccountOf(event.daoId)), walletAccount(event.to), event.amountUnits);
    default:
      return [];
  }
}

/** The entry of an event, named by its position in the stream: posting it twice posts it once. */
export const journalEntryOf = (event: ChainEvent): JournalEntry => ({
  id: `event:${event.seq}`,
  postings: journalOf(event.data),
});

const move = (from: AccountId, to: AccountId, amountUnits: AmountUnits): Posting[] =>
  amountUnits === 0n
    ? []
    : [
        { account: from, deltaUnits: -amountUnits },
        { account: to, deltaUnits: amountUnits },
      ];
