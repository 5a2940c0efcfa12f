/// A data DAO: who belongs to it and in which role, its versioned policy, its treasury and its runners. Its coin is
/// any type `T`; money is only ever a `Balance<T>` in a vault.
module usufruct::data_dao;

use sui::{balance::Balance, clock::Clock, coin, table::{Self, Table}};
use usufruct::{
    checks,
    custody::{Self, Vault},
    digest,
    events,
    governance::Governance,
    governance_events,
    holder_set::HolderSet,
    membership::{Self, Membership},
    payout_events,
    payout_rules::PayoutRules,
    policy::Policy,
    receipt_pool::{Self, ReceiptPool},
    registry::Registry,
    runner_registry::{Self, Runner, RunnerRegistry},
    signers::{Self, Signers}
};

/// The sender does not have the role that this needs, or is no member at all.
const ERoleRequired: u64 = 700;
/// The policy has a newer version than the one that the sender saw.
const EPolicyOutdated: u64 = 701;
/// The holder set is not the one that the policy names.
const EWrongHolderSet: u64 = 702;
/// The policy demands more verifiers than the holder set has members.
const EVerifierThreshold: u64 = 703;
/// The address is a member already.
const EAlreadyMember: u64 = 704;
/// The address has applied already, and nobody has decided.
const EAlreadyApplied: u64 = 705;
/// The address has not applied.
const ENoApplication: u64 = 706;
/// The DAO is paused.
const EPaused: u64 = 710;
/// The capability is another DAO's.
const EWrongCap: u64 = 711;
/// A dataset, job or proposal with this id exists: a client that sends again sends the same transaction, not a new one.
const EIdTaken: u64 = 712;
/// Only a vote sets this DAO's policy, or names other verifiers once it pays privately.
const EByVoteOnly: u64 = 713;
/// The DAO is not paused.
const ENotPaused: u64 = 714;

public struct Dao<phantom T> has key {
    id: UID,
    version: u64,
    dao_id: address,
    founder: address,
    metadata_hash: address,
    policy: Policy,
    policy_version: u32,
    policy_digest: address,
    governance: Governance,
    payout_rules: PayoutRules,
    proposal_count: u64,
    membership: Membership,
    /// Hash of the applicant's statement, by address.
    applications: Table<address, address>,
    treasury: Vault<T>,
    runners: RunnerRegistry,
    signers: Signers,
    /// What private settlement has set aside.
    receipt_pool: ReceiptPool<T>,
    /// Ids of the DAO's datasets, jobs and proposals that are taken.
    taken: Table<address, bool>,
    paused: bool,
}

/// Can pause its DAO and never unpause it: whoever steals it can stop the DAO, and nothing else.
public struct PauseCap has key, store {
    id: UID,
    dao_id: address,
}

/// The founder becomes a member with every role. Returns the DAO's only PauseCap.
public fun create<T>(
    registry: &mut Registry,
    holder_set: &HolderSet,
    salt: address,
    policy: Policy,
    metadata_hash: address,
    governance: Governance,
    payout_rules: PayoutRules,
    ctx: &mut TxContext,
): PauseCap {
    registry.assert_version();
    assert_policy(&policy, holder_set);
    let founder = ctx.sender();
    let dao_id = digest::derive_id(b"dao", vector[], founder, salt);
    let id = object::new(ctx);
    registry.take_dao_id(dao_id, id.to_inner());
    let policy_digest = policy.digest();
    events::dao_created<T>(
        id.to_inner(),
        dao_id,
        founder,
        policy,
        policy_digest,
        metadata_hash,
        governance,
        payout_rules,
    );
    let mut dao = Dao<T> {
        id,
        version: checks::version(),
        dao_id,
        founder,
        metadata_hash,
        policy,
        policy_version: 1,
        policy_digest,
        governance,
        payout_rules,
        proposal_count: 0,
        membership: membership::empty(ctx),
        applications: table::new(ctx),
        treasury: custody::empty(),
        runners: runner_registry::empty(ctx),
        signers: signers::empty(ctx),
        receipt_pool: receipt_pool::empty(ctx),
        taken: table::new(ctx),
        paused: false,
    };
    dao.join(founder, membership::all_roles());
    transfer::share_object(dao);
    PauseCap { id: object::new(ctx), dao_id }
}

/// `expected_version` is the version that the sender saw: two changes at once cannot overwrite each other. Who verifies
/// stays once the DAO pays privately: verifiers of a policy maker's own could divide what is set aside as they like.
public fun set_policy<T>(
    self: &mut Dao<T>,
    holder_set: &HolderSet,
    expected_version: u32,
    policy: Policy,
    ctx: &mut TxContext,
) {
    checks::assert_version(self.version);
    self.assert_role(membership::policy_maker(), ctx.sender());
    assert!(!self.governance.policy_by_vote_only(), EByVoteOnly);
    assert!(self.policy_version == expected_version, EPolicyOutdated);
    let pays_privately = self.payout_rules.is_by_epoch() || self.receipt_pool.receipt_count() > 0;
    assert!(!pays_privately || policy.has_verifiers_of(&self.policy), EByVoteOnly);
    self.adopt_policy(holder_set, policy);
}

