/// A job: the price of every question that may be asked, locked before anything is done for it. What is not spent goes
/// back to whoever paid: when the requester closes the job, when its last question is settled, or, by anybody's hand,
/// when its term has passed. A pause never keeps that money.
module usufruct::job;

use std::string::String;
use sui::{clock::Clock, coin::{Self, Coin}, table::{Self, Table}};
use usufruct::{
    checks,
    custody::{Self, Vault},
    data_dao::Dao,
    dataset::Dataset,
    digest,
    events,
    policy::RevenueSplit
};

/// The policy has a newer version than the one that the requester saw.
const EPolicyOutdated: u64 = 1000;
/// The price is not the policy's.
const EWrongPrice: u64 = 1001;
/// The policy does not offer this purpose.
const EPurposeDenied: u64 = 1002;
/// The policy does not offer this kind of computation.
const EKindDenied: u64 = 1003;
/// The policy does not offer this protection.
const EProtectionDenied: u64 = 1004;
/// The number of questions is zero or above the limit.
const EQuestionCount: u64 = 1005;
/// The term is zero or longer than the policy allows.
const ETerm: u64 = 1006;
/// The payment is not the price of all questions.
const EWrongPayment: u64 = 1007;
/// Only the requester may close the job.
const EWrongRequester: u64 = 1008;
/// The job was closed, or all its questions are settled.
const EClosed: u64 = 1009;
/// The job has expired.
const EExpired: u64 = 1010;
/// The job's term has not passed yet.
const ENotExpired: u64 = 1011;
/// The receipt of this question was settled already; nothing is owed.
const EReceiptConsumed: u64 = 1012;
/// The job belongs to another DAO or dataset.
const EWrongJob: u64 = 1013;

const FUNDED: u8 = 0;
const SUCCEEDED: u8 = 1;
const CANCELLED: u8 = 2;
const EXPIRED: u8 = 3;

const QUESTIONS_AT_MOST: u32 = 10_000;

public struct Job<phantom T> has key {
    id: UID,
    version: u64,
    job_id: address,
    dao_id: address,
    dataset_id: address,
    requester: address,
    purpose: String,
    kind: u8,
    protection: u8,
    policy_version: u32,
    price_per_question_units: u64,
    /// As the policy had it when the job was funded: nobody changes who is paid afterwards.
    split: RevenueSplit,
    /// As the payout rules had it when the job was funded: 0 direct, 1 epoch.
    payout_mode: u8,
    max_questions: u32,
    questions_settled: u32,
    escrow: Vault<T>,
    /// Ed25519: authorises the questions of this job, so that nobody else can spend its escrow.
    client_public_key: vector<u8>,
    state: u8,
    funded_at_ms: u64,
    expires_at_ms: u64,
    /// Digests of the receipts that were paid, by question id.
    consumed: Table<address, address>,
}

/// `payment` must be the price of all questions exactly.
public fun fund<T>(
    dao: &mut Dao<T>,
    dataset: &Dataset,
    salt: address,
    purpose: String,
    kind: u8,
    protection: u8,
    policy_version: u32,
    price_per_question_units: u64,
    max_questions: u32,
    term_ms: u64,
    client_public_key: vector<u8>,
    payment: Coin<T>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    dao.assert_open();
    dataset.assert_of(dao);
    dataset.assert_living();
    let policy = *dao.policy();
    assert!(policy_version == dao.policy_version(), EPolicyOutdated);
    assert!(price_per_question_units == policy.price_per_question_units(), EWrongPrice);
    assert!(policy.allows_purpose(&purpose), EPurposeDenied);
    assert!(policy.allows_kind(kind), EKindDenied);
    assert!(policy.allows_protection(protection), EProtectionDenied);
    assert!(max_questions > 0 && max_questions <= QUESTIONS_AT_MOST, EQuestionCount);
    assert!(term_ms > 0 && term_ms <= policy.max_job_term_ms(), ETerm);
    checks::assert_key(&client_public_key);
    // In u128: no payment is that large, and the product must not wrap around to one that is smaller.
    let escrow_units = (price_per_question_units as u128) * (max_questions as u128);
    assert!((payment.value() as u128) == escrow_units, EWrongPayment);

    let requester = ctx.sender();
    let (dao_id, dataset_id) = (dao.dao_id(), dataset.dataset_id());
    let job_id = digest::derive_id(b"job", dataset_id.to_bytes(), requester, salt);
    dao.take_id(job_id);
    let payout_mode = dao.payout_rules().mode();
    let funded_at_ms = clock.timestamp_ms();
    let expires_at_ms = funded_at_ms + term_ms;
    let id = object::new(ctx);
    events::job_funded(
        id.to_inner(),
        job_id,
        dao_id,
        dataset_id,
        requester,
        purpose,
        kind,
        protection,
        policy_version,
        price_per_question_units,
        policy.split(),
        payout_mode,
        max_questions,
        payment.value(),
        client_public_key,
        funded_at_ms,
        expires_at_ms,
    );
    let mut escrow = custody::empty();
    escrow.deposit(payment.into_balance());
    transfer::share_object(Job {
        id,
        version: checks::version(),
        job_id,
        dao_id,
        dataset_id,
        requester,
        purpose,
        kind,
        protection,
        policy_version,
        price_per_question_units,
        split: policy.split(),
        payout_mode,
        max_questions,
        questions_settled: 0,
        escrow,
        client_public_key,
        state: FUNDED,
        funded_at_ms,
        expires_at_ms,
        consumed: table::new(ctx),
    });
}

