#[test_only]
/// What generated scenarios call: each action as one transaction of its sender, and assertions about what they left
/// behind. Objects are found by the ids that both sides derive; the test coin is minted here.
module usufruct::stage;

use std::string::{Self, String};
use sui::{balance, clock::{Self, Clock}, coin::{Self, Coin}, test_scenario::{Self as ts, Scenario}};
use usufruct::{
    blob_reference,
    contribution::{Self, Contribution},
    data_dao::{Self, Dao, PauseCap},
    dataset::{Self, Dataset},
    effect::Effect,
    epoch::{Self, Epoch},
    governance::Governance,
    grant,
    grant_terms,
    holder_set::{Self, HolderSet},
    job::{Self, Job},
    licence::{Self, Licence},
    payout_rules::PayoutRules,
    policy::{Self, Policy, RevenueSplit},
    proposal::{Self, Proposal},
    registry::{Self, PublisherCap, Registry},
    usage_receipt
};

/// The scenario names an object that it has not made: a fault of the generator.
const EUnknownObject: u64 = 9000;
/// A wallet holds something else.
const EWallet: u64 = 9001;
/// A treasury holds something else.
const ETreasury: u64 = 9002;
/// Another policy, or another version of it.
const EPolicy: u64 = 9003;
/// Somebody is a member who should not be, or the other way round.
const EMember: u64 = 9004;
/// A member has other roles.
const ERoles: u64 = 9013;
/// A member was paid something else.
const EEarned: u64 = 9014;
/// A DAO is paused that should not be, or the other way round.
const EPause: u64 = 9015;
/// There are more or fewer proposals, or one was executed or not.
const EProposal: u64 = 9016;
/// Something else was voted.
const EVotes: u64 = 9017;
/// Something else is set aside, or covered by epochs.
const EPool: u64 = 9018;
/// An epoch is in another state, holds something else, or another leaf of it was paid.
const EEpoch: u64 = 9019;
/// A runner is paid elsewhere.
const ERunner: u64 = 9005;
/// A dataset has more or fewer contributions, or one of another owner or in another state.
const EContribution: u64 = 9006;
/// A lease of a contribution's blob ends with another epoch.
const ELease: u64 = 9020;
/// An offer of licences stands that should not, or the other way round.
const EOffer: u64 = 9021;
/// Somebody has no such licence, or it is another one.
const ELicence: u64 = 9022;
/// A holder set is of another version, or has other numbers of members or signers.
const EHolderSet: u64 = 9023;
/// A dataset was retired at another time, or not.
const EDataset: u64 = 9024;
/// A signer is paid elsewhere.
const ESigner: u64 = 9025;
/// A grant was revoked at another time, or not.
const EGrant: u64 = 9007;
/// Something else is spent of a grant's budget.
const EBudget: u64 = 9008;
/// A job is in another state, or ends at another time.
const EJob: u64 = 9009;
/// A job's escrow holds something else.
const EEscrow: u64 = 9010;
/// More or fewer questions are settled, or others.
const EQuestion: u64 = 9011;
/// Another tree head is anchored, or none.
const EHead: u64 = 9012;

public struct COIN has drop {}

const PUBLISHER: address = @0xd0;

public struct Stage {
    scenario: Scenario,
    clock: Clock,
    registry: ID,
    /// Protocol id and object id of each shared object.
    ids: vector<address>,
    objects: vector<ID>,
    /// Which DAO each PauseCap is of.
    cap_daos: vector<address>,
    caps: vector<ID>,
}

public fun begin(chain_id: vector<u8>, protocol_account: address): Stage {
    let mut scenario = ts::begin(PUBLISHER);
    registry::init_for_testing(scenario.ctx());
    scenario.next_tx(PUBLISHER);
    let cap = scenario.take_from_sender<PublisherCap>();
    registry::open(cap, string::utf8(chain_id), protocol_account, scenario.ctx());
    scenario.next_tx(PUBLISHER);
    let clock = clock::create_for_testing(scenario.ctx());
    let registry = ts::most_recent_id_shared<Registry>().destroy_some();
    Stage {
        scenario,
        clock,
        registry,
        ids: vector[],
        objects: vector[],
        cap_daos: vector[],
        caps: vector[],
    }
}

