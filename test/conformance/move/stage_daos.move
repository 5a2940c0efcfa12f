#[test_only]
/// The stage's holder sets, DAOs, their members and votes.
module usufruct::stage_daos;

use sui::test_scenario as ts;
use usufruct::{
    data_dao::{Self, Dao, PauseCap},
    dataset::Dataset,
    effect::Effect,
    governance::Governance,
    holder_set::{Self, HolderSet},
    payout_rules::PayoutRules,
    policy::{Self, Policy, RevenueSplit},
    proposal::{Self, Proposal},
    stage::{Self, Stage, COIN}
};

public fun create_holder_set(
    s: &mut Stage,
    sender: address,
    id: address,
    salt: address,
    operators: vector<address>,
    signing_keys: vector<vector<u8>>,
    sealing_keys: vector<vector<u8>>,
    threshold: u8,
) {
    s.next_tx(sender);
    let mut registry = s.take_registry();
    let ctx = s.ctx();
    holder_set::create(&mut registry, salt, operators, signing_keys, sealing_keys, threshold, ctx);
    ts::return_shared(registry);
    s.remember<HolderSet>(sender, id);
}

public fun rotate_holder_set(
    s: &mut Stage,
    sender: address,
    id: address,
    rotation: vector<u8>,
    signers: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    s.next_tx(sender);
    let registry = s.take_registry();
    let mut set: HolderSet = s.take(id);
    set.rotate(&registry, rotation, signers, signatures);
    ts::return_shared(set);
    ts::return_shared(registry);
}

public fun tombstone_holder(s: &mut Stage, sender: address, id: address, member: u8) {
    s.next_tx(sender);
    let mut set: HolderSet = s.take(id);
    set.tombstone_member(member, s.ctx());
    ts::return_shared(set);
}

public fun anchor_tree_head(
    s: &mut Stage,
    sender: address,
    id: address,
    member: u8,
    head: vector<u8>,
    signature: vector<u8>,
) {
    s.next_tx(sender);
    let mut set: HolderSet = s.take(id);
    let (scenario, clock) = s.parts();
    set.anchor_tree_head(member, head, signature, clock, scenario.ctx());
    ts::return_shared(set);
}

public fun split(contributors: u16, treasury: u16, runner: u16, protocol: u16): RevenueSplit {
    policy::revenue_split(contributors, treasury, runner, protocol)
}

public fun policy(
    price_units: u64,
    purposes: vector<vector<u8>>,
    kinds: vector<u8>,
    protections: vector<u8>,
    split: RevenueSplit,
    holder_set_id: address,
    appraisal_version: u32,
    profiles: vector<vector<u8>>,
    measurements: vector<vector<u8>>,
    result_term_ms: u64,
    threshold: u8,
    max_job_term_ms: u64,
    cancel_on_revocation: bool,
    permanent_blobs: bool,
    self_queries_pay: bool,
): Policy {
    policy::new(
        price_units,
        stage::texts(purposes),
        kinds,
        protections,
        split,
        holder_set_id,
        policy::appraisal(
            appraisal_version,
            stage::texts(profiles),
            stage::texts(measurements),
            result_term_ms,
        ),
        threshold,
        max_job_term_ms,
        cancel_on_revocation,
        permanent_blobs,
        self_queries_pay,
    )
}

public fun create_dao(
    s: &mut Stage,
    sender: address,
    id: address,
    holder_set_id: address,
    salt: address,
    policy: Policy,
    metadata_hash: address,
    governance: Governance,
    payout_rules: PayoutRules,
) {
    s.next_tx(sender);
    let mut registry = s.take_registry();
    let set: HolderSet = s.take(holder_set_id);
    let cap = data_dao::create<COIN>(
        &mut registry,
        &set,
        salt,
        policy,
        metadata_hash,
        governance,
        payout_rules,
        s.ctx(),
    );
    s.remember_cap(id, object::id(&cap));
    transfer::public_transfer(cap, sender);
    ts::return_shared(set);
    ts::return_shared(registry);
    s.remember<Dao<COIN>>(sender, id);
}

public fun set_policy(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    holder_set_id: address,
    expected_version: u32,
    policy: Policy,
) {
    s.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let set: HolderSet = s.take(holder_set_id);
    dao.set_policy(&set, expected_version, policy, s.ctx());
    ts::return_shared(set);
    ts::return_shared(dao);
}

/// With the PauseCap that the founder was given for the DAO `cap_of`.
public fun pause_dao(s: &mut Stage, founder: address, dao_id: address, cap_of: address) {
    s.next_tx(founder);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let cap = s.scenario().take_from_address_by_id<PauseCap>(founder, s.cap_of(cap_of));
    dao.pause(&cap);
    ts::return_to_address(founder, cap);
    ts::return_shared(dao);
}

public fun register_runner(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    holder_set_id: address,
    statement: vector<u8>,
    members: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    s.next_tx(sender);
    let registry = s.take_registry();
    let mut dao: Dao<COIN> = s.take(dao_id);
    let set: HolderSet = s.take(holder_set_id);
    dao.register_runner(&registry, &set, statement, members, signatures, s.clock());
    ts::return_shared(set);
    ts::return_shared(dao);
    ts::return_shared(registry);
}

public fun apply_for_membership(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    statement_hash: address,
) {
    s.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    dao.apply(statement_hash, s.ctx());
    ts::return_shared(dao);
}

public fun decide_application(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    applicant: address,
    accept: bool,
) {
    s.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    dao.decide_application(applicant, accept, s.ctx());
    ts::return_shared(dao);
}

public fun set_roles(s: &mut Stage, sender: address, dao_id: address, member: address, roles: u8) {
    s.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    dao.set_roles(member, roles, s.ctx());
    ts::return_shared(dao);
}

public fun propose(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    id: address,
    salt: address,
    effect: Effect,
    description_hash: address,
) {
    s.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let (scenario, clock) = s.parts();
    proposal::propose(&mut dao, salt, effect, description_hash, clock, scenario.ctx());
    ts::return_shared(dao);
    s.remember<Proposal>(sender, id);
}

public fun vote(s: &mut Stage, sender: address, id: address, dao_id: address, choice: u8) {
    s.next_tx(sender);
    let mut proposal: Proposal = s.take(id);
    let dao: Dao<COIN> = s.take(dao_id);
    let (scenario, clock) = s.parts();
    proposal.vote(&dao, choice, clock, scenario.ctx());
    ts::return_shared(dao);
    ts::return_shared(proposal);
}

public fun execute_proposal(
    s: &mut Stage,
    sender: address,
    id: address,
    dao_id: address,
    holder_set_id: address,
) {
    s.next_tx(sender);
    let mut proposal: Proposal = s.take(id);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let set: HolderSet = s.take(holder_set_id);
    let (scenario, clock) = s.parts();
    proposal.execute(&mut dao, &set, clock, scenario.ctx());
    ts::return_shared(set);
    ts::return_shared(dao);
    ts::return_shared(proposal);
}

/// For the effects on a dataset.
public fun execute_on_dataset(
    s: &mut Stage,
    sender: address,
    id: address,
    dao_id: address,
    dataset_id: address,
) {
    s.next_tx(sender);
    let mut proposal: Proposal = s.take(id);
    let dao: Dao<COIN> = s.take(dao_id);
    let mut dataset: Dataset = s.take(dataset_id);
    proposal.execute_on_dataset(&dao, &mut dataset, s.clock());
    ts::return_shared(dataset);
    ts::return_shared(dao);
    ts::return_shared(proposal);
}
