/// An epoch of private payouts: proposed with the settler's and enough holders' signatures, open to objections for a
/// while, then claimed from by proof, leaf by leaf, and swept when its term is over. Its money lies in its own vault, so
/// whatever a wrong tree says, it never pays more than was set aside for its receipts.
module usufruct::epoch;

use std::bcs;
use sui::{clock::Clock, coin, table::{Self, Table}};
use usufruct::{
    checks,
    custody::{Self, Vault},
    data_dao::Dao,
    digest,
    domain_tags,
    epoch_statement::{Self, EpochStatement},
    holder_set::HolderSet,
    merkle,
    payout_events,
    registry::Registry
};

/// The epoch or its statement is of another DAO.
const EWrongDao: u64 = 1600;
/// Another epoch is in its challenge window.
const EChallengeGoesOn: u64 = 1601;
/// The number is not one more than that of the last epoch that was not rejected.
const ENumber: u64 = 1602;
/// This attempt, or a later one of this number, was proposed before, or it leaves out too many.
const EAttempt: u64 = 1603;
/// The receipts do not begin after the last that is covered, or there are none, or not that many.
const EReceipts: u64 = 1604;
/// The chain of receipts is another.
const EReceiptChain: u64 = 1605;
/// The total is not what was set aside for these receipts.
const ETotal: u64 = 1606;
/// A tree has at least one leaf.
const ENoLeaves: u64 = 1607;
/// The holder set is not the one that the policy named when the epoch was proposed.
const EWrongHolderSet: u64 = 1608;
/// The challenge window is over, or the epoch was rejected or swept.
const ENotChallengeable: u64 = 1609;
/// This operator has objected.
const EObjected: u64 = 1610;
/// The two statements are the same, or not by one settler under one number and attempt.
const ENoEquivocation: u64 = 1611;
/// The epoch is still in its challenge window, was rejected or swept, or its claim term is over.
const ENotClaimable: u64 = 1612;
/// The tree has no leaf of this index.
const ENoLeaf: u64 = 1613;
/// This leaf was paid.
const EClaimed: u64 = 1614;
/// The proof does not show this leaf in the epoch's tree.
const EProof: u64 = 1615;
/// The claim term is not over, or the epoch was rejected or swept.
const ENotSweepable: u64 = 1616;

const OPEN: u8 = 0;
const REJECTED: u8 = 1;
const SWEPT: u8 = 2;

const TO_TREASURY: u8 = 0;

const BITS_PER_WORD: u64 = 256;

public struct Epoch<phantom T> has key {
    id: UID,
    version: u64,
    epoch_id: address,
    dao_id: address,
    number: u64,
    attempt: u32,
    /// Runner id.
    settler: address,
    from_receipt: u64,
    root: address,
    leaf_count: u32,
    held: Vault<T>,
    /// A bit for each leaf that was paid, by 256 leaves.
    claimed: Table<u64, u256>,
    state: u8,
    /// As the policy had it when the epoch was proposed.
    holder_set_id: address,
    /// As the policy had it when the epoch was proposed: it is rejected once fewer holders stand by it.
    verifier_threshold: u8,
    /// Operators of members who objected: a rotation may give a member another place in the set.
    objections: vector<address>,
    challenge_ms: u64,
    challenge_ends_at_ms: u64,
    /// As the payout rules had them when the epoch was proposed.
    claim_term_ms: u64,
    /// 0 treasury, 1 protocol.
    unclaimed_to: u8,
}

/// An account's part, in the order of the protocol library's `EpochLeafBcs`.
public struct EpochLeaf has copy, drop {
    dao_id: address,
    number: u64,
    index: u32,
    account: address,
    amount_units: u64,
    salt: address,
}

/// By anyone who has the settler's signature and those of enough holders: signature `i` is by the member `members[i]`.
public fun propose<T>(
    dao: &mut Dao<T>,
    registry: &Registry,
    holder_set: &HolderSet,
    statement: vector<u8>,
    settler_signature: vector<u8>,
    members: vector<u8>,
    signatures: vector<vector<u8>>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    dao.assert_open();
    registry.assert_version();
    holder_set.assert_version();
    let now_ms = clock.timestamp_ms();
    let read = epoch_statement::read(statement, registry);
    assert!(read.dao_id() == dao.dao_id(), EWrongDao);
    assert_next(dao, &read, now_ms);
    read.assert_timely(now_ms);
    dao.active_runner(read.settler(), read.issued_at_ms());
    read.assert_signed_by_settler(statement, &settler_signature);
    let threshold = dao.policy().verifier_threshold();
    assert!(holder_set.holder_set_id() == dao.policy().holder_set_id(), EWrongHolderSet);
    epoch_statement::assert_countersigned(statement, threshold, holder_set, members, signatures);

    open(dao, &read, epoch_statement::epoch_id(statement), now_ms, ctx);
}