public fun end(s: Stage) {
    let Stage { scenario, clock, .. } = s;
    clock.destroy_for_testing();
    scenario.end();
}

public fun at(s: &mut Stage, now_ms: u64) {
    s.clock.set_for_testing(now_ms);
}

// === Money ===

public fun mint(s: &mut Stage, to: address, units: u64) {
    s.scenario.next_tx(to);
    transfer::public_transfer(coin::mint_for_testing<COIN>(units, s.scenario.ctx()), to);
}

public fun transfer(s: &mut Stage, sender: address, to: address, units: u64) {
    let coin = s.purse(sender, units);
    transfer::public_transfer(coin, to);
}

/// Begins a transaction of the owner and takes so much out of the owner's coins.
fun purse(s: &mut Stage, owner: address, units: u64): Coin<COIN> {
    s.scenario.next_tx(owner);
    let ids = ts::ids_for_address<Coin<COIN>>(owner);
    let mut all = balance::zero<COIN>();
    let mut i = 0;
    while (i < ids.length()) {
        let coin = s.scenario.take_from_address_by_id<Coin<COIN>>(owner, ids[i]);
        all.join(coin.into_balance());
        i = i + 1;
    };
    let taken = coin::from_balance(all.split(units), s.scenario.ctx());
    transfer::public_transfer(coin::from_balance(all, s.scenario.ctx()), owner);
    taken
}

// === Holder sets and DAOs ===

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
    s.scenario.next_tx(sender);
    let mut registry = s.take_registry();
    let ctx = s.scenario.ctx();
    holder_set::create(&mut registry, salt, operators, signing_keys, sealing_keys, threshold, ctx);
    ts::return_shared(registry);
    s.remember<HolderSet>(sender, id);
}

public fun anchor_tree_head(
    s: &mut Stage,
    sender: address,
    id: address,
    member: u8,
    head: vector<u8>,
    signature: vector<u8>,
) {
    s.scenario.next_tx(sender);
    let mut set: HolderSet = s.take(id);
    set.anchor_tree_head(member, head, signature, &s.clock, s.scenario.ctx());
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
): Policy {
    policy::new(
        price_units,
        texts(purposes),
        kinds,
        protections,
        split,
        holder_set_id,
        policy::appraisal(
            appraisal_version,
            texts(profiles),
            texts(measurements),
            result_term_ms,
        ),
        threshold,
        max_job_term_ms,
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
    s.scenario.next_tx(sender);
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
        s.scenario.ctx(),
    );
    s.cap_daos.push_back(id);
    s.caps.push_back(object::id(&cap));
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
    s.scenario.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let set: HolderSet = s.take(holder_set_id);
    dao.set_policy(&set, expected_version, policy, s.scenario.ctx());
    ts::return_shared(set);
    ts::return_shared(dao);
}

/// With the PauseCap that the founder was given for the DAO `cap_of`.
public fun pause_dao(s: &mut Stage, founder: address, dao_id: address, cap_of: address) {
    s.scenario.next_tx(founder);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let cap = s.scenario.take_from_address_by_id<PauseCap>(founder, s.cap_of(cap_of));
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
    s.scenario.next_tx(sender);
    let registry = s.take_registry();
    let mut dao: Dao<COIN> = s.take(dao_id);
    let set: HolderSet = s.take(holder_set_id);
    dao.register_runner(&registry, &set, statement, members, signatures, &s.clock);
    ts::return_shared(set);
    ts::return_shared(dao);
    ts::return_shared(registry);
}

// === Members and votes ===

public fun apply_for_membership(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    statement_hash: address,
) {
    s.scenario.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    dao.apply(statement_hash, s.scenario.ctx());
    ts::return_shared(dao);
}

public fun decide_application(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    applicant: address,
    accept: bool,
) {
    s.scenario.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    dao.decide_application(applicant, accept, s.scenario.ctx());
    ts::return_shared(dao);
}

public fun set_roles(s: &mut Stage, sender: address, dao_id: address, member: address, roles: u8) {
    s.scenario.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    dao.set_roles(member, roles, s.scenario.ctx());
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
    s.scenario.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    proposal::propose(&mut dao, salt, effect, description_hash, &s.clock, s.scenario.ctx());
    ts::return_shared(dao);
    s.remember<Proposal>(sender, id);
}

