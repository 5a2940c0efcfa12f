/// Every change of state, complete enough that a projection can be rebuilt from events alone. Names and fields follow
/// the protocol library's chain events; ids are the derived ones, `object` is the id under which Sui knows the thing.
module usufruct::events;

use std::{ascii, string::String, type_name};
use sui::event;
use usufruct::{
    answer_rules::AnswerRules,
    blob_reference::BlobReference,
    data_use::Use,
    governance::Governance,
    grant_terms::GrantTerms,
    payout::Payout,
    payout_rules::PayoutRules,
    policy::{Policy, RevenueSplit}
};

public struct RegistryOpened has copy, drop {
    object: ID,
    chain_id: String,
    protocol_account: address,
}

public struct HolderSetCreated has copy, drop {
    object: ID,
    holder_set_id: address,
    operators: vector<address>,
    signing_public_keys: vector<vector<u8>>,
    sealing_public_keys: vector<vector<u8>>,
    threshold: u8,
}

public struct TreeHeadAnchored has copy, drop {
    holder_set_id: address,
    member: u8,
    tree_size: u64,
    root_hash: address,
}

public struct DaoCreated has copy, drop {
    object: ID,
    dao_id: address,
    founder: address,
    coin: ascii::String,
    policy: Policy,
    policy_digest: address,
    metadata_hash: address,
    governance: Governance,
    payout_rules: PayoutRules,
}

public struct PolicySet has copy, drop {
    dao_id: address,
    version: u32,
    policy: Policy,
    policy_digest: address,
}

public struct MembershipApplied has copy, drop {
    dao_id: address,
    applicant: address,
    statement_hash: address,
}

public struct MembershipDecided has copy, drop {
    dao_id: address,
    applicant: address,
    accepted: bool,
}

public struct MemberAdded has copy, drop {
    dao_id: address,
    member: address,
    roles: u8,
    /// From 0, in order of joining.
    ordinal: u64,
}

public struct RolesSet has copy, drop {
    dao_id: address,
    member: address,
    roles: u8,
}

public struct DaoPaused has copy, drop {
    dao_id: address,
}

public struct RunnerRegistered has copy, drop {
    runner_id: address,
    dao_id: address,
    profile: String,
    measurement: String,
    signing_public_key: vector<u8>,
    hpke_public_key: vector<u8>,
    appraisal_policy_digest: address,
    pay_to: address,
    expires_at_ms: u64,
}

public struct DatasetCreated has copy, drop {
    object: ID,
    dataset_id: address,
    dao_id: address,
    metadata_hash: address,
    answer_rules: AnswerRules,
}

public struct ContributionRegistered has copy, drop {
    contribution_id: address,
    dataset_id: address,
    owner: address,
    manifest_digest: address,
    manifest_blob: BlobReference,
    parts: vector<BlobReference>,
    holder_set_id: address,
    policy_digest: address,
}

public struct ContributionDecided has copy, drop {
    contribution_id: address,
    dataset_id: address,
    dao_id: address,
    /// 1 accepted, 2 declined.
    state: u8,
    owner: address,
}

public struct GrantGiven has copy, drop {
    grant_id: address,
    contribution_id: address,
    grantor: address,
    terms: GrantTerms,
    given_at_ms: u64,
}

public struct GrantRevoked has copy, drop {
    grant_id: address,
    contribution_id: address,
    revoked_at_ms: u64,
}

public struct JobFunded has copy, drop {
    object: ID,
    job_id: address,
    dao_id: address,
    dataset_id: address,
    requester: address,
    purpose: String,
    kind: u8,
    protection: u8,
    policy_version: u32,
    price_per_question_units: u64,
    split: RevenueSplit,
    /// 0 direct, 1 epoch.
    payout_mode: u8,
    max_questions: u32,
    escrow_units: u64,
    client_public_key: vector<u8>,
    funded_at_ms: u64,
    expires_at_ms: u64,
}

public struct ReceiptSettled has copy, drop {
    job_id: address,
    question_id: address,
    receipt_digest: address,
    price_units: u64,
    uses: vector<Use>,
    payouts: vector<Payout>,
    questions_settled: u32,
    escrow_left_units: u64,
}

public struct JobClosed has copy, drop {
    job_id: address,
    /// 1 succeeded, 2 cancelled, 3 expired.
    state: u8,
    refunded_to: address,
    refund_units: u64,
}

public(package) fun registry_opened(object: ID, chain_id: String, protocol_account: address) {
    event::emit(RegistryOpened { object, chain_id, protocol_account });
}

public(package) fun holder_set_created(
    object: ID,
    holder_set_id: address,
    operators: vector<address>,
    signing_public_keys: vector<vector<u8>>,
    sealing_public_keys: vector<vector<u8>>,
    threshold: u8,
) {
    event::emit(HolderSetCreated {
        object,
        holder_set_id,
        operators,
        signing_public_keys,
        sealing_public_keys,
        threshold,
    });
}

