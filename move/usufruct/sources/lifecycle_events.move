/// Events of what lasts and what ends: rotations, tombstones, answer rules, leases and licences. The same rules as for `events`: the
/// names and fields are those of the protocol library's chain events, and a projection can be rebuilt from them.
module usufruct::lifecycle_events;

use sui::event;
use usufruct::{
    answer_rules::AnswerRules,
    blob_reference::LeaseRenewal,
    licence_terms::LicenceTerms,
    payout::Payout
};

public struct HolderSetRotated has copy, drop {
    holder_set_id: address,
    version: u32,
    operators: vector<address>,
    signing_public_keys: vector<vector<u8>>,
    sealing_public_keys: vector<vector<u8>>,
    threshold: u8,
}

public struct HolderTombstoned has copy, drop {
    holder_set_id: address,
    member: u8,
    signing_public_key: vector<u8>,
}

public struct ContributionTombstoned has copy, drop {
    contribution_id: address,
    dataset_id: address,
    tombstoned_at_ms: u64,
}

public struct DatasetTombstoned has copy, drop {
    dataset_id: address,
    dao_id: address,
    tombstoned_at_ms: u64,
}

public struct AnswerRulesSet has copy, drop {
    dataset_id: address,
    dao_id: address,
    answer_rules: AnswerRules,
}

public struct LeaseRenewed has copy, drop {
    contribution_id: address,
    renewals: vector<LeaseRenewal>,
}

public struct LicenceOffered has copy, drop {
    offer_id: address,
    dao_id: address,
    terms: LicenceTerms,
}

public struct LicenceOfferWithdrawn has copy, drop {
    offer_id: address,
    dao_id: address,
    withdrawn_at_ms: u64,
}

public struct LicenceBought has copy, drop {
    object: ID,
    licence_id: address,
    offer_id: address,
    dao_id: address,
    licensee: address,
    terms: LicenceTerms,
    bought_at_ms: u64,
    expires_at_ms: u64,
    payouts: vector<Payout>,
}

public(package) fun holder_set_rotated(
    holder_set_id: address,
    version: u32,
    operators: vector<address>,
    signing_public_keys: vector<vector<u8>>,
    sealing_public_keys: vector<vector<u8>>,
    threshold: u8,
) {
    event::emit(HolderSetRotated {
        holder_set_id,
        version,
        operators,
        signing_public_keys,
        sealing_public_keys,
        threshold,
    });
}

public(package) fun holder_tombstoned(
    holder_set_id: address,
    member: u8,
    signing_public_key: vector<u8>,
) {
    event::emit(HolderTombstoned { holder_set_id, member, signing_public_key });
}

public(package) fun contribution_tombstoned(
    contribution_id: address,
    dataset_id: address,
    tombstoned_at_ms: u64,
) {
    event::emit(ContributionTombstoned { contribution_id, dataset_id, tombstoned_at_ms });
}

public(package) fun dataset_tombstoned(
    dataset_id: address,
    dao_id: address,
    tombstoned_at_ms: u64,
) {
    event::emit(DatasetTombstoned { dataset_id, dao_id, tombstoned_at_ms });
}

public(package) fun answer_rules_set(
    dataset_id: address,
    dao_id: address,
    answer_rules: AnswerRules,
) {
    event::emit(AnswerRulesSet { dataset_id, dao_id, answer_rules });
}

public(package) fun lease_renewed(contribution_id: address, renewals: vector<LeaseRenewal>) {
    event::emit(LeaseRenewed { contribution_id, renewals });
}

public(package) fun licence_offered(offer_id: address, dao_id: address, terms: LicenceTerms) {
    event::emit(LicenceOffered { offer_id, dao_id, terms });
}

public(package) fun licence_offer_withdrawn(
    offer_id: address,
    dao_id: address,
    withdrawn_at_ms: u64,
) {
    event::emit(LicenceOfferWithdrawn { offer_id, dao_id, withdrawn_at_ms });
}

public(package) fun licence_bought(
    object: ID,
    licence_id: address,
    offer_id: address,
    dao_id: address,
    licensee: address,
    terms: LicenceTerms,
    bought_at_ms: u64,
    expires_at_ms: u64,
    payouts: vector<Payout>,
) {
    event::emit(LicenceBought {
        object,
        licence_id,
        offer_id,
        dao_id,
        licensee,
        terms,
        bought_at_ms,
        expires_at_ms,
        payouts,
    });
}