public fun vote(s: &mut Stage, sender: address, id: address, dao_id: address, choice: u8) {
    s.scenario.next_tx(sender);
    let mut proposal: Proposal = s.take(id);
    let dao: Dao<COIN> = s.take(dao_id);
    proposal.vote(&dao, choice, &s.clock, s.scenario.ctx());
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
    s.scenario.next_tx(sender);
    let mut proposal: Proposal = s.take(id);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let set: HolderSet = s.take(holder_set_id);
    proposal.execute(&mut dao, &set, &s.clock, s.scenario.ctx());
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
    s.scenario.next_tx(sender);
    let mut proposal: Proposal = s.take(id);
    let dao: Dao<COIN> = s.take(dao_id);
    let mut dataset: Dataset = s.take(dataset_id);
    proposal.execute_on_dataset(&dao, &mut dataset, &s.clock);
    ts::return_shared(dataset);
    ts::return_shared(dao);
    ts::return_shared(proposal);
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
    licence::buy(
        &mut dao,
        &dataset,
        &registry,
        salt,
        offer_id,
        payment,
        &s.clock,
        s.scenario.ctx(),
    );
    ts::return_shared(dataset);
    ts::return_shared(dao);
    ts::return_shared(registry);
}

// === Data ===

public fun create_dataset(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    id: address,
    salt: address,
    metadata_hash: address,
) {
    s.scenario.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    dataset::create(&mut dao, salt, metadata_hash, s.scenario.ctx());
    ts::return_shared(dao);
    s.remember<Dataset>(sender, id);
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
    s.scenario.next_tx(sender);
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
        s.scenario.ctx(),
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
    s.scenario.next_tx(sender);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let mut dataset: Dataset = s.take(dataset_id);
    contribution::decide(&mut dataset, &mut dao, contribution_id, accept, s.scenario.ctx());
    ts::return_shared(dataset);
    ts::return_shared(dao);
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
    s.scenario.next_tx(sender);
    let mut dataset: Dataset = s.take(dataset_id);
    let terms = grant_terms::new(
        texts(purposes),
        kinds,
        protections,
        price_floor_units,
        budget_micro_epsilon,
        expires_at_ms,
    );
    grant::give(&mut dataset, contribution_id, salt, terms, &s.clock, s.scenario.ctx());
    ts::return_shared(dataset);
}

public fun revoke_grant(s: &mut Stage, sender: address, dataset_id: address, grant_id: address) {
    s.scenario.next_tx(sender);
    let mut dataset: Dataset = s.take(dataset_id);
    grant::revoke(&mut dataset, grant_id, &s.clock, s.scenario.ctx());
    ts::return_shared(dataset);
}

public fun tombstone_contribution(
    s: &mut Stage,
    sender: address,
    dataset_id: address,
    contribution_id: address,
) {
    s.scenario.next_tx(sender);
    let mut dataset: Dataset = s.take(dataset_id);
    contribution::tombstone(&mut dataset, contribution_id, &s.clock, s.scenario.ctx());
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
    s.scenario.next_tx(sender);
    let mut dataset: Dataset = s.take(dataset_id);
    let dao: Dao<COIN> = s.take(dao_id);
    let ctx = s.scenario.ctx();
    contribution::renew_lease(&mut dataset, &dao, contribution_id, blobs, end_epochs, ctx);
    ts::return_shared(dao);
    ts::return_shared(dataset);
}

public fun rotate_holder_set(
    s: &mut Stage,
    sender: address,
    id: address,
    rotation: vector<u8>,
    signers: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    s.scenario.next_tx(sender);
    let registry = s.take_registry();
    let mut set: HolderSet = s.take(id);
    set.rotate(&registry, rotation, signers, signatures);
    ts::return_shared(set);
    ts::return_shared(registry);
}

public fun tombstone_holder(s: &mut Stage, sender: address, id: address, member: u8) {
    s.scenario.next_tx(sender);
    let mut set: HolderSet = s.take(id);
    set.tombstone_member(member, s.scenario.ctx());
    ts::return_shared(set);
}

// === Jobs ===

