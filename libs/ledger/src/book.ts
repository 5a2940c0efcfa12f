import { asAmount, assertInvariant, refuse, type AmountUnits } from '@usufruct/kernel';
import { ISSUANCE_ACCOUNT, type AccountId } from './accounts.js';
import type { JournalEntry, Posting } from './journal.js';

/** A transfer in two phases: the money is set aside at once, and moves or comes back later. */
export interface Transfer {
  /** Made by the client and stored by it before it is used. */
  readonly id: string;
  readonly from: AccountId;
  readonly to: AccountId;
  readonly amountUnits: AmountUnits;
}
export type TransferState = 'pending' | 'posted' | 'voided';
export interface TransferRecord extends Transfer {
  readonly state: TransferState;
  /** What moved: at most the amount; the rest of a posted transfer is free again. */
  readonly postedUnits: AmountUnits;
}

/** Entries of posted transfers have ids of their own, so that nobody else can take them. */
const TRANSFER_ENTRY = 'transfer:';

/**
 * A double-entry book in memory. Every entry adds up to zero; no account but the issuance goes below zero; money set
 * aside cannot be spent twice; an id used again with the same content changes nothing, with other content it is
 * refused. Each method changes everything it must, or throws and changes nothing.
 */
export class Book {
  readonly #balances = new Map<AccountId, bigint>();
  readonly #reserved = new Map<AccountId, bigint>();
  readonly #entries = new Map<string, JournalEntry>();
  readonly #transfers = new Map<string, TransferRecord>();

