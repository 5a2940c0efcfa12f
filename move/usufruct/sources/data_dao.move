/// A data DAO: who belongs to it and in which role, its versioned policy, its treasury and its runners. Its coin is
/// any type `T`; money is only ever a `Balance<T>` in a vault.
module usufruct::data_dao;

use sui::{balance::Balance, clock::Clock, table::{Self, Table}};
use usufruct::{
    checks,
    custody::{Self, Vault},
    digest,
    events,
    holder_set::HolderSet,
    policy::Policy,
    registry::Registry,
    runner_registry::{Self, Runner, RunnerRegistry}
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
/// The address is no member.
const ENoMember: u64 = 707;
/// The role is none that there is.
const EUnknownRole: u64 = 708;
/// A DAO keeps at least one administrator.
const ELastAdministrator: u64 = 709;
/// The DAO is paused.
const EPaused: u64 = 710;
/// The capability is another DAO's.
const EWrongCap: u64 = 711;
/// A dataset or job with this id exists: a client that sends again sends the same transaction, not a new one.
const EIdTaken: u64 = 712;

/// Roles are bits, so a member may have several.
/// Gives and takes roles.
const ADMINISTRATOR: u8 = 1;
/// Sets the policy.
const POLICY_MAKER: u8 = 2;
/// Decides on applications and contributions.
const STEWARD: u8 = 4;
const ALL_ROLES: u8 = 7;

public struct Dao<phantom T> has key {
    id: UID,
    version: u64,
    dao_id: address,
    founder: address,
    metadata_hash: address,
    policy: Policy,
    policy_version: u32,
    policy_digest: address,
    /// Roles by address; a member without a role has 0.
    members: Table<address, u8>,
    administrators: u64,
    /// Hash of the applicant's statement, by address.
    applications: Table<address, address>,
    treasury: Vault<T>,
    runners: RunnerRegistry,
    /// Ids of the DAO's datasets and jobs that are taken.
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
    ctx: &mut TxContext,
): PauseCap {
    registry.assert_version();
    assert_policy(&policy, holder_set);
    let founder = ctx.sender();
    let dao_id = digest::derive_id(b"dao", vector[], founder, salt);
    let id = object::new(ctx);
    registry.take_dao_id(dao_id, id.to_inner());
    let policy_digest = policy.digest();
    events::dao_created<T>(id.to_inner(), dao_id, founder, policy, policy_digest, metadata_hash);
    let mut dao = Dao<T> {
        id,
        version: checks::version(),
        dao_id,
        founder,
        metadata_hash,
        policy,
        policy_version: 1,
        policy_digest,
        members: table::new(ctx),
        administrators: 1,
        applications: table::new(ctx),
        treasury: custody::empty(),
        runners: runner_registry::empty(ctx),
        taken: table::new(ctx),
        paused: false,
    };
    dao.members.add(founder, ALL_ROLES);
    events::member_added(dao_id, founder, ALL_ROLES);
    transfer::share_object(dao);
    PauseCap { id: object::new(ctx), dao_id }
}

/// `expected_version` is the version that the sender saw: two changes at once cannot overwrite each other.
public fun set_policy<T>(
    self: &mut Dao<T>,
    holder_set: &HolderSet,
    expected_version: u32,
    policy: Policy,
    ctx: &mut TxContext,
) {
    checks::assert_version(self.version);
    self.assert_role(POLICY_MAKER, ctx.sender());
    assert!(self.policy_version == expected_version, EPolicyOutdated);
    assert_policy(&policy, holder_set);
    self.policy = policy;
    self.policy_version = expected_version + 1;
    self.policy_digest = policy.digest();
    events::policy_set(self.dao_id, self.policy_version, policy, self.policy_digest);
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
    self.assert_role(STEWARD, ctx.sender());
    assert!(self.applications.contains(applicant), ENoApplication);
    self.applications.remove(applicant);
    events::membership_decided(self.dao_id, applicant, accept);
    if (accept) self.add_member(applicant);
}

/// The member's roles from now on, as a sum of bits; 0 takes all of them.
public fun set_roles<T>(self: &mut Dao<T>, member: address, roles: u8, ctx: &mut TxContext) {
    checks::assert_version(self.version);
    self.assert_role(ADMINISTRATOR, ctx.sender());
    assert!(roles <= ALL_ROLES, EUnknownRole);
    assert!(self.is_member(member), ENoMember);
    if (self.has_role(ADMINISTRATOR, member)) self.administrators = self.administrators - 1;
    if (roles & ADMINISTRATOR != 0) self.administrators = self.administrators + 1;
    assert!(self.administrators > 0, ELastAdministrator);
    *&mut self.members[member] = roles;
    events::roles_set(self.dao_id, member, roles);
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

public fun is_member<T>(self: &Dao<T>, member: address): bool {
    self.members.contains(member)
}

/// 0 for a member without a role and for strangers.
public fun roles_of<T>(self: &Dao<T>, member: address): u8 {
    if (self.is_member(member)) self.members[member] else 0
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

/// Of this version, and not paused.
public(package) fun assert_open<T>(self: &Dao<T>) {
    checks::assert_version(self.version);
    assert!(!self.paused, EPaused);
}

public(package) fun assert_member<T>(self: &Dao<T>, member: address) {
    assert!(self.is_member(member), ERoleRequired);
}

public(package) fun assert_steward<T>(self: &Dao<T>, member: address) {
    self.assert_role(STEWARD, member);
}

/// Whoever is one already keeps the roles.
public(package) fun add_member<T>(self: &mut Dao<T>, member: address) {
    if (self.is_member(member)) return;
    self.members.add(member, 0);
    events::member_added(self.dao_id, member, 0);
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

fun has_role<T>(self: &Dao<T>, role: u8, member: address): bool {
    self.roles_of(member) & role != 0
}

fun assert_role<T>(self: &Dao<T>, role: u8, member: address) {
    assert!(self.has_role(role, member), ERoleRequired);
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