// === Members ===

/// Ask to become a member. `statement_hash` commits to whatever the applicant told the DAO elsewhere.
public fun apply<T>(self: &mut Dao<T>, statement_hash: address, ctx: &mut TxContext) {
    self.assert_open();
    let applicant = ctx.sender();
    assert!(!self.is_member(applicant), EAlreadyMember);
    assert!(!self.applications.contains(applicant), EAlreadyApplied);
    self.applications.add(applicant, statement_hash);
    events::membership_applied(self.dao_id, applicant, statement_hash);
}

/// By a steward, once. Whoever was declined may apply again.
public fun decide_application<T>(
    self: &mut Dao<T>,
    applicant: address,
    accept: bool,
    ctx: &mut TxContext,
) {
    self.assert_open();
    self.assert_steward(ctx.sender());
    assert!(self.applications.contains(applicant), ENoApplication);
    self.applications.remove(applicant);
    events::membership_decided(self.dao_id, applicant, accept);
    if (accept) self.add_member(applicant);
}

/// The member's roles from now on, as a sum of bits; 0 takes all of them.
public fun set_roles<T>(self: &mut Dao<T>, member: address, roles: u8, ctx: &mut TxContext) {
    checks::assert_version(self.version);
    self.assert_role(membership::administrator(), ctx.sender());
    self.set_roles_by_vote(member, roles);
}

// === Runners ===

/// By anybody who has enough verifiers' signatures over the statement, which also says who is paid.
public fun register_runner<T>(
    self: &mut Dao<T>,
    registry: &Registry,
    holder_set: &HolderSet,
    statement: vector<u8>,
    members: vector<u8>,
    signatures: vector<vector<u8>>,
    clock: &Clock,
) {
    self.assert_open();
    registry.assert_version();
    holder_set.assert_version();
    assert!(holder_set.holder_set_id() == self.policy.holder_set_id(), EWrongHolderSet);
    self
        .runners
        .register(
            self.dao_id,
            &self.policy,
            holder_set,
            registry.chain_id(),
            statement,
            members,
            signatures,
            clock,
        );
}

// === Pause ===

/// Stops everything but leaving: grants can still be revoked, jobs closed and expired, the policy changed.
public fun pause<T>(self: &mut Dao<T>, cap: &PauseCap) {
    checks::assert_version(self.version);
    assert!(cap.dao_id == self.dao_id, EWrongCap);
    assert!(!self.paused, EPaused);
    self.paused = true;
    events::dao_paused(self.dao_id);
}

// === Views ===

public fun dao_id<T>(self: &Dao<T>): address {
    self.dao_id
}

public fun policy<T>(self: &Dao<T>): &Policy {
    &self.policy
}

public fun policy_version<T>(self: &Dao<T>): u32 {
    self.policy_version
}

public fun policy_digest<T>(self: &Dao<T>): address {
    self.policy_digest
}

public fun treasury_units<T>(self: &Dao<T>): u64 {
    self.treasury.held_units()
}

public fun governance<T>(self: &Dao<T>): &Governance {
    &self.governance
}

public fun payout_rules<T>(self: &Dao<T>): &PayoutRules {
    &self.payout_rules
}

public fun proposal_count<T>(self: &Dao<T>): u64 {
    self.proposal_count
}

public fun is_member<T>(self: &Dao<T>, member: address): bool {
    self.membership.contains(member)
}

public fun member_count<T>(self: &Dao<T>): u64 {
    self.membership.count()
}

/// 0 for a member without a role and for strangers.
public fun roles_of<T>(self: &Dao<T>, member: address): u8 {
    self.membership.roles_of(member)
}

/// From 0, in order of joining. Aborts when the address is no member.
public fun ordinal_of<T>(self: &Dao<T>, member: address): u64 {
    self.membership.ordinal_of(member)
}

/// All that the DAO paid this member as a contributor; 0 for strangers.
public fun earned_of<T>(self: &Dao<T>, member: address): u64 {
    self.membership.earned_of(member)
}

/// And all of its members together.
public fun earned_units<T>(self: &Dao<T>): u64 {
    self.membership.earned_units()
}

public fun signers<T>(self: &Dao<T>): &Signers {
    &self.signers
}

public fun receipt_pool<T>(self: &Dao<T>): &ReceiptPool<T> {
    &self.receipt_pool
}

public fun is_paused<T>(self: &Dao<T>): bool {
    self.paused
}

public fun founder<T>(self: &Dao<T>): address {
    self.founder
}

public fun metadata_hash<T>(self: &Dao<T>): address {
    self.metadata_hash
}

// === For the other modules ===

public(package) fun assert_version<T>(self: &Dao<T>) {
    checks::assert_version(self.version);
}

/// Of this version, and not paused.
public(package) fun assert_open<T>(self: &Dao<T>) {
    self.assert_version();
    assert!(!self.paused, EPaused);
}

public(package) fun assert_member<T>(self: &Dao<T>, member: address) {
    assert!(self.is_member(member), ERoleRequired);
}

public(package) fun is_steward<T>(self: &Dao<T>, member: address): bool {
    self.membership.has_role(membership::steward(), member)
}