  /** Units on the account, money set aside included; zero for an account that was never named. */
  balanceOf(account: AccountId): bigint {
    return this.#balances.get(account) ?? 0n;
  }
  /** What can be spent now. */
  availableOn(account: AccountId): bigint {
    return this.balanceOf(account) - this.#reservedOn(account);
  }
  transfer(id: string): TransferRecord | undefined {
    return this.#transfers.get(id);
  }
  /** Everything that was posted, in order. */
  entries(): JournalEntry[] {
    return [...this.#entries.values()];
  }
  accounts(): AccountId[] {
    return [...this.#balances.keys()];
  }

  /**
   * Post an entry at once. Refuses `INSUFFICIENT_BALANCE`, `IDEMPOTENCY_KEY_REUSED` (this id, other postings) and
   * `INVALID_ARGUMENT` (postings that do not add up to zero).
   */
  record(entry: JournalEntry): void {
    if (entry.id.startsWith(TRANSFER_ENTRY)) {
      throw refuse('INVALID_ARGUMENT', { field: 'id', expected: 'an id that does not name a transfer' });
    }
    this.#record(entry);
  }

  #record(entry: JournalEntry): void {
    if (entry.postings.reduce((sum, posting) => sum + posting.deltaUnits, 0n) !== 0n) {
      throw refuse('INVALID_ARGUMENT', { field: 'postings', expected: 'a sum of zero' });
    }
    const known = this.#entries.get(entry.id);
    if (known !== undefined) {
      if (!samePostings(known.postings, entry.postings)) throw refuse('IDEMPOTENCY_KEY_REUSED', { id: entry.id });
      return;
    }
    const after = this.#after(entry.postings);
    for (const [account, balance] of after) this.#balances.set(account, balance);
    this.#entries.set(entry.id, entry);
  }

  /** Set money aside. Refuses as `record` does. */
  reserve(transfer: Transfer): TransferRecord {
    const amount = asAmount(transfer.amountUnits);
    const known = this.#transfers.get(transfer.id);
    if (known !== undefined) {
      const same = known.from === transfer.from && known.to === transfer.to && known.amountUnits === amount;
      if (!same) throw refuse('IDEMPOTENCY_KEY_REUSED', { id: transfer.id });
      return known;
    }
    if (transfer.from === ISSUANCE_ACCOUNT || this.availableOn(transfer.from) < amount) {
      throw refuse('INSUFFICIENT_BALANCE', { account: transfer.from });
    }
    this.#reserved.set(transfer.from, this.#reservedOn(transfer.from) + amount);
    return this.#keep({ ...transfer, state: 'pending', postedUnits: asAmount(0n) });
  }

  /** Move the money that was set aside, or a part of it; what is not moved is free again. */
  post(id: string, amountUnits?: AmountUnits): TransferRecord {
    const pending = this.#mustKnow(id);
    const amount = amountUnits ?? pending.amountUnits;
    if (pending.state === 'posted' && pending.postedUnits === amount) return pending;
    requirePending(pending);
    if (amount < 0n || amount > pending.amountUnits) {
      throw refuse('INVALID_ARGUMENT', { field: 'amountUnits', expected: 'at most what was set aside' });
    }
    this.#release(pending);
    const postings = [
      { account: pending.from, deltaUnits: -amount },
      { account: pending.to, deltaUnits: amount },
    ];
    this.#record({ id: `${TRANSFER_ENTRY}${id}`, postings });
    return this.#keep({ ...pending, state: 'posted', postedUnits: amount });
  }

  /** Give the money that was set aside back. */
  void(id: string): TransferRecord {
    const pending = this.#mustKnow(id);
    if (pending.state === 'voided') return pending;
    requirePending(pending);
    this.#release(pending);
    return this.#keep({ ...pending, state: 'voided' });
  }

  /** Assert every invariant of the book from scratch. A failure is a bug, never a user's mistake. */
  assertBacked(): void {
    const recomputed = new Map<AccountId, bigint>();
    for (const { postings } of this.#entries.values()) {
      for (const { account, deltaUnits } of postings) {
        recomputed.set(account, (recomputed.get(account) ?? 0n) + deltaUnits);
      }
    }
    let sum = 0n;
    for (const [account, balance] of this.#balances) {
      sum += balance;
      assertInvariant(balance === (recomputed.get(account) ?? 0n), 'a balance is the sum of its postings');
      const bounded = account === ISSUANCE_ACCOUNT ? balance <= 0n : balance >= this.#reservedOn(account);
      assertInvariant(bounded, 'no account is below what is set aside on it');
    }
    assertInvariant(sum === 0n, 'what is held is what was issued');
    const pending = new Map<AccountId, bigint>();
    for (const { from, amountUnits, state } of this.#transfers.values()) {
      if (state === 'pending') pending.set(from, (pending.get(from) ?? 0n) + amountUnits);
    }
    for (const [account, units] of this.#reserved) {
      assertInvariant(units === (pending.get(account) ?? 0n), 'what is set aside is the sum of the pending transfers');
    }
  }

  #after(postings: readonly Posting[]): Map<AccountId, bigint> {
    const after = new Map<AccountId, bigint>();
    for (const { account, deltaUnits } of postings) {
      after.set(account, (after.get(account) ?? this.balanceOf(account)) + deltaUnits);
    }
    for (const [account, balance] of after) {
      if (account === ISSUANCE_ACCOUNT) {
        if (balance > 0n) throw refuse('INSUFFICIENT_BALANCE', { account });
      } else if (balance < this.#reservedOn(account)) {
        throw refuse('INSUFFICIENT_BALANCE', { account });
      }
    }
    return after;
  }

  #reservedOn(account: AccountId): bigint {
    return this.#reserved.get(account) ?? 0n;
  }
  #release({ from, amountUnits }: TransferRecord): void {
    this.#reserved.set(from, this.#reservedOn(from) - amountUnits);
  }
  #keep(record: TransferRecord): TransferRecord {
    this.#transfers.set(record.id, record);
    return record;
  }
  #mustKnow(id: string): TransferRecord {
    const known = this.#transfers.get(id);
    if (known === undefined) throw refuse('NOT_FOUND', { transfer: id });
    return known;
  }
}

function requirePending(transfer: TransferRecord): void {
  if (transfer.state !== 'pending') {
    throw refuse('INVALID_ARGUMENT', {
      field: 'transfer',
      expected: `a pending transfer, not a ${transfer.state} one`,
    });
  }
}

const samePostings = (left: readonly Posting[], right: readonly Posting[]): boolean =>
  left.length === right.length &&
  left.every(({ account, deltaUnits }, i) => right[i]!.account === account && right[i]!.deltaUnits === deltaUnits);
