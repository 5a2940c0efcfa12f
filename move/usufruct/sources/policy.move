/// A DAO's policy: public, versioned, all that a job, a holder and a runner need to decide. The structs serialise to
/// the bytes of the protocol library's `DaoPolicyBcs` and `AppraisalPolicyBcs`, so the digests agree.
module usufruct::policy;

use std::{bcs, string::String};
use usufruct::{checks, digest, domain_tags};

/// The four parts of the split do not add up to 10,000 basis points.
const ESplit: u64 = 500;
/// The verifiers' threshold is zero.
const EVerifierThreshold: u64 = 501;
/// The longest term of a job is zero or above an hour.
const EJobTerm: u64 = 502;
/// A measurement is not 32 to 64 bytes in lower-case hex, or is all zero: nobody measured anything.
const EMeasurement: u64 = 503;
/// An evidence profile is none that the protocol knows, or is the software stand-in, which proves nothing.
const EProfile: u64 = 504;
/// The term of an appraisal's result is zero or above a day.
const EResultTerm: u64 = 505;
/// The measurement is approved already.
const EMeasurementApproved: u64 = 506;
/// The measurement is not approved.
const EMeasurementNotApproved: u64 = 507;
/// The appraisal policy has had as many versions as there are numbers for.
const EAppraisalVersion: u64 = 508;

const WHOLE_BPS: u64 = 10_000;
const JOB_TERM_AT_MOST_MS: u64 = 3_600_000;
const RESULT_TERM_AT_MOST_MS: u64 = 86_400_000;
const MEASUREMENTS_AT_MOST: u64 = 64;
const U32_MAX: u32 = 4_294_967_295;

public struct RevenueSplit has copy, drop, store {
    contributors_bps: u16,
    treasury_bps: u16,
    runner_bps: u16,
    protocol_bps: u16,
}

public struct AppraisalPolicy has copy, drop, store {
    version: u32,
    profiles: vector<String>,
    /// Approved code measurements; any other is refused.
    measurements: vector<String>,
    result_term_ms: u64,
}

public struct Policy has copy, drop, store {
    price_per_question_units: u64,
    purposes: vector<String>,
    kinds: vector<u8>,
    protections: vector<u8>,
    split: RevenueSplit,
    holder_set_id: address,
    appraisal: AppraisalPolicy,
    /// How many members of the holder set must have appraised a runner before its key is registered.
    verifier_threshold: u8,
    max_job_term_ms: u64,
    /// Whether a running job ends, instead of going on without it, when a contribution that it uses is no longer allowed.
    cancel_on_revocation: bool,
    /// Whether contributions are stored so that nobody can delete them before their leases end.
    permanent_blobs: bool,
    /// Whether a contributor is paid for what its own address asks.
    self_queries_pay: bool,
}

/// Parts of ten thousand; they must add up to it.
public fun revenue_split(
    contributors_bps: u16,
    treasury_bps: u16,
    runner_bps: u16,
    protocol_bps: u16,
): RevenueSplit {
    let sum =
        (contributors_bps as u64) + (treasury_bps as u64) + (runner_bps as u64) + (protocol_bps as u64);
    assert!(sum == WHOLE_BPS, ESplit);
    RevenueSplit { contributors_bps, treasury_bps, runner_bps, protocol_bps }
}

public fun appraisal(
    version: u32,
    profiles: vector<String>,
    measurements: vector<String>,
    result_term_ms: u64,
): AppraisalPolicy {
    assert_profiles(&profiles);
    checks::assert_set(&measurements, MEASUREMENTS_AT_MOST);
    let mut i = 0;
    while (i < measurements.length()) {
        assert_measurement(&measurements[i]);
        i = i + 1;
    };
    assert_result_term(result_term_ms);
    AppraisalPolicy { version, profiles, measurements, result_term_ms }
}

