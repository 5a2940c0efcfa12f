/// What a proposal does when it is executed: one typed effect, applied to the policy of that moment, so that two
/// proposals on different things never overwrite each other. Each is checked on its own when it is made, and against the
/// DAO as it then is when it is executed. Serialises to the bytes of the protocol library's `ProposalEffectBcs`.
module usufruct::effect;

use std::string::String;
use sui::clock::Clock;
use usufruct::{
    checks,
    data_dao::Dao,
    dataset::Dataset,
    governance::Governance,
    holder_set::HolderSet,
    licence,
    licence_terms::LicenceTerms,
    membership,
    payout_rules::PayoutRules,
    policy::{Self, RevenueSplit},
    signers
};

/// An expense of nothing.
const ENothingSpent: u64 = 1450;
/// The effect needs other objects than these: it has an execute function of its own.
const EOtherObjects: u64 = 1451;
/// The effect is on another dataset than this.
const EWrongDataset: u64 = 1452;
/// Receipts are numbered from 1, and a run of them has one at least.
const EReceiptRun: u64 = 1453;

/// The order is that of the variants' indices in the serialisation: append only.
public enum Effect has copy, drop, store {
    SetPrice { price_per_question_units: u64 },
    SetPurposes { purposes: vector<String> },
    SetSplit { split: RevenueSplit },
    ApproveMeasurement { measurement: String },
    WithdrawMeasurement { measurement: String },
    SetVerifiers { holder_set_id: address, verifier_threshold: u8 },
    SetTerms {
        kinds: vector<u8>,
        protections: vector<u8>,
        profiles: vector<String>,
        result_term_ms: u64,
        max_job_term_ms: u64,
    },
    SetGovernance { governance: Governance },
    SetPayoutRules { payout_rules: PayoutRules },
    SpendTreasury { to: address, amount_units: u64 },
    SetRoles { member: address, roles: u8 },
    Unpause,
    RegisterSigner { signer_kind: u8, public_keys: vector<vector<u8>>, pay_to: address },
    WithdrawSigner { signer_id: address },
    TombstoneDataset { dataset_id: address },
    OfferLicence { terms: LicenceTerms },
    WithdrawLicenceOffer { offer_id: address },
    WriteOffReceipts { from_receipt: u64, to_receipt: u64 },
    SetDataRules { cancel_on_revocation: bool, permanent_blobs: bool, self_queries_pay: bool },
}

// === Making one ===

public fun set_price(price_per_question_units: u64): Effect {
    Effect::SetPrice { price_per_question_units }
}

public fun set_purposes(purposes: vector<String>): Effect {
    checks::assert_purposes(&purposes);
    Effect::SetPurposes { purposes }
}

public fun set_split(split: RevenueSplit): Effect {
    Effect::SetSplit { split }
}

public fun approve_measurement(measurement: String): Effect {
    policy::assert_measurement(&measurement);
    Effect::ApproveMeasurement { measurement }
}

public fun withdraw_measurement(measurement: String): Effect {
    policy::assert_measurement(&measurement);
    Effect::WithdrawMeasurement { measurement }
}

public fun set_verifiers(holder_set_id: address, verifier_threshold: u8): Effect {
    policy::assert_verifier_threshold(verifier_threshold);
    Effect::SetVerifiers { holder_set_id, verifier_threshold }
}

public fun set_terms(
    kinds: vector<u8>,
    protections: vector<u8>,
    profiles: vector<String>,
    result_term_ms: u64,
    max_job_term_ms: u64,
): Effect {
    checks::assert_kinds(&kinds);
    checks::assert_kinds(&protections);
    policy::assert_profiles(&profiles);
    policy::assert_result_term(result_term_ms);
    policy::assert_job_term(max_job_term_ms);
    Effect::SetTerms { kinds, protections, profiles, result_term_ms, max_job_term_ms }
}

public fun set_governance(governance: Governance): Effect {
    Effect::SetGovernance { governance }
}

public fun set_payout_rules(payout_rules: PayoutRules): Effect {
    Effect::SetPayoutRules { payout_rules }
}

public fun spend_treasury(to: address, amount_units: u64): Effect {
    assert!(amount_units > 0, ENothingSpent);
    Effect::SpendTreasury { to, amount_units }
}

/// A sum of bits; 0 takes all roles.
public fun set_roles(member: address, roles: u8): Effect {
    membership::assert_roles(roles);
    Effect::SetRoles { member, roles }
}

public fun unpause(): Effect {
    Effect::Unpause
}

/// 1 an MPC set, whose three parties all sign, or 2 the host of an FHE evaluator.
public fun register_signer(kind: u8, public_keys: vector<vector<u8>>, pay_to: address): Effect {
    signers::assert_keys(kind, &public_keys);
    Effect::RegisterSigner { signer_kind: kind, public_keys, pay_to }
}

