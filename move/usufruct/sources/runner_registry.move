/// Runners whose keys were attested. The chain appraises nothing itself: k members of the DAO's holder set must have
/// signed the same statement, for the appraisal policy that the DAO has now. A measurement that the policy no longer
/// names is withdrawn at once: every use of a runner looks at the policy of that moment.
module usufruct::runner_registry;

use std::{bcs as std_bcs, string::{Self, String}};
use sui::{bcs, clock::Clock, table::{Self, Table}};
use usufruct::{
    checks,
    digest,
    domain_tags,
    events,
    holder_set::HolderSet,
    payout_events,
    policy::Policy
};

/// The statement is too long, or is not the canonical serialisation of one.
const EStatementMalformed: u64 = 600;
/// The statement is for another chain or another DAO.
const EStatementElsewhere: u64 = 601;
/// The statement is for another appraisal policy than the DAO has now.
const EPolicyOutdated: u64 = 602;
/// The measurement is not one that the policy approves.
const EMeasurementRefused: u64 = 603;
/// The evidence profile is not one that the policy approves.
const EProfileRefused: u64 = 604;
/// The statement is from the future, or is valid for longer than the policy lets a registration last.
const EStatementTerm: u64 = 605;
/// The statement has expired.
const EStatementExpired: u64 = 606;
/// Fewer verifiers signed than the policy demands, or one is named twice, or the lists are not of one length.
const EVerifiers: u64 = 607;
/// A verifier's signature does not verify.
const EVerifierSignature: u64 = 608;
/// No runner is registered under this key.
const ENotRegistered: u64 = 609;
/// The runner's registration had expired.
const ERegistrationExpired: u64 = 610;
/// The runner signed two truths: its key is withdrawn for good.
const EWithdrawn: u64 = 611;

const STATEMENT_AT_MOST_BYTES: u64 = 2_048;

public struct Runner has copy, drop, store {
    profile: String,
    measurement: String,
    /// Ed25519: signs receipts.
    signing_public_key: vector<u8>,
    /// X25519: questions and shares are sealed to it.
    hpke_public_key: vector<u8>,
    appraisal_policy_digest: address,
    pay_to: address,
    expires_at_ms: u64,
}

/// By runner id.
public struct RunnerRegistry has store {
    runners: Table<address, Runner>,
    /// Withdrawn for good, registered again or not.
    withdrawn: Table<address, bool>,
}

/// What verifiers sign, in the order of the protocol library's `RunnerStatementBcs`.
public struct RunnerStatement has copy, drop {
    chain_id: String,
    dao_id: address,
    profile: String,
    measurement: String,
    signing_public_key: vector<u8>,
    hpke_public_key: vector<u8>,
    appraisal_policy_digest: address,
    /// Receives the runner's part: signed for, so that whoever sends the statement cannot choose.
    pay_to: address,
    issued_at_ms: u64,
    expires_at_ms: u64,
}

public(package) fun empty(ctx: &mut TxContext): RunnerRegistry {
    RunnerRegistry { runners: table::new(ctx), withdrawn: table::new(ctx) }
}

/// Signature `i` is by the holder set's member of index `members[i]`. Every signature must be good: a wrong one
/// among enough good ones means that somebody is confused or cheating. Registering again prolongs. Statements are public
/// and anybody may send one again: one that ends before what is registered changes nothing, so that no older payee and
/// no older term comes back.
public(package) fun register(
    self: &mut RunnerRegistry,
    dao_id: address,
    policy: &Policy,
    holder_set: &HolderSet,
    chain_id: &String,
    statement_bytes: vector<u8>,
    members: vector<u8>,
    signatures: vector<vector<u8>>,
    clock: &Clock,
) {
    let statement = decode(statement_bytes);
    assert!(&statement.chain_id == chain_id && statement.dao_id == dao_id, EStatementElsewhere);
    checks::assert_key(&statement.signing_public_key);
    checks::assert_key(&statement.hpke_public_key);
    assert!(statement.appraisal_policy_digest == policy.appraisal_digest(), EPolicyOutdated);
    assert!(policy.approves_measurement(&statement.measurement), EMeasurementRefused);
    assert!(policy.approves_profile(&statement.profile), EProfileRefused);
    assert_term(&statement, policy.registration_term_ms(), clock.timestamp_ms());
    assert_verifiers(policy.verifier_threshold(), holder_set, statement_bytes, members, signatures);

    let runner_id = digest::runner_id(statement.signing_public_key);
    assert!(!self.withdrawn.contains(runner_id), EWithdrawn);
    if (self.runners.contains(runner_id)) {
        if (self.runners[runner_id].expires_at_ms > statement.expires_at_ms) return;
        self.runners.remove(runner_id);
    };
    let runner = Runner {
        profile: statement.profile,
        measurement: statement.measurement,
        signing_public_key: statement.signing_public_key,
        hpke_public_key: statement.hpke_public_key,
        appraisal_policy_digest: statement.appraisal_policy_digest,
        pay_to: statement.pay_to,
        expires_at_ms: statement.expires_at_ms,
    };
    self.runners.add(runner_id, runner);
    events::runner_registered(
        runner_id,
        dao_id,
        runner.profile,
        runner.measurement,
        runner.signing_public_key,
        runner.hpke_public_key,
        runner.appraisal_policy_digest,
        runner.pay_to,
        runner.expires_at_ms,
    );
}

