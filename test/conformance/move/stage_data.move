#[test_only]
/// The stage's datasets, contributions, grants and licences.
module usufruct::stage_data;

use sui::test_scenario as ts;
use usufruct::{
    answer_rules::{Self, AnswerRules},
    blob_reference,
    contribution,
    data_dao::Dao,
    dataset::{Self, Dataset},
    grant,
    grant_terms,
    licence,
    stage::{Self, Stage, COIN}
};

public fun create_dataset(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    id: address,
    salt: address,
    metadata_hash: address,
    answer_rules: AnswerRules,
) {
    s.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    dataset::create(&mut dao, salt, metadata_hash, answer_rules, s.ctx());
    ts::return_shared(dao);
    s.remember<Dataset>(sender, id);
}

public fun rules(max_quote_chars: u32, min_contributors: u16, max_reach_bps: u16): AnswerRules {
    answer_rules::new(max_quote_chars, min_contributors, max_reach_bps)
}

public fun set_answer_rules(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    dataset_id: address,
    answer_rules: AnswerRules,
) {
    s.next_tx(sender);
    let dao: Dao<COIN> = s.take(dao_id);
    let mut dataset: Dataset = s.take(dataset_id);
    dataset.set_answer_rules(&dao, answer_rules, s.ctx());
    ts::return_shared(dataset);
    ts::return_shared(dao);
}

public fun register_contribution(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    dataset_id: address,
    salt: address,
    manifest_digest: address,
    manifest_blob: address,
    manifest_bytes: u64,
    manifest_end_epoch: u32,
    part_blobs: vector<address>,
    part_sizes: vector<u64>,
    part_end_epochs: vector<u32>,
    holder_set_id: address,
    policy_digest: address,
) {
    s.next_tx(sender);
    let dao: Dao<COIN> = s.take(dao_id);
    let mut dataset: Dataset = s.take(dataset_id);
    contribution::register(
        &mut dataset,
        &dao,
        salt,
        manifest_digest,
        blob_reference::new(manifest_blob, manifest_bytes, manifest_end_epoch),
        part_blobs,
        part_sizes,
        part_end_epochs,
        holder_set_id,
        policy_digest,
        s.ctx(),
    );
    ts::return_shared(dataset);
    ts::return_shared(dao);
}

public fun decide_contribution(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    dataset_id: address,
    contribution_id: address,
    accept: bool,
) {
    s.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let mut dataset: Dataset = s.take(dataset_id);
    contribution::decide(&mut dataset, &mut dao, contribution_id, accept, s.ctx());
    ts::return_shared(dataset);
    ts::return_shared(dao);
}

public fun tombstone_contribution(
    s: &mut Stage,
    sender: address,
    dataset_id: address,
    contribution_id: address,
) {
    s.next_tx(sender);
    let mut dataset: Dataset = s.take(dataset_id);
    let (scenario, clock) = s.parts();
    contribution::tombstone(&mut dataset, contribution_id, clock, scenario.ctx());
    ts::return_shared(dataset);
}

public fun renew_lease(
    s: &mut Stage,
    sender: address,
    dataset_id: address,
    dao_id: address,
    contribution_id: address,
    blobs: vector<address>,
    end_epochs: vector<u32>,
) {
    s.next_tx(sender);
    let mut dataset: Dataset = s.take(dataset_id);
    let dao: Dao<COIN> = s.take(dao_id);
    let ctx = s.ctx();
    contribution::renew_lease(&mut dataset, &dao, contribution_id, blobs, end_epochs, ctx);
    ts::return_shared(dao);
    ts::return_shared(dataset);
}

public fun give_grant(
    s: &mut Stage,
    sender: address,
    dataset_id: address,
    contribution_id: address,
    salt: address,
    purposes: vector<vector<u8>>,
    kinds: vector<u8>,
    protections: vector<u8>,
    price_floor_units: u64,
    budget_micro_epsilon: u64,
    expires_at_ms: u64,
) {
    s.next_tx(sender);
    let mut dataset: Dataset = s.take(dataset_id);
    let terms = grant_terms::new(
        stage::texts(purposes),
        kinds,
        protections,
        price_floor_units,
        budget_micro_epsilon,
        expires_at_ms,
    );
    let (scenario, clock) = s.parts();
    grant::give(&mut dataset, contribution_id, salt, terms, clock, scenario.ctx());
    ts::return_shared(dataset);
}

public fun revoke_grant(s: &mut Stage, sender: address, dataset_id: address, grant_id: address) {
    s.next_tx(sender);
    let mut dataset: Dataset = s.take(dataset_id);
    let (scenario, clock) = s.parts();
    grant::revoke(&mut dataset, grant_id, clock, scenario.ctx());
    ts::return_shared(dataset);
}

public fun buy_licence(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    dataset_id: address,
    salt: address,
    offer_id: address,
    payment_units: u64,
) {
    let payment = s.purse(sender, payment_units);
    let registry = s.take_registry();
    let mut dao: Dao<COIN> = s.take(dao_id);
    let dataset: Dataset = s.take(dataset_id);
    let (scenario, clock) = s.parts();
    licence::buy(
        &mut dao,
        &dataset,
        &registry,
        salt,
        offer_id,
        payment,
        clock,
        scenario.ctx(),
    );
    ts::return_shared(dataset);
    ts::return_shared(dao);
    ts::return_shared(registry);
}