/// By the requester at any time: what is not spent is refunded.
public fun close<T>(self: &mut Job<T>, ctx: &mut TxContext) {
    checks::assert_version(self.version);
    assert!(ctx.sender() == self.requester, EWrongRequester);
    self.assert_funded();
    let state = if (self.questions_settled > 0) SUCCEEDED else CANCELLED;
    self.refund_and_close(state, ctx);
}

/// By anyone after the job's term: what is not spent is refunded.
public fun expire<T>(self: &mut Job<T>, clock: &Clock, ctx: &mut TxContext) {
    checks::assert_version(self.version);
    self.assert_funded();
    assert!(clock.timestamp_ms() >= self.expires_at_ms, ENotExpired);
    self.refund_and_close(EXPIRED, ctx);
}

public fun job_id<T>(self: &Job<T>): address {
    self.job_id
}

public fun dao_id<T>(self: &Job<T>): address {
    self.dao_id
}

public fun dataset_id<T>(self: &Job<T>): address {
    self.dataset_id
}

public fun requester<T>(self: &Job<T>): address {
    self.requester
}

public fun purpose<T>(self: &Job<T>): &String {
    &self.purpose
}

public fun kind<T>(self: &Job<T>): u8 {
    self.kind
}

public fun protection<T>(self: &Job<T>): u8 {
    self.protection
}

public fun policy_version<T>(self: &Job<T>): u32 {
    self.policy_version
}

public fun price_per_question_units<T>(self: &Job<T>): u64 {
    self.price_per_question_units
}

public fun split<T>(self: &Job<T>): RevenueSplit {
    self.split
}

/// 0 direct, 1 epoch.
public fun payout_mode<T>(self: &Job<T>): u8 {
    self.payout_mode
}

public fun max_questions<T>(self: &Job<T>): u32 {
    self.max_questions
}

public fun questions_settled<T>(self: &Job<T>): u32 {
    self.questions_settled
}

public fun escrow_units<T>(self: &Job<T>): u64 {
    self.escrow.held_units()
}

public fun client_public_key<T>(self: &Job<T>): &vector<u8> {
    &self.client_public_key
}

/// 0 funded, 1 succeeded, 2 cancelled, 3 expired.
public fun state<T>(self: &Job<T>): u8 {
    self.state
}

public fun funded_at_ms<T>(self: &Job<T>): u64 {
    self.funded_at_ms
}

public fun expires_at_ms<T>(self: &Job<T>): u64 {
    self.expires_at_ms
}

public fun is_consumed<T>(self: &Job<T>, question_id: address): bool {
    self.consumed.contains(question_id)
}

public(package) fun assert_of<T>(self: &Job<T>, dao: &Dao<T>, dataset: &Dataset) {
    checks::assert_version(self.version);
    let of_both = self.dao_id == dao.dao_id() && self.dataset_id == dataset.dataset_id();
    assert!(of_both, EWrongJob);
}

public(package) fun assert_funded<T>(self: &Job<T>) {
    assert!(self.state != EXPIRED, EExpired);
    assert!(self.state == FUNDED, EClosed);
}

/// Still inside its term at `at_ms`.
public(package) fun assert_running_at<T>(self: &Job<T>, at_ms: u64) {
    assert!(at_ms < self.expires_at_ms, EExpired);
}

public(package) fun assert_not_consumed<T>(self: &Job<T>, question_id: address) {
    assert!(!self.consumed.contains(question_id), EReceiptConsumed);
}

/// Count a question as answered and hand out its price. The caller has verified the receipt and asserted that it was
/// not consumed.
public(package) fun consume<T>(
    self: &mut Job<T>,
    question_id: address,
    receipt_digest: address,
): &mut Vault<T> {
    self.consumed.add(question_id, receipt_digest);
    self.questions_settled = self.questions_settled + 1;
    &mut self.escrow
}

/// The job has succeeded when its last question is settled.
public(package) fun close_if_complete<T>(self: &mut Job<T>, ctx: &mut TxContext) {
    if (self.questions_settled == self.max_questions) self.refund_and_close(SUCCEEDED, ctx);
}

fun refund_and_close<T>(self: &mut Job<T>, state: u8, ctx: &mut TxContext) {
    let refund_units = self.escrow.held_units();
    self.state = state;
    if (refund_units > 0) {
        let refund = coin::from_balance(self.escrow.withdraw(refund_units), ctx);
        transfer::public_transfer(refund, self.requester);
    };
    events::job_closed(self.job_id, state, self.requester, refund_units);
}

#[test_only]
public(package) fun set_version_for_testing<T>(self: &mut Job<T>, version: u64) {
    self.version = version;
}
