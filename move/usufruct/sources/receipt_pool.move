/// What private settlement has set aside for a DAO's contributors. Receipts are numbered from 1; a chain of hashes over
/// their digests names any run of them in 32 bytes, and what was set aside up to each is kept, so that an epoch over any
/// run has one exact total. Epochs cover receipts in order and without gaps; what nobody could divide for a long time, a
/// vote writes off, so that it does not keep the later ones waiting for ever.
module usufruct::receipt_pool;

use sui::{balance::Balance, table::{Self, Table}};
use usufruct::{custody::{Self, Vault}, digest, domain_tags};

/// There is no receipt of this number.
const ENoReceipt: u64 = 1700;
/// The receipts do not begin after the last that is covered, or there are none, or not that many.
const EWriteOffReceipts: u64 = 1701;
/// An epoch is in its challenge window: if it is rejected, its receipts come before these.
const EWriteOffChallenged: u64 = 1702;
/// The last of the receipts was settled too short a time ago: they can still be divided.
const EWriteOffEarly: u64 = 1703;

/// A settler may leave attempts out. Were there no limit, one rejected epoch of the last attempt that there is would
/// leave none for its number, and the pool could never be paid out.
const ATTEMPTS_AHEAD_AT_MOST: u32 = 1_000;

/// 30 days from the settlement of a receipt until it can be written off: no vote can be quicker than those who divide.
const WRITE_OFF_AFTER_MS: u64 = 2_592_000_000;

/// The pool after a receipt.
public struct Mark has copy, drop, store {
    receipt_chain: address,
    /// All that was ever set aside, paid out since or not.
    pooled_units: u128,
    /// Of this receipt: never before that of an earlier one.
    settled_at_ms: u64,
}

public struct ReceiptPool<phantom T> has store {
    held: Vault<T>,
    receipt_count: u64,
    /// By receipt number.
    marks: Table<u64, Mark>,
    /// Receipts up to this are covered by an epoch that was not rejected, or were written off.
    covered_receipts: u64,
    /// Epochs that were not rejected.
    epoch_count: u64,
    /// The last attempt proposed, by epoch number, rejected or not.
    attempts: Table<u64, u32>,
    /// When the challenge window of the last epoch ends; 0 when there is none or it was rejected.
    window_ends_at_ms: u64,
}

public(package) fun empty<T>(ctx: &mut TxContext): ReceiptPool<T> {
    ReceiptPool {
        held: custody::empty(),
        receipt_count: 0,
        marks: table::new(ctx),
        covered_receipts: 0,
        epoch_count: 0,
        attempts: table::new(ctx),
        window_ends_at_ms: 0,
    }
}

/// The number that the receipt gets.
public(package) fun add<T>(
    self: &mut ReceiptPool<T>,
    receipt_digest: address,
    money: Balance<T>,
    settled_at_ms: u64,
): u64 {
    let number = self.receipt_count + 1;
    let before = self.mark(number - 1);
    let parts = vector[before.receipt_chain.to_bytes(), receipt_digest.to_bytes()];
    let mark = Mark {
        receipt_chain: digest::tagged(domain_tags::receipt_chain(), parts),
        pooled_units: before.pooled_units + (money.value() as u128),
        settled_at_ms,
    };
    self.receipt_count = number;
    self.marks.add(number, mark);
    self.held.deposit(money);
    number
}

/// Hand out what an epoch over the next receipts up to `to_receipt` divides; the caller has verified all of it.
public(package) fun open_epoch<T>(
    self: &mut ReceiptPool<T>,
    attempt: u32,
    to_receipt: u64,
    window_ends_at_ms: u64,
): Balance<T> {
    let total_units = self.units_between(self.covered_receipts, to_receipt);
    let number = self.next_number();
    if (self.attempts.contains(number)) *&mut self.attempts[number] = attempt
    else self.attempts.add(number, attempt);
    self.epoch_count = number;
    self.covered_receipts = to_receipt;
    self.window_ends_at_ms = window_ends_at_ms;
    self.held.withdraw(total_units)
}

public(package) fun extend_window<T>(self: &mut ReceiptPool<T>, window_ends_at_ms: u64) {
    self.window_ends_at_ms = window_ends_at_ms;
}

/// The last epoch, which began at this receipt, is as if it had never been; only its attempt counts on.
public(package) fun reject_epoch<T>(
    self: &mut ReceiptPool<T>,
    from_receipt: u64,
    money: Balance<T>,
) {
    self.epoch_count = self.epoch_count - 1;
    self.covered_receipts = from_receipt - 1;
    self.window_ends_at_ms = 0;
    self.held.deposit(money);
}

/// Hand out what was set aside for exactly the next receipts, which nobody has divided in all that time. Epochs that were
/// proposed keep theirs.
public(package) fun write_off<T>(
    self: &mut ReceiptPool<T>,
    from_receipt: u64,
    to_receipt: u64,
    now_ms: u64,
): Balance<T> {
    let is_next = from_receipt == self.covered_receipts + 1 && from_receipt <= to_receipt;
    assert!(is_next && to_receipt <= self.receipt_count, EWriteOffReceipts);
    assert!(!self.is_challenged(now_ms), EWriteOffChallenged);
    assert!(now_ms >= self.mark(to_receipt).settled_at_ms + WRITE_OFF_AFTER_MS, EWriteOffEarly);
    let total_units = self.units_between(self.covered_receipts, to_receipt);
    self.covered_receipts = to_receipt;
    self.held.withdraw(total_units)
}

/// What was set aside for the receipts after `from` up to and with `to`. In u64: it is in the vault.
public(package) fun units_between<T>(self: &ReceiptPool<T>, from: u64, to: u64): u64 {
    (self.mark(to).pooled_units - self.mark(from).pooled_units) as u64
}

public(package) fun is_challenged<T>(self: &ReceiptPool<T>, now_ms: u64): bool {
    now_ms < self.window_ends_at_ms
}

public fun next_number<T>(self: &ReceiptPool<T>): u64 {
    self.epoch_count + 1
}

/// 0 when none was proposed under this number.
public fun last_attempt<T>(self: &ReceiptPool<T>, number: u64): u32 {
    if (self.attempts.contains(number)) self.attempts[number] else 0
}

/// Later than the last one of this number, and not too far ahead.
public(package) fun is_next_attempt<T>(self: &ReceiptPool<T>, number: u64, attempt: u32): bool {
    let last = self.last_attempt(number);
    attempt > last && attempt - last <= ATTEMPTS_AHEAD_AT_MOST
}

public fun receipt_count<T>(self: &ReceiptPool<T>): u64 {
    self.receipt_count
}

public fun covered_receipts<T>(self: &ReceiptPool<T>): u64 {
    self.covered_receipts
}

public fun epoch_count<T>(self: &ReceiptPool<T>): u64 {
    self.epoch_count
}

/// The chain of hashes up to this receipt; all zero before the first.
public fun receipt_chain_at<T>(self: &ReceiptPool<T>, number: u64): address {
    self.mark(number).receipt_chain
}

public fun held_units<T>(self: &ReceiptPool<T>): u64 {
    self.held.held_units()
}

fun mark<T>(self: &ReceiptPool<T>, number: u64): Mark {
    if (number == 0) return Mark { receipt_chain: @0x0, pooled_units: 0, settled_at_ms: 0 };
    assert!(self.marks.contains(number), ENoReceipt);
    self.marks[number]
}