public(package) fun assert_steward<T>(self: &Dao<T>, member: address) {
    self.assert_role(membership::steward(), member);
}

/// Whoever is one already keeps the roles.
public(package) fun add_member<T>(self: &mut Dao<T>, member: address) {
    if (!self.is_member(member)) self.join(member, 0);
}

/// Count what was paid to a contributor; nothing for who is no member.
public(package) fun count_earned<T>(self: &mut Dao<T>, account: address, paid_units: u64) {
    self.membership.count_earned(account, paid_units, self.proposal_count);
}

/// What the member had earned before proposal `number` was made.
public(package) fun earned_before<T>(self: &Dao<T>, member: address, number: u64): u64 {
    self.membership.earned_before(member, number)
}

/// The number of a new proposal, from 1.
public(package) fun count_proposal<T>(self: &mut Dao<T>): u64 {
    self.proposal_count = self.proposal_count + 1;
    self.proposal_count
}

public(package) fun take_id<T>(self: &mut Dao<T>, id: address) {
    assert!(!self.taken.contains(id), EIdTaken);
    self.taken.add(id, true);
}

public(package) fun deposit<T>(self: &mut Dao<T>, money: Balance<T>) {
    self.treasury.deposit(money);
}

public(package) fun active_runner<T>(self: &Dao<T>, runner_id: address, at_ms: u64): Runner {
    self.runners.active(&self.policy, runner_id, at_ms)
}

public(package) fun withdraw_runner<T>(self: &mut Dao<T>, runner_id: address) {
    self.runners.withdraw(self.dao_id, runner_id);
}

public(package) fun receipt_pool_mut<T>(self: &mut Dao<T>): &mut ReceiptPool<T> {
    &mut self.receipt_pool
}

// === Effects of proposals ===

/// The next version of the policy.
public(package) fun adopt_policy<T>(self: &mut Dao<T>, holder_set: &HolderSet, policy: Policy) {
    assert_policy(&policy, holder_set);
    self.policy = policy;
    self.policy_version = self.policy_version + 1;
    self.policy_digest = policy.digest();
    events::policy_set(self.dao_id, self.policy_version, policy, self.policy_digest);
}

public(package) fun set_governance<T>(self: &mut Dao<T>, governance: Governance) {
    self.governance = governance;
    governance_events::governance_set(self.dao_id, governance);
}

public(package) fun set_payout_rules<T>(self: &mut Dao<T>, payout_rules: PayoutRules) {
    self.payout_rules = payout_rules;
    governance_events::payout_rules_set(self.dao_id, payout_rules);
}

public(package) fun spend_treasury<T>(
    self: &mut Dao<T>,
    to: address,
    amount_units: u64,
    ctx: &mut TxContext,
) {
    let money = self.treasury.withdraw(amount_units);
    transfer::public_transfer(coin::from_balance(money, ctx), to);
    governance_events::treasury_spent(self.dao_id, to, amount_units);
}

/// The contributors' part of these receipts becomes the treasury's: nobody could divide it.
public(package) fun write_off_receipts<T>(
    self: &mut Dao<T>,
    from_receipt: u64,
    to_receipt: u64,
    clock: &Clock,
) {
    let money = self.receipt_pool.write_off(from_receipt, to_receipt, clock.timestamp_ms());
    let amount_units = money.value();
    self.treasury.deposit(money);
    payout_events::receipts_written_off(self.dao_id, from_receipt, to_receipt, amount_units);
}

public(package) fun set_roles_by_vote<T>(self: &mut Dao<T>, member: address, roles: u8) {
    self.membership.set_roles(member, roles);
    events::roles_set(self.dao_id, member, roles);
}

public(package) fun unpause<T>(self: &mut Dao<T>) {
    assert!(self.paused, ENotPaused);
    self.paused = false;
    governance_events::dao_unpaused(self.dao_id);
}

public(package) fun register_signer<T>(
    self: &mut Dao<T>,
    kind: u8,
    public_keys: vector<vector<u8>>,
    pay_to: address,
) {
    self.signers.register(self.dao_id, kind, public_keys, pay_to);
}

public(package) fun withdraw_signer<T>(self: &mut Dao<T>, signer_id: address, clock: &Clock) {
    self.signers.withdraw(self.dao_id, signer_id, clock);
}

fun join<T>(self: &mut Dao<T>, member: address, roles: u8) {
    let ordinal = self.membership.add(member, roles);
    events::member_added(self.dao_id, member, roles, ordinal);
}

fun assert_role<T>(self: &Dao<T>, role: u8, member: address) {
    assert!(self.membership.has_role(role, member), ERoleRequired);
}

fun assert_policy(policy: &Policy, holder_set: &HolderSet) {
    holder_set.assert_version();
    assert!(policy.holder_set_id() == holder_set.holder_set_id(), EWrongHolderSet);
    assert!((policy.verifier_threshold() as u64) <= holder_set.member_count(), EVerifierThreshold);
}

#[test_only]
public(package) fun set_version_for_testing<T>(self: &mut Dao<T>, version: u64) {
    self.version = version;
}