/// By the operator of a member of the holder set, once, wherever in the set a rotation puts it. Every objection gives
/// the others the whole window again.
public fun object<T>(
    self: &mut Epoch<T>,
    dao: &mut Dao<T>,
    holder_set: &HolderSet,
    member: u8,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    self.assert_of(dao);
    holder_set.assert_version();
    let now_ms = clock.timestamp_ms();
    self.assert_challengeable(now_ms);
    assert!(holder_set.holder_set_id() == self.holder_set_id, EWrongHolderSet);
    let operator = ctx.sender();
    holder_set.assert_operator(member, operator);
    assert!(!self.objections.contains(&operator), EObjected);
    self.objections.push_back(operator);
    // Never earlier than before: time does not go back.
    self.challenge_ends_at_ms = now_ms + self.challenge_ms;
    dao.receipt_pool_mut().extend_window(self.challenge_ends_at_ms);
    payout_events::epoch_objected(self.epoch_id, operator, self.challenge_ends_at_ms);
    // Those who were retired stand by nothing.
    let stand_by_it = holder_set.count_living_but(&self.objections);
    if (stand_by_it < (self.verifier_threshold as u64)) self.reject(dao);
}

/// By anyone, within the challenge window: another statement that the settler signed for the same attempt. Whoever
/// shows two truths is no settler and no runner any more.
public fun prove_equivocation<T>(
    self: &mut Epoch<T>,
    dao: &mut Dao<T>,
    registry: &Registry,
    statement: vector<u8>,
    settler_signature: vector<u8>,
    clock: &Clock,
) {
    self.assert_of(dao);
    registry.assert_version();
    self.assert_challengeable(clock.timestamp_ms());
    let other = epoch_statement::read(statement, registry);
    let equivocates =
        epoch_statement::epoch_id(statement) != self.epoch_id
        && other.dao_id() == self.dao_id
        && other.number() == self.number
        && other.attempt() == self.attempt
        && other.settler() == self.settler;
    assert!(equivocates, ENoEquivocation);
    other.assert_signed_by_settler(statement, &settler_signature);
    self.reject(dao);
    dao.withdraw_runner(self.settler);
}

/// By anyone, for the account that the leaf names; a pause does not keep it. A leaf of zero units changes nothing,
/// whatever else is right or wrong about it.
public fun claim<T>(
    self: &mut Epoch<T>,
    dao: &mut Dao<T>,
    index: u32,
    account: address,
    amount_units: u64,
    salt: address,
    proof: vector<address>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    self.assert_of(dao);
    self.assert_claimable(clock.timestamp_ms());
    if (amount_units == 0) return;
    assert!(index < self.leaf_count, ENoLeaf);
    self.mark_claimed(index);
    let Epoch { dao_id, number, .. } = self;
    let leaf = EpochLeaf { dao_id: *dao_id, number: *number, index, account, amount_units, salt };
    let entry = digest::tagged(domain_tags::epoch_leaf(), vector[bcs::to_bytes(&leaf)]);
    let size = self.leaf_count as u64;
    assert!(merkle::includes(self.root, size, index as u64, entry, &proof), EProof);
    let money = self.held.withdraw(amount_units);
    transfer::public_transfer(coin::from_balance(money, ctx), account);
    dao.count_earned(account, amount_units);
    payout_events::payout_claimed(self.epoch_id, self.dao_id, index, account, amount_units);
}

/// By anyone, once the claim term is over: what nobody claimed goes where the rules of this epoch say.
public fun sweep<T>(
    self: &mut Epoch<T>,
    dao: &mut Dao<T>,
    registry: &Registry,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    self.assert_of(dao);
    registry.assert_version();
    let is_over = clock.timestamp_ms() >= self.challenge_ends_at_ms + self.claim_term_ms;
    assert!(self.state == OPEN && is_over, ENotSweepable);
    self.state = SWEPT;
    let amount_units = self.held.held_units();
    let money = self.held.withdraw(amount_units);
    let account = if (self.unclaimed_to == TO_TREASURY) {
        dao.deposit(money);
        digest::treasury_account(self.dao_id)
    } else {
        let account = registry.protocol_account();
        if (amount_units == 0) money.destroy_zero()
        else transfer::public_transfer(coin::from_balance(money, ctx), account);
        account
    };
    let unclaimed_to = self.unclaimed_to;
    payout_events::epoch_swept(self.epoch_id, self.dao_id, unclaimed_to, account, amount_units);
}

public fun epoch_id<T>(self: &Epoch<T>): address {
    self.epoch_id
}

public fun number<T>(self: &Epoch<T>): u64 {
    self.number
}

/// 0 open, 1 rejected, 2 swept.
public fun state<T>(self: &Epoch<T>): u8 {
    self.state
}

/// It can be claimed from at this time.
public fun challenge_ends_at_ms<T>(self: &Epoch<T>): u64 {
    self.challenge_ends_at_ms
}