public fun fund_job(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    dataset_id: address,
    id: address,
    salt: address,
    purpose: vector<u8>,
    kind: u8,
    protection: u8,
    policy_version: u32,
    price_units: u64,
    max_questions: u32,
    term_ms: u64,
    client_key: vector<u8>,
    payment_units: u64,
) {
    let payment = s.purse(sender, payment_units);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let dataset: Dataset = s.take(dataset_id);
    job::fund(
        &mut dao,
        &dataset,
        salt,
        string::utf8(purpose),
        kind,
        protection,
        policy_version,
        price_units,
        max_questions,
        term_ms,
        client_key,
        payment,
        &s.clock,
        s.scenario.ctx(),
    );
    ts::return_shared(dataset);
    ts::return_shared(dao);
    s.remember<Job<COIN>>(sender, id);
}

public fun settle_receipt(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    dataset_id: address,
    job_id: address,
    receipt: vector<u8>,
    signature: vector<u8>,
    uses_salt: address,
    contribution_ids: vector<address>,
    grant_ids: vector<address>,
    weights: vector<u64>,
) {
    s.scenario.next_tx(sender);
    let registry = s.take_registry();
    let mut dao: Dao<COIN> = s.take(dao_id);
    let mut dataset: Dataset = s.take(dataset_id);
    let mut job: Job<COIN> = s.take(job_id);
    usage_receipt::settle(
        &mut job,
        &mut dao,
        &mut dataset,
        &registry,
        receipt,
        signature,
        uses_salt,
        contribution_ids,
        grant_ids,
        weights,
        &s.clock,
        s.scenario.ctx(),
    );
    ts::return_shared(job);
    ts::return_shared(dataset);
    ts::return_shared(dao);
    ts::return_shared(registry);
}

public fun close_job(s: &mut Stage, sender: address, id: address) {
    s.scenario.next_tx(sender);
    let mut job: Job<COIN> = s.take(id);
    job.close(s.scenario.ctx());
    ts::return_shared(job);
}

public fun expire_job(s: &mut Stage, sender: address, id: address) {
    s.scenario.next_tx(sender);
    let mut job: Job<COIN> = s.take(id);
    job.expire(&s.clock, s.scenario.ctx());
    ts::return_shared(job);
}

// === Private payout ===

public fun settle_privately(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    dataset_id: address,
    job_id: address,
    receipt: vector<u8>,
    signature: vector<u8>,
) {
    s.scenario.next_tx(sender);
    let registry = s.take_registry();
    let mut dao: Dao<COIN> = s.take(dao_id);
    let dataset: Dataset = s.take(dataset_id);
    let mut job: Job<COIN> = s.take(job_id);
    usage_receipt::settle_privately(
        &mut job,
        &mut dao,
        &dataset,
        &registry,
        receipt,
        signature,
        &s.clock,
        s.scenario.ctx(),
    );
    ts::return_shared(job);
    ts::return_shared(dataset);
    ts::return_shared(dao);
    ts::return_shared(registry);
}

public fun propose_epoch(
    s: &mut Stage,
    sender: address,
    dao_id: address,
    holder_set_id: address,
    id: address,
    statement: vector<u8>,
    settler_signature: vector<u8>,
    members: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    s.scenario.next_tx(sender);
    let registry = s.take_registry();
    let mut dao: Dao<COIN> = s.take(dao_id);
    let set: HolderSet = s.take(holder_set_id);
    epoch::propose(
        &mut dao,
        &registry,
        &set,
        statement,
        settler_signature,
        members,
        signatures,
        &s.clock,
        s.scenario.ctx(),
    );
    ts::return_shared(set);
    ts::return_shared(dao);
    ts::return_shared(registry);
    s.remember<Epoch<COIN>>(sender, id);
}

public fun object_to_epoch(
    s: &mut Stage,
    sender: address,
    id: address,
    dao_id: address,
    holder_set_id: address,
    member: u8,
) {
    s.scenario.next_tx(sender);
    let mut epoch: Epoch<COIN> = s.take(id);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let set: HolderSet = s.take(holder_set_id);
    epoch.object(&mut dao, &set, member, &s.clock, s.scenario.ctx());
    ts::return_shared(set);
    ts::return_shared(dao);
    ts::return_shared(epoch);
}