public(package) fun tree_head_anchored(
    holder_set_id: address,
    member: u8,
    tree_size: u64,
    root_hash: address,
) {
    event::emit(TreeHeadAnchored { holder_set_id, member, tree_size, root_hash });
}

public(package) fun dao_created<T>(
    object: ID,
    dao_id: address,
    founder: address,
    policy: Policy,
    policy_digest: address,
    metadata_hash: address,
    governance: Governance,
    payout_rules: PayoutRules,
) {
    event::emit(DaoCreated {
        object,
        dao_id,
        founder,
        coin: type_name::with_original_ids<T>().into_string(),
        policy,
        policy_digest,
        metadata_hash,
        governance,
        payout_rules,
    });
}

public(package) fun policy_set(
    dao_id: address,
    version: u32,
    policy: Policy,
    policy_digest: address,
) {
    event::emit(PolicySet { dao_id, version, policy, policy_digest });
}

public(package) fun membership_applied(
    dao_id: address,
    applicant: address,
    statement_hash: address,
) {
    event::emit(MembershipApplied { dao_id, applicant, statement_hash });
}

public(package) fun membership_decided(dao_id: address, applicant: address, accepted: bool) {
    event::emit(MembershipDecided { dao_id, applicant, accepted });
}

public(package) fun member_added(dao_id: address, member: address, roles: u8, ordinal: u64) {
    event::emit(MemberAdded { dao_id, member, roles, ordinal });
}

public(package) fun roles_set(dao_id: address, member: address, roles: u8) {
    event::emit(RolesSet { dao_id, member, roles });
}

public(package) fun dao_paused(dao_id: address) {
    event::emit(DaoPaused { dao_id });
}

public(package) fun runner_registered(
    runner_id: address,
    dao_id: address,
    profile: String,
    measurement: String,
    signing_public_key: vector<u8>,
    hpke_public_key: vector<u8>,
    appraisal_policy_digest: address,
    pay_to: address,
    expires_at_ms: u64,
) {
    event::emit(RunnerRegistered {
        runner_id,
        dao_id,
        profile,
        measurement,
        signing_public_key,
        hpke_public_key,
        appraisal_policy_digest,
        pay_to,
        expires_at_ms,
    });
}

public(package) fun dataset_created(
    object: ID,
    dataset_id: address,
    dao_id: address,
    metadata_hash: address,
    answer_rules: AnswerRules,
) {
    event::emit(DatasetCreated { object, dataset_id, dao_id, metadata_hash, answer_rules });
}

public(package) fun contribution_registered(
    contribution_id: address,
    dataset_id: address,
    owner: address,
    manifest_digest: address,
    manifest_blob: BlobReference,
    parts: vector<BlobReference>,
    holder_set_id: address,
    policy_digest: address,
) {
    event::emit(ContributionRegistered {
        contribution_id,
        dataset_id,
        owner,
        manifest_digest,
        manifest_blob,
        parts,
        holder_set_id,
        policy_digest,
    });
}

public(package) fun contribution_decided(
    contribution_id: address,
    dataset_id: address,
    dao_id: address,
    state: u8,
    owner: address,
) {
    event::emit(ContributionDecided { contribution_id, dataset_id, dao_id, state, owner });
}

public(package) fun grant_given(
    grant_id: address,
    contribution_id: address,
    grantor: address,
    terms: GrantTerms,
    given_at_ms: u64,
) {
    event::emit(GrantGiven { grant_id, contribution_id, grantor, terms, given_at_ms });
}

public(package) fun grant_revoked(grant_id: address, contribution_id: address, revoked_at_ms: u64) {
    event::emit(GrantRevoked { grant_id, contribution_id, revoked_at_ms });
}

public(package) fun job_funded(
    object: ID,
    job_id: address,
    dao_id: address,
    dataset_id: address,
    requester: address,
    purpose: String,
    kind: u8,
    protection: u8,
    policy_version: u32,
    price_per_question_units: u64,
    split: RevenueSplit,
    payout_mode: u8,
    max_questions: u32,
    escrow_units: u64,
    client_public_key: vector<u8>,
    funded_at_ms: u64,
    expires_at_ms: u64,
) {
    event::emit(JobFunded {
        object,
        job_id,
        dao_id,
        dataset_id,
        requester,
        purpose,
        kind,
        protection,
        policy_version,
        price_per_question_units,
        split,
        payout_mode,
        max_questions,
        escrow_units,
        client_public_key,
        funded_at_ms,
        expires_at_ms,
    });
}

public(package) fun receipt_settled(
    job_id: address,
    question_id: address,
    receipt_digest: address,
    price_units: u64,
    uses: vector<Use>,
    payouts: vector<Payout>,
    questions_settled: u32,
    escrow_left_units: u64,
) {
    event::emit(ReceiptSettled {
        job_id,
        question_id,
        receipt_digest,
        price_units,
        uses,
        payouts,
        questions_settled,
        escrow_left_units,
    });
}

public(package) fun job_closed(
    job_id: address,
    state: u8,
    refunded_to: address,
    refund_units: u64,
) {
    event::emit(JobClosed { job_id, state, refunded_to, refund_units });
}