public fun withdraw_signer(signer_id: address): Effect {
    Effect::WithdrawSigner { signer_id }
}

public fun tombstone_dataset(dataset_id: address): Effect {
    Effect::TombstoneDataset { dataset_id }
}

/// The offer's id is that of the proposal.
public fun offer_licence(terms: LicenceTerms): Effect {
    Effect::OfferLicence { terms }
}

public fun withdraw_licence_offer(offer_id: address): Effect {
    Effect::WithdrawLicenceOffer { offer_id }
}

/// Private receipts that nobody could divide: by the time of execution they must be the next ones, and old enough.
public fun write_off_receipts(from_receipt: u64, to_receipt: u64): Effect {
    assert!(from_receipt > 0 && from_receipt <= to_receipt, EReceiptRun);
    Effect::WriteOffReceipts { from_receipt, to_receipt }
}

/// What becomes of running jobs, stored blobs and a contributor's own questions; any three are a policy.
public fun set_data_rules(
    cancel_on_revocation: bool,
    permanent_blobs: bool,
    self_queries_pay: bool,
): Effect {
    Effect::SetDataRules { cancel_on_revocation, permanent_blobs, self_queries_pay }
}

// === Applying it ===

/// `holder_set` is the one that the policy names once the effect has been applied.
public(package) fun apply<T>(
    self: Effect,
    dao: &mut Dao<T>,
    holder_set: &HolderSet,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    let policy = *dao.policy();
    match (self) {
        Effect::SetPrice { price_per_question_units } => {
            dao.adopt_policy(holder_set, policy.with_price(price_per_question_units))
        },
        Effect::SetPurposes { purposes } => {
            dao.adopt_policy(holder_set, policy.with_purposes(purposes))
        },
        Effect::SetSplit { split } => dao.adopt_policy(holder_set, policy.with_split(split)),
        Effect::ApproveMeasurement { measurement } => {
            dao.adopt_policy(holder_set, policy.with_measurement(measurement))
        },
        Effect::WithdrawMeasurement { measurement } => {
            dao.adopt_policy(holder_set, policy.without_measurement(&measurement))
        },
        Effect::SetVerifiers { holder_set_id, verifier_threshold } => {
            dao.adopt_policy(holder_set, policy.with_verifiers(holder_set_id, verifier_threshold))
        },
        Effect::SetTerms {
            kinds,
            protections,
            profiles,
            result_term_ms,
            max_job_term_ms,
        } => {
            let next = policy.with_terms(
                kinds,
                protections,
                profiles,
                result_term_ms,
                max_job_term_ms,
            );
            dao.adopt_policy(holder_set, next)
        },
        Effect::SetDataRules { cancel_on_revocation, permanent_blobs, self_queries_pay } => {
            let next = policy.with_data_rules(
                cancel_on_revocation,
                permanent_blobs,
                self_queries_pay,
            );
            dao.adopt_policy(holder_set, next)
        },
        Effect::SetGovernance { governance } => dao.set_governance(governance),
        Effect::SetPayoutRules { payout_rules } => dao.set_payout_rules(payout_rules),
        Effect::SpendTreasury { to, amount_units } => dao.spend_treasury(to, amount_units, ctx),
        Effect::SetRoles { member, roles } => dao.set_roles_by_vote(member, roles),
        Effect::Unpause => dao.unpause(),
        Effect::RegisterSigner { signer_kind, public_keys, pay_to } => {
            dao.register_signer(signer_kind, public_keys, pay_to)
        },
        Effect::WithdrawSigner { signer_id } => dao.withdraw_signer(signer_id, clock),
        Effect::WriteOffReceipts { from_receipt, to_receipt } => {
            dao.write_off_receipts(from_receipt, to_receipt, clock)
        },
        _ => abort EOtherObjects,
    }
}

/// The effects on a dataset: its retirement, and licences on it.
public(package) fun apply_to_dataset<T>(
    self: Effect,
    proposal_id: address,
    dao: &Dao<T>,
    dataset: &mut Dataset,
    clock: &Clock,
) {
    dataset.assert_of(dao);
    match (self) {
        Effect::TombstoneDataset { dataset_id } => {
            assert!(dataset_id == dataset.dataset_id(), EWrongDataset);
            dataset.tombstone(clock)
        },
        Effect::OfferLicence { terms } => {
            assert!(terms.dataset_id() == dataset.dataset_id(), EWrongDataset);
            licence::offer(dataset, proposal_id, terms)
        },
        Effect::WithdrawLicenceOffer { offer_id } => licence::withdraw_offer(
            dataset,
            offer_id,
            clock,
        ),
        _ => abort EOtherObjects,
    }
}