public fun prove_equivocation(
    s: &mut Stage,
    sender: address,
    id: address,
    dao_id: address,
    statement: vector<u8>,
    settler_signature: vector<u8>,
) {
    s.scenario.next_tx(sender);
    let registry = s.take_registry();
    let mut epoch: Epoch<COIN> = s.take(id);
    let mut dao: Dao<COIN> = s.take(dao_id);
    epoch.prove_equivocation(&mut dao, &registry, statement, settler_signature, &s.clock);
    ts::return_shared(dao);
    ts::return_shared(epoch);
    ts::return_shared(registry);
}

public fun claim_payout(
    s: &mut Stage,
    sender: address,
    id: address,
    dao_id: address,
    index: u32,
    account: address,
    amount_units: u64,
    salt: address,
    proof: vector<address>,
) {
    s.scenario.next_tx(sender);
    let mut epoch: Epoch<COIN> = s.take(id);
    let mut dao: Dao<COIN> = s.take(dao_id);
    let ctx = s.scenario.ctx();
    epoch.claim(&mut dao, index, account, amount_units, salt, proof, &s.clock, ctx);
    ts::return_shared(dao);
    ts::return_shared(epoch);
}

public fun sweep_epoch(s: &mut Stage, sender: address, id: address, dao_id: address) {
    s.scenario.next_tx(sender);
    let registry = s.take_registry();
    let mut epoch: Epoch<COIN> = s.take(id);
    let mut dao: Dao<COIN> = s.take(dao_id);
    epoch.sweep(&mut dao, &registry, &s.clock, s.scenario.ctx());
    ts::return_shared(dao);
    ts::return_shared(epoch);
    ts::return_shared(registry);
}

// === What is left behind ===

/// Ends the last transaction, so that all of it can be seen.
public fun look(s: &mut Stage) {
    s.scenario.next_tx(PUBLISHER);
}

public fun assert_wallet(s: &Stage, account: address, units: u64) {
    let ids = ts::ids_for_address<Coin<COIN>>(account);
    let mut held = 0;
    let mut i = 0;
    while (i < ids.length()) {
        let coin = s.scenario.take_from_address_by_id<Coin<COIN>>(account, ids[i]);
        held = held + coin.value();
        ts::return_to_address(account, coin);
        i = i + 1;
    };
    assert!(held == units, EWallet);
}

/// Member `i` has `roles[i]` and was paid `earned_units[i]`; there are no others. Runner `j` is registered until after
/// `last_ms[j]` and paid at `pay_to[j]`.
public fun assert_dao(
    s: &Stage,
    id: address,
    treasury_units: u64,
    policy_version: u32,
    policy_digest: address,
    paused: bool,
    proposal_count: u64,
    pool_units: u64,
    covered_receipts: u64,
    members: vector<address>,
    roles: vector<u8>,
    earned_units: vector<u64>,
    runner_ids: vector<address>,
    last_ms: vector<u64>,
    pay_to: vector<address>,
) {
    let dao: Dao<COIN> = s.take(id);
    assert!(dao.treasury_units() == treasury_units, ETreasury);
    assert!(dao.policy_version() == policy_version, EPolicy);
    assert!(dao.policy_digest() == policy_digest, EPolicy);
    assert!(dao.is_paused() == paused, EPause);
    assert!(dao.proposal_count() == proposal_count, EProposal);
    assert!(dao.receipt_pool().held_units() == pool_units, EPool);
    assert!(dao.receipt_pool().covered_receipts() == covered_receipts, EPool);
    assert!(dao.member_count() == members.length(), EMember);
    let mut i = 0;
    while (i < members.length()) {
        assert!(dao.is_member(members[i]), EMember);
        assert!(dao.roles_of(members[i]) == roles[i], ERoles);
        assert!(dao.earned_of(members[i]) == earned_units[i], EEarned);
        i = i + 1;
    };
    let mut k = 0;
    while (k < runner_ids.length()) {
        assert!(dao.active_runner(runner_ids[k], last_ms[k]).pay_to() == pay_to[k], ERunner);
        k = k + 1;
    };
    ts::return_shared(dao);
}

