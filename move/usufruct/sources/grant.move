/// Consent: what the owner of a contribution allows it to be used for. Append-only: changing it means revoking and
/// granting again.
module usufruct::grant;

use sui::{clock::Clock, dynamic_field as field};
use usufruct::{
    checks,
    contribution,
    data_dao::Dao,
    dataset::Dataset,
    digest,
    events,
    grant_terms::GrantTerms,
    job::Job
};

/// A grant with this id exists: a client that sends again sends the same transaction, not a new one.
const EIdTaken: u64 = 1100;
/// Only the owner of the contribution gives and takes grants.
const EWrongOwner: u64 = 1101;
/// The DAO declined the contribution, or has not accepted it yet.
const ENotAccepted: u64 = 1102;
/// The grant has expired, or would be expired when it is given.
const EExpired: u64 = 1103;
/// The grant was revoked.
const ERevoked: u64 = 1104;
/// There is no grant of that id for this contribution, or it was given later than its use.
const EGrantRequired: u64 = 1105;
/// The privacy budget of the grant does not cover this.
const EBudgetExhausted: u64 = 1106;
/// The sender is not the attested key of a registered runner.
const EWrongRunner: u64 = 1107;
/// The identity that Seal asks about is not that of the contribution.
const EWrongIdentity: u64 = 1108;

public struct Grant has store {
    contribution_id: address,
    grantor: address,
    terms: GrantTerms,
    given_at_ms: u64,
    revoked_at_ms: Option<u64>,
    /// What receipts spent of the budget so far.
    spent_micro_epsilon: u64,
}

/// The name of the dataset's dynamic field.
public struct GrantKey has copy, drop, store {
    grant_id: address,
}

/// By the contribution's owner, before or after the DAO has accepted it.
public fun give(
    dataset: &mut Dataset,
    contribution_id: address,
    salt: address,
    terms: GrantTerms,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    dataset.assert_version();
    dataset.assert_living();
    let contribution = contribution::borrow(dataset, contribution_id);
    let grantor = ctx.sender();
    assert!(grantor == contribution.owner(), EWrongOwner);
    assert!(!contribution.is_declined(), ENotAccepted);
    contribution.assert_living();
    let grant_id = digest::derive_id(b"grant", contribution_id.to_bytes(), grantor, salt);
    assert!(!exists(dataset, grant_id), EIdTaken);
    let given_at_ms = clock.timestamp_ms();
    assert!(terms.expires_at_ms() > given_at_ms, EExpired);
    let grant = Grant {
        contribution_id,
        grantor,
        terms,
        given_at_ms,
        revoked_at_ms: option::none(),
        spent_micro_epsilon: 0,
    };
    field::add(dataset.uid_mut(), GrantKey { grant_id }, grant);
    events::grant_given(grant_id, contribution_id, grantor, terms, given_at_ms);
}

/// Stops every later use. Nothing stops a revocation, a pause neither.
public fun revoke(dataset: &mut Dataset, grant_id: address, clock: &Clock, ctx: &mut TxContext) {
    dataset.assert_version();
    assert!(exists(dataset, grant_id), EGrantRequired);
    let grant: &mut Grant = field::borrow_mut(dataset.uid_mut(), GrantKey { grant_id });
    assert!(ctx.sender() == grant.grantor, EWrongOwner);
    assert!(grant.revoked_at_ms.is_none(), ERevoked);
    let revoked_at_ms = clock.timestamp_ms();
    grant.revoked_at_ms.fill(revoked_at_ms);
    events::grant_revoked(grant_id, grant.contribution_id, revoked_at_ms);
}

/// For Seal's key servers, which run it on their own view of the chain and never send it: may the sender have the key
/// of identity `id` now? The identity is the contribution's id. The sender must be the address of a registered
/// runner's attested key, so that not even the runner's operator can ask; job and grant must cover the use now.
entry fun seal_approve<T>(
    id: vector<u8>,
    dao: &Dao<T>,
    dataset: &Dataset,
    job: &Job<T>,
    contribution_id: address,
    grant_id: address,
    runner_id: address,
    clock: &Clock,
    ctx: &TxContext,
) {
    dao.assert_open();
    dataset.assert_of(dao);
    dataset.assert_living();
    job.assert_of(dao, dataset);
    assert!(id == contribution_id.to_bytes(), EWrongIdentity);
    let now_ms = clock.timestamp_ms();
    job.assert_funded();
    job.assert_running_at(now_ms);
    let runner = dao.active_runner(runner_id, now_ms);
    assert!(ctx.sender() == runner.attested_address(), EWrongRunner);
    assert_covers(dataset, job, contribution_id, grant_id, now_ms);
}

public fun exists(dataset: &Dataset, grant_id: address): bool {
    field::exists_(dataset.uid(), GrantKey { grant_id })
}

/// The contribution is accepted, and the grant covered this job at `at_ms`: revoking it (or its expiry) stops every
/// later use, and does not take the pay for an earlier one.
public(package) fun assert_covers<T>(
    dataset: &Dataset,
    job: &Job<T>,
    contribution_id: address,
    grant_id: address,
    at_ms: u64,
) {
    let contribution = contribution::borrow(dataset, contribution_id);
    assert!(contribution.is_accepted(), ENotAccepted);
    contribution.assert_living_at(at_ms);
    assert!(exists(dataset, grant_id), EGrantRequired);
    let grant: &Grant = field::borrow(dataset.uid(), GrantKey { grant_id });
    assert!(grant.contribution_id == contribution_id, EGrantRequired);
    assert!(grant.given_at_ms <= at_ms + checks::clock_skew_ms(), EGrantRequired);
    let revoked = grant.revoked_at_ms;
    assert!(revoked.is_none() || *revoked.borrow() > at_ms, ERevoked);
    assert!(grant.terms.expires_at_ms() > at_ms, EExpired);
    let price_units = job.price_per_question_units();
    grant.terms.assert_cover(job.purpose(), job.kind(), job.protection(), price_units);
}

public(package) fun spend_budget(dataset: &mut Dataset, grant_id: address, micro_epsilon: u64) {
    let grant: &mut Grant = field::borrow_mut(dataset.uid_mut(), GrantKey { grant_id });
    let left = grant.terms.budget_micro_epsilon() - grant.spent_micro_epsilon;
    assert!(micro_epsilon <= left, EBudgetExhausted);
    grant.spent_micro_epsilon = grant.spent_micro_epsilon + micro_epsilon;
}

#[test_only]
/// When it was revoked, and what is spent of its budget.
public(package) fun state_for_testing(dataset: &Dataset, grant_id: address): (Option<u64>, u64) {
    let grant: &Grant = field::borrow(dataset.uid(), GrantKey { grant_id });
    (grant.revoked_at_ms, grant.spent_micro_epsilon)
}

#[test_only]
public(package) fun seal_approve_for_testing<T>(
    id: vector<u8>,
    dao: &Dao<T>,
    dataset: &Dataset,
    job: &Job<T>,
    contribution_id: address,
    grant_id: address,
    runner_id: address,
    clock: &Clock,
    ctx: &TxContext,
) {
    seal_approve(id, dao, dataset, job, contribution_id, grant_id, runner_id, clock, ctx);
}