/// The runner of this id: registered, not expired at `at_ms`, and of a measurement and profile that the policy
/// approves now.
public(package) fun active(
    self: &RunnerRegistry,
    policy: &Policy,
    runner_id: address,
    at_ms: u64,
): Runner {
    assert!(!self.withdrawn.contains(runner_id), EWithdrawn);
    assert!(self.runners.contains(runner_id), ENotRegistered);
    let runner = self.runners[runner_id];
    assert!(at_ms < runner.expires_at_ms, ERegistrationExpired);
    assert!(policy.approves_measurement(&runner.measurement), EMeasurementRefused);
    assert!(policy.approves_profile(&runner.profile), EProfileRefused);
    runner
}

/// For good and at once: nothing that it signed is settled any more, and its key is not registered again.
public(package) fun withdraw(self: &mut RunnerRegistry, dao_id: address, runner_id: address) {
    assert!(!self.withdrawn.contains(runner_id), EWithdrawn);
    self.withdrawn.add(runner_id, true);
    if (self.runners.contains(runner_id)) {
        self.runners.remove(runner_id);
    };
    payout_events::runner_withdrawn(dao_id, runner_id);
}

public fun pay_to(self: &Runner): address {
    self.pay_to
}

/// The Sui address of the attested signing key: only what runs inside the TEE can send as this address.
public fun attested_address(self: &Runner): address {
    digest::ed25519_address(self.signing_public_key)
}

fun assert_term(statement: &RunnerStatement, term_ms: u64, now_ms: u64) {
    let RunnerStatement { issued_at_ms, expires_at_ms, .. } = statement;
    assert!(*issued_at_ms <= now_ms + checks::clock_skew_ms(), EStatementTerm);
    assert!(*expires_at_ms > now_ms, EStatementExpired);
    // In u128: both times are the signers' and may be anything.
    let latest = (*issued_at_ms as u128) + (term_ms as u128);
    assert!((*expires_at_ms as u128) <= latest, EStatementTerm);
}

fun assert_verifiers(
    threshold: u8,
    holder_set: &HolderSet,
    statement: vector<u8>,
    members: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    assert!(
        members.length() == signatures.length() && members.length() >= (threshold as u64),
        EVerifiers,
    );
    let mut i = 0;
    while (i < members.length()) {
        let mut j = 0;
        while (j < i) {
            assert!(members[i] != members[j], EVerifiers);
            j = j + 1;
        };
        let tag = domain_tags::runner_statement();
        assert!(
            holder_set.is_signed_by(members[i], tag, statement, &signatures[i]),
            EVerifierSignature,
        );
        i = i + 1;
    };
}

fun decode(bytes: vector<u8>): RunnerStatement {
    assert!(bytes.length() <= STATEMENT_AT_MOST_BYTES, EStatementMalformed);
    let mut reader = bcs::new(bytes);
    let statement = RunnerStatement {
        chain_id: text(reader.peel_vec_u8()),
        dao_id: reader.peel_address(),
        profile: text(reader.peel_vec_u8()),
        measurement: text(reader.peel_vec_u8()),
        signing_public_key: reader.peel_vec_u8(),
        hpke_public_key: reader.peel_vec_u8(),
        appraisal_policy_digest: reader.peel_address(),
        pay_to: reader.peel_address(),
        issued_at_ms: reader.peel_u64(),
        expires_at_ms: reader.peel_u64(),
    };
    // One meaning has one serialisation: trailing bytes and over-long lengths do not survive writing it again.
    assert!(std_bcs::to_bytes(&statement) == bytes, EStatementMalformed);
    statement
}

fun text(bytes: vector<u8>): String {
    let text = string::try_utf8(bytes);
    assert!(text.is_some(), EStatementMalformed);
    text.destroy_some()
}