public fun assert_proposal(
    s: &Stage,
    id: address,
    yes_votes: u64,
    no_votes: u64,
    abstain_votes: u64,
    total_votes: u64,
    executed: bool,
) {
    let proposal: Proposal = s.take(id);
    let (yes, no, abstain) = proposal.votes();
    assert!(yes == yes_votes && no == no_votes && abstain == abstain_votes, EVotes);
    assert!(proposal.total_votes() == total_votes, EVotes);
    assert!(proposal.is_executed() == executed, EProposal);
    ts::return_shared(proposal);
}

/// The licensee has one licence of this id, which is of this offer and on this dataset.
public fun assert_licence(
    s: &mut Stage,
    licensee: address,
    id: address,
    offer_id: address,
    dataset_id: address,
    bought_at_ms: u64,
    expires_at_ms: u64,
) {
    // What was looked at before is back only in the next transaction.
    s.look();
    let objects = ts::ids_for_address<Licence>(licensee);
    let mut held = 0;
    let mut i = 0;
    while (i < objects.length()) {
        let one = s.scenario.take_from_address_by_id<Licence>(licensee, objects[i]);
        if (one.licence_id() == id) {
            held = held + 1;
            assert!(one.offer_id() == offer_id && one.licensee() == licensee, ELicence);
            assert!(one.terms().dataset_id() == dataset_id, ELicence);
            assert!(one.bought_at_ms() == bought_at_ms, ELicence);
            assert!(one.expires_at_ms() == expires_at_ms, ELicence);
        };
        ts::return_to_address(licensee, one);
        i = i + 1;
    };
    assert!(held == 1, ELicence);
}

/// A receipt of kind `kinds[i]` that names its signer `named[i]` is one that the DAO knows, paid at `pay_to[i]`.
public fun assert_signers(
    s: &mut Stage,
    dao_id: address,
    kinds: vector<u8>,
    named: vector<vector<u8>>,
    pay_to: vector<address>,
) {
    // What was looked at before is back only in the next transaction.
    s.look();
    let dao: Dao<COIN> = s.take(dao_id);
    let mut i = 0;
    while (i < kinds.length()) {
        assert!(dao.signers().active(kinds[i], named[i]).pay_to() == pay_to[i], ESigner);
        i = i + 1;
    };
    ts::return_shared(dao);
}

/// Leaf `i` was paid or not as `claimed[i]` says.
public fun assert_epoch(s: &Stage, id: address, state: u8, held_units: u64, claimed: vector<bool>) {
    let epoch: Epoch<COIN> = s.take(id);
    assert!(epoch.state() == state && epoch.held_units() == held_units, EEpoch);
    let mut i = 0;
    while (i < claimed.length()) {
        assert!(epoch.is_claimed(i as u32) == claimed[i], EEpoch);
        i = i + 1;
    };
    ts::return_shared(epoch);
}

/// Contribution `i` is `contribution_ids[i]`; `end_epochs[i]` has its manifest's and then its parts'. Grant `j` is `grant_ids[j]`; a grant that is not revoked has no time in its list.
/// Licences are to be had for offer `k`, or it was withdrawn. A dataset that is not retired has no time in its list.
public fun assert_dataset(
    s: &Stage,
    id: address,
    contribution_ids: vector<address>,
    owners: vector<address>,
    accepted: vector<bool>,
    declined: vector<bool>,
    tombstoned_at_ms: vector<vector<u64>>,
    end_epochs: vector<vector<u32>>,
    grant_ids: vector<address>,
    revoked_at_ms: vector<vector<u64>>,
    spent_micro_epsilon: vector<u64>,
    offer_ids: vector<address>,
    offered: vector<bool>,
    retired_at_ms: vector<u64>,
) {
    let dataset: Dataset = s.take(id);
    assert!(times(dataset.tombstoned_at_ms()) == retired_at_ms, EDataset);
    assert!(dataset.contribution_count() == contribution_ids.length(), EContribution);
    let mut i = 0;
    while (i < contribution_ids.length()) {
        let one = contribution::borrow(&dataset, contribution_ids[i]);
        assert!(one.owner() == owners[i], EContribution);
        assert!(one.is_accepted() == accepted[i], EContribution);
        assert!(one.is_declined() == declined[i], EContribution);
        assert!(times(one.tombstoned_at_ms()) == tombstoned_at_ms[i], EContribution);
        assert!(ends_of(one) == end_epochs[i], ELease);
        i = i + 1;
    };
    let mut j = 0;
    while (j < grant_ids.length()) {
        let (revoked, spent) = grant::state_for_testing(&dataset, grant_ids[j]);
        assert!(times(revoked) == revoked_at_ms[j], EGrant);
        assert!(spent == spent_micro_epsilon[j], EBudget);
        j = j + 1;
    };
    let mut k = 0;
    while (k < offer_ids.length()) {
        assert!(licence::is_offered(&dataset, offer_ids[k]) == offered[k], EOffer);
        k = k + 1;
    };
    ts::return_shared(dataset);
}