public fun held_units<T>(self: &Epoch<T>): u64 {
    self.held.held_units()
}

public fun is_claimed<T>(self: &Epoch<T>, index: u32): bool {
    let (word, bit) = place_of(index);
    self.claimed.contains(word) && self.claimed[word] & bit != 0
}

/// What the statement says about receipts and money is what the pool has. The first four make the rest unambiguous.
fun assert_next<T>(dao: &Dao<T>, statement: &EpochStatement, now_ms: u64) {
    let pool = dao.receipt_pool();
    assert!(!pool.is_challenged(now_ms), EChallengeGoesOn);
    assert!(statement.number() == pool.next_number(), ENumber);
    assert!(pool.is_next_attempt(statement.number(), statement.attempt()), EAttempt);
    let (covered, to) = (pool.covered_receipts(), statement.to_receipt());
    assert!(statement.from_receipt() == covered + 1, EReceipts);
    assert!(to > covered && to <= pool.receipt_count(), EReceipts);
    assert!(statement.receipt_chain() == pool.receipt_chain_at(to), EReceiptChain);
    assert!(statement.total_units() == pool.units_between(covered, to), ETotal);
    assert!(statement.leaf_count() > 0, ENoLeaves);
}

fun open<T>(
    dao: &mut Dao<T>,
    statement: &EpochStatement,
    epoch_id: address,
    now_ms: u64,
    ctx: &mut TxContext,
) {
    let rules = *dao.payout_rules();
    let challenge_ends_at_ms = now_ms + rules.challenge_ms();
    let (attempt, to_receipt) = (statement.attempt(), statement.to_receipt());
    let money = dao.receipt_pool_mut().open_epoch(attempt, to_receipt, challenge_ends_at_ms);
    let mut held = custody::empty();
    held.deposit(money);
    let epoch = Epoch<T> {
        id: object::new(ctx),
        version: checks::version(),
        epoch_id,
        dao_id: dao.dao_id(),
        number: statement.number(),
        attempt,
        settler: statement.settler(),
        from_receipt: statement.from_receipt(),
        root: statement.root(),
        leaf_count: statement.leaf_count(),
        held,
        claimed: table::new(ctx),
        state: OPEN,
        holder_set_id: dao.policy().holder_set_id(),
        verifier_threshold: dao.policy().verifier_threshold(),
        objections: vector[],
        challenge_ms: rules.challenge_ms(),
        challenge_ends_at_ms,
        claim_term_ms: rules.claim_term_ms(),
        unclaimed_to: rules.unclaimed_to(),
    };
    payout_events::epoch_proposed(
        epoch.id.to_inner(),
        epoch_id,
        epoch.dao_id,
        epoch.number,
        attempt,
        epoch.settler,
        epoch.from_receipt,
        to_receipt,
        statement.total_units(),
        epoch.root,
        epoch.leaf_count,
        now_ms,
        challenge_ends_at_ms,
        epoch.claim_term_ms,
        epoch.unclaimed_to,
    );
    transfer::share_object(epoch);
}

/// The money is the pool's again, for the next attempt.
fun reject<T>(self: &mut Epoch<T>, dao: &mut Dao<T>) {
    self.state = REJECTED;
    let amount_units = self.held.held_units();
    let money = self.held.withdraw(amount_units);
    dao.receipt_pool_mut().reject_epoch(self.from_receipt, money);
    payout_events::epoch_rejected(self.epoch_id, self.dao_id, amount_units);
}

fun mark_claimed<T>(self: &mut Epoch<T>, index: u32) {
    assert!(!self.is_claimed(index), EClaimed);
    let (word, bit) = place_of(index);
    if (self.claimed.contains(word)) {
        let bits = &mut self.claimed[word];
        *bits = *bits | bit;
    } else {
        self.claimed.add(word, bit);
    };
}

/// The word of the bitmap, and the bit in it.
fun place_of(index: u32): (u64, u256) {
    let index = index as u64;
    (index / BITS_PER_WORD, 1 << ((index % BITS_PER_WORD) as u8))
}

fun assert_of<T>(self: &Epoch<T>, dao: &Dao<T>) {
    checks::assert_version(self.version);
    dao.assert_version();
    assert!(self.dao_id == dao.dao_id(), EWrongDao);
}

fun assert_challengeable<T>(self: &Epoch<T>, now_ms: u64) {
    assert!(self.state == OPEN && now_ms < self.challenge_ends_at_ms, ENotChallengeable);
}

fun assert_claimable<T>(self: &Epoch<T>, now_ms: u64) {
    let from_ms = self.challenge_ends_at_ms;
    let is_time = now_ms >= from_ms && now_ms < from_ms + self.claim_term_ms;
    assert!(self.state == OPEN && is_time, ENotClaimable);
}

#[test_only]
public(package) fun set_version_for_testing<T>(self: &mut Epoch<T>, version: u64) {
    self.version = version;
}