public fun new(
    price_per_question_units: u64,
    purposes: vector<String>,
    kinds: vector<u8>,
    protections: vector<u8>,
    split: RevenueSplit,
    holder_set_id: address,
    appraisal: AppraisalPolicy,
    verifier_threshold: u8,
    max_job_term_ms: u64,
    cancel_on_revocation: bool,
    permanent_blobs: bool,
    self_queries_pay: bool,
): Policy {
    checks::assert_purposes(&purposes);
    checks::assert_kinds(&kinds);
    checks::assert_kinds(&protections);
    assert_verifier_threshold(verifier_threshold);
    assert_job_term(max_job_term_ms);
    Policy {
        price_per_question_units,
        purposes,
        kinds,
        protections,
        split,
        holder_set_id,
        appraisal,
        verifier_threshold,
        max_job_term_ms,
        cancel_on_revocation,
        permanent_blobs,
        self_queries_pay,
    }
}

// === What a vote changes: the policy with one thing as the proposal says ===

public(package) fun with_price(mut self: Policy, price_per_question_units: u64): Policy {
    self.price_per_question_units = price_per_question_units;
    self
}

public(package) fun with_purposes(mut self: Policy, purposes: vector<String>): Policy {
    checks::assert_purposes(&purposes);
    self.purposes = purposes;
    self
}

public(package) fun with_split(mut self: Policy, split: RevenueSplit): Policy {
    self.split = split;
    self
}

public(package) fun with_measurement(mut self: Policy, measurement: String): Policy {
    let AppraisalPolicy { version, profiles, mut measurements, result_term_ms } = self.appraisal;
    assert!(!measurements.contains(&measurement), EMeasurementApproved);
    measurements.push_back(measurement);
    self.appraisal = appraisal(next(version), profiles, measurements, result_term_ms);
    self
}

/// The last one stays: no runner could be appraised without one.
public(package) fun without_measurement(mut self: Policy, measurement: &String): Policy {
    let AppraisalPolicy { version, profiles, mut measurements, result_term_ms } = self.appraisal;
    let (approved, index) = measurements.index_of(measurement);
    assert!(approved, EMeasurementNotApproved);
    measurements.remove(index);
    self.appraisal = appraisal(next(version), profiles, measurements, result_term_ms);
    self
}

public(package) fun with_verifiers(
    mut self: Policy,
    holder_set_id: address,
    verifier_threshold: u8,
): Policy {
    assert_verifier_threshold(verifier_threshold);
    self.holder_set_id = holder_set_id;
    self.verifier_threshold = verifier_threshold;
    self
}

public(package) fun with_terms(
    mut self: Policy,
    kinds: vector<u8>,
    protections: vector<u8>,
    profiles: vector<String>,
    result_term_ms: u64,
    max_job_term_ms: u64,
): Policy {
    checks::assert_kinds(&kinds);
    checks::assert_kinds(&protections);
    assert_job_term(max_job_term_ms);
    let AppraisalPolicy { version, measurements, .. } = self.appraisal;
    self.kinds = kinds;
    self.protections = protections;
    self.appraisal = appraisal(next(version), profiles, measurements, result_term_ms);
    self.max_job_term_ms = max_job_term_ms;
    self
}

public(package) fun with_data_rules(
    mut self: Policy,
    cancel_on_revocation: bool,
    permanent_blobs: bool,
    self_queries_pay: bool,
): Policy {
    self.cancel_on_revocation = cancel_on_revocation;
    self.permanent_blobs = permanent_blobs;
    self.self_queries_pay = self_queries_pay;
    self
}

public fun digest(self: &Policy): address {
    digest::tagged(domain_tags::dao_policy(), vector[bcs::to_bytes(self)])
}

public fun appraisal_digest(self: &Policy): address {
    digest::tagged(domain_tags::appraisal_policy(), vector[bcs::to_bytes(&self.appraisal)])
}