/// When the leases of the manifest and of the parts end.
fun ends_of(contribution: &Contribution): vector<u32> {
    let mut ends = vector[contribution.manifest_blob().end_epoch()];
    let parts = contribution.parts_of();
    let mut i = 0;
    while (i < parts.length()) {
        ends.push_back(parts[i].end_epoch());
        i = i + 1;
    };
    ends
}

/// The questions are those that were settled.
public fun assert_job(
    s: &Stage,
    id: address,
    state: u8,
    escrow_units: u64,
    expires_at_ms: u64,
    question_ids: vector<address>,
) {
    let job: Job<COIN> = s.take(id);
    assert!(job.state() == state, EJob);
    assert!(job.escrow_units() == escrow_units, EEscrow);
    assert!(job.expires_at_ms() == expires_at_ms, EJob);
    assert!((job.questions_settled() as u64) == question_ids.length(), EQuestion);
    let mut i = 0;
    while (i < question_ids.length()) {
        assert!(job.is_consumed(question_ids[i]), EQuestion);
        i = i + 1;
    };
    ts::return_shared(job);
}

/// It is of this version and so many members; member `members[i]` anchored its log at `sizes[i]` with `roots[i]`, nobody else anything.
public fun assert_holder_set(
    s: &Stage,
    id: address,
    set_version: u32,
    member_count: u64,
    threshold: u8,
    members: vector<u8>,
    sizes: vector<u64>,
    roots: vector<address>,
) {
    let set: HolderSet = s.take(id);
    assert!(set.set_version() == set_version && set.member_count() == member_count, EHolderSet);
    assert!(set.threshold() == threshold, EHolderSet);
    let mut anchored = 0;
    let mut member: u8 = 0;
    while ((member as u64) < set.member_count()) {
        if (set.anchored_head(member).is_some()) anchored = anchored + 1;
        member = member + 1;
    };
    assert!(anchored == members.length(), EHead);
    let mut i = 0;
    while (i < members.length()) {
        let head = set.anchored_head(members[i]).destroy_some();
        assert!(head.tree_size() == sizes[i] && head.root_hash() == roots[i], EHead);
        i = i + 1;
    };
    ts::return_shared(set);
}

// === Objects ===

fun take<O: key>(s: &Stage, id: address): O {
    let (known, i) = s.ids.index_of(&id);
    assert!(known, EUnknownObject);
    s.scenario.take_shared_by_id(s.objects[i])
}

fun cap_of(s: &Stage, dao_id: address): ID {
    let (known, i) = s.cap_daos.index_of(&dao_id);
    assert!(known, EUnknownObject);
    s.caps[i]
}

fun take_registry(s: &Stage): Registry {
    s.scenario.take_shared_by_id(s.registry)
}

/// The object that the transaction has just shared.
fun remember<O: key>(s: &mut Stage, sender: address, id: address) {
    s.scenario.next_tx(sender);
    s.ids.push_back(id);
    s.objects.push_back(ts::most_recent_id_shared<O>().destroy_some());
}

/// None or one.
fun times(time: Option<u64>): vector<u64> {
    if (time.is_some()) vector[*time.borrow()] else vector[]
}

public fun text(bytes: vector<u8>): String {
    string::utf8(bytes)
}

public fun texts(list: vector<vector<u8>>): vector<String> {
    let mut all = vector[];
    let mut i = 0;
    while (i < list.length()) {
        all.push_back(string::utf8(list[i]));
        i = i + 1;
    };
    all
}