public fun price_per_question_units(self: &Policy): u64 {
    self.price_per_question_units
}

public fun holder_set_id(self: &Policy): address {
    self.holder_set_id
}

public fun verifier_threshold(self: &Policy): u8 {
    self.verifier_threshold
}

/// Whether both name the same holders, and as many of them.
public(package) fun has_verifiers_of(self: &Policy, other: &Policy): bool {
    self.holder_set_id == other.holder_set_id
        && self.verifier_threshold == other.verifier_threshold
}

/// How long a runner's registration may last: the term of an appraisal's result, which `appraisal` keeps to a day.
public fun registration_term_ms(self: &Policy): u64 {
    self.appraisal.result_term_ms
}

public fun max_job_term_ms(self: &Policy): u64 {
    self.max_job_term_ms
}

public fun cancels_on_revocation(self: &Policy): bool {
    self.cancel_on_revocation
}

public fun has_permanent_blobs(self: &Policy): bool {
    self.permanent_blobs
}

public fun pays_self_queries(self: &Policy): bool {
    self.self_queries_pay
}

public fun allows_purpose(self: &Policy, purpose: &String): bool {
    self.purposes.contains(purpose)
}

public fun allows_kind(self: &Policy, kind: u8): bool {
    self.kinds.contains(&kind)
}

public fun allows_protection(self: &Policy, protection: u8): bool {
    self.protections.contains(&protection)
}

public fun approves_measurement(self: &Policy, measurement: &String): bool {
    self.appraisal.measurements.contains(measurement)
}

public fun approves_profile(self: &Policy, profile: &String): bool {
    self.appraisal.profiles.contains(profile)
}

public fun split(self: &Policy): RevenueSplit {
    self.split
}

/// Contributors, treasury, runner, protocol: the order in which ties between their remainders are decided.
public fun parts_bps(self: &RevenueSplit): vector<u64> {
    let RevenueSplit { contributors_bps, treasury_bps, runner_bps, protocol_bps } = *self;
    vector[contributors_bps as u64, treasury_bps as u64, runner_bps as u64, protocol_bps as u64]
}

public(package) fun assert_profiles(profiles: &vector<String>) {
    checks::assert_set(profiles, checks::set_at_most());
    let mut i = 0;
    while (i < profiles.length()) {
        assert!(is_profile(profiles[i].as_bytes()), EProfile);
        i = i + 1;
    };
}

public(package) fun assert_measurement(measurement: &String) {
    assert!(is_measurement(measurement.as_bytes()), EMeasurement);
}

public(package) fun assert_result_term(result_term_ms: u64) {
    assert!(result_term_ms > 0 && result_term_ms <= RESULT_TERM_AT_MOST_MS, EResultTerm);
}

public(package) fun assert_verifier_threshold(verifier_threshold: u8) {
    assert!(verifier_threshold > 0, EVerifierThreshold);
}

public(package) fun assert_job_term(max_job_term_ms: u64) {
    assert!(max_job_term_ms > 0 && max_job_term_ms <= JOB_TERM_AT_MOST_MS, EJobTerm);
}

/// Each change has a version of its own, so that what was signed for an earlier one never counts again.
fun next(version: u32): u32 {
    assert!(version < U32_MAX, EAppraisalVersion);
    version + 1
}

fun is_profile(profile: &vector<u8>): bool {
    profile == &b"tdx+nv" || profile == &b"tdx" || profile == &b"snp" || profile == &b"nitro"
}

fun is_measurement(measurement: &vector<u8>): bool {
    let length = measurement.length();
    if (length < 64 || length > 128 || length % 2 != 0 || checks::is_zero(measurement, 48))
        return false;
    let mut i = 0;
    while (i < length) {
        let byte = measurement[i];
        let is_digit = (byte >= 48 && byte <= 57) || (byte >= 97 && byte <= 102);
        if (!is_digit) return false;
        i = i + 1;
    };
    true
}
