#[test_only]
/// A DAO with three holders, three contributors, a runner and a job, played by several senders. Names and numbers are
/// those of the generator of `fixtures`.
module usufruct::world;

use std::string::{Self, String};
use sui::{clock::{Self, Clock}, coin::{Self, Coin}, test_scenario::{Self as ts, Scenario}};
use usufruct::{
    answer_rules::{Self, AnswerRules},
    blob_reference,
    contribution,
    data_dao::{Self, Dao, PauseCap},
    dataset::{Self, Dataset},
    effect::Effect,
    fixtures::{Self, Receipt},
    governance::{Self, Governance},
    grant,
    grant_terms,
    holder_set::{Self, HolderSet},
    job::{Self, Job},
    payout_rules::{Self, PayoutRules},
    policy::{Self, Policy},
    proposal::{Self, Proposal},
    registry::{Self, PublisherCap, Registry},
    usage_receipt
};

public struct USDX has drop {}

const PUBLISHER: address = @0xd0;
const FOUNDER: address = @0xf0;
const REQUESTER: address = @0xe0;
const STRANGER: address = @0xee;
const PROTOCOL: address = @0xc0;
const PAYEE: address = @0xb0;
const SALT: address = @0x5a;
const NOW_MS: u64 = 1_800_000_000_000;
const MINUTE_MS: u64 = 60_000;
const PRICE: u64 = 1_000_001;

/// Ids of the shared objects, in order of their making.
public struct World {
    scenario: Scenario,
    clock: Clock,
    registry: ID,
    holder_sets: vector<ID>,
    daos: vector<ID>,
    datasets: vector<ID>,
    jobs: vector<ID>,
    proposals: vector<ID>,
}

// === Stages ===

/// A published package with an open registry.
public fun begin(): World {
    let mut scenario = ts::begin(PUBLISHER);
    registry::init_for_testing(scenario.ctx());
    scenario.next_tx(PUBLISHER);
    let cap = scenario.take_from_sender<PublisherCap>();
    registry::open(cap, text(b"usufruct-move-tests"), PROTOCOL, scenario.ctx());
    scenario.next_tx(PUBLISHER);
    let mut clock = clock::create_for_testing(scenario.ctx());
    clock.set_for_testing(NOW_MS);
    let registry = ts::most_recent_id_shared<Registry>().destroy_some();
    World {
        scenario,
        clock,
        registry,
        holder_sets: vector[],
        daos: vector[],
        datasets: vector[],
        jobs: vector[],
        proposals: vector[],
    }
}

/// And a holder set, a DAO and a dataset.
public fun founded(): World {
    founded_with(governance())
}

public fun founded_with(governance: Governance): World {
    let mut world = begin();
    world.create_holder_set(SALT);
    world.create_dao_with(SALT, policy(), governance);
    world.create_dataset(FOUNDER, SALT);
    world
}

/// And three contributions, accepted and granted.
public fun filled(): World {
    filled_with(governance())
}

public fun filled_with(governance: Governance): World {
    let mut world = founded_with(governance);
    let mut i = 0;
    while (i < 3) {
        world.contribute(owner(i), SALT);
        world.grant(i, SALT);
        world.decide(FOUNDER, i, true);
        i = i + 1;
    };
    world.next(FOUNDER);
    world
}

/// And a runner and a funded job of three questions and ten minutes.
public fun ready(): World {
    ready_with(governance())
}

public fun ready_with(governance: Governance): World {
    let mut world = filled_with(governance);
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    world.fund();
    world
}

public fun end(world: World) {
    let World { scenario, clock, .. } = world;
    clock.destroy_for_testing();
    scenario.end();
}

// === Who, when and what ===

public fun founder(): address {
    FOUNDER
}

public fun requester(): address {
    REQUESTER
}

public fun stranger(): address {
    STRANGER
}

public fun protocol(): address {
    PROTOCOL
}

public fun payee(): address {
    PAYEE
}

public fun salt(): address {
    SALT
}

public fun now_ms(): u64 {
    NOW_MS
}

public fun minute_ms(): u64 {
    MINUTE_MS
}

public fun price(): u64 {
    PRICE
}

public fun owner(i: u64): address {
    vector[@0xa1, @0xa2, @0xa3][i]
}

public fun text(bytes: vector<u8>): String {
    string::utf8(bytes)
}

public fun measurement(): String {
    let mut hex = vector[];
    while (hex.length() < 96) hex.append(b"ab");
    string::utf8(hex)
}

public fun other_measurement(): String {
    let mut hex = vector[];
    while (hex.length() < 96) hex.append(b"cd");
    string::utf8(hex)
}

public fun policy(): Policy {
    policy_with(PRICE, text(b"tdx"), measurement(), fixtures::holder_set_id(), 2)
}

public fun policy_with(
    price_units: u64,
    profile: String,
    measurement: String,
    holder_set_id: address,
    threshold: u8,
): Policy {
    policy::new(
        price_units,
        vector[text(b"DUO:0000042"), text(b"dpv:ResearchAndDevelopment")],
        vector[0, 2],
        vector[0, 1],
        policy::revenue_split(7_000, 2_000, 800, 200),
        holder_set_id,
        policy::appraisal(1, vector[profile], vector[measurement], 700 * MINUTE_MS),
        threshold,
        30 * MINUTE_MS,
        true,
        false,
        false,
    )
}

/// A minute to vote, two of timelock, three to execute; a fifth must vote, and most of them for it.
public fun governance(): Governance {
    governance_with(0, false)
}

public fun governance_with(voting: u8, policy_by_vote_only: bool): Governance {
    governance_of(voting, 2_000, 5_001, policy_by_vote_only)
}

public fun governance_of(
    voting: u8,
    quorum_bps: u16,
    approval_bps: u16,
    policy_by_vote_only: bool,
): Governance {
    governance::new(
        voting,
        quorum_bps,
        approval_bps,
        MINUTE_MS,
        2 * MINUTE_MS,
        3 * MINUTE_MS,
        policy_by_vote_only,
    )
}

public fun payout_rules(): PayoutRules {
    payout_rules::new(0, MINUTE_MS, 10 * MINUTE_MS, 0)
}

public fun clock_and_ctx(world: &mut World): (&Clock, &mut TxContext) {
    let World { scenario, clock, .. } = world;
    (clock, scenario.ctx())
}

public fun advance(world: &mut World, by_ms: u64) {
    world.clock.increment_for_testing(by_ms);
}

// === Objects ===

/// Begin a transaction of this sender.
public fun next(world: &mut World, sender: address) {
    world.scenario.next_tx(sender);
}

/// Ends the transaction: how many objects it created and events it emitted.
public fun measure(world: &mut World): (u64, u64) {
    let effects = world.scenario.next_tx(STRANGER);
    (effects.created().length(), effects.num_user_events())
}

public fun ctx(world: &mut World): &mut TxContext {
    world.scenario.ctx()
}

public fun take_registry(world: &World): Registry {
    world.scenario.take_shared_by_id(world.registry)
}

public fun take_holder_set(world: &World, i: u64): HolderSet {
    world.scenario.take_shared_by_id(world.holder_sets[i])
}

public fun take_dao(world: &World, i: u64): Dao<USDX> {
    world.scenario.take_shared_by_id(world.daos[i])
}

public fun take_dataset(world: &World, i: u64): Dataset {
    world.scenario.take_shared_by_id(world.datasets[i])
}

public fun take_job(world: &World, i: u64): Job<USDX> {
    world.scenario.take_shared_by_id(world.jobs[i])
}

public fun take_proposal(world: &World, i: u64): Proposal {
    world.scenario.take_shared_by_id(world.proposals[i])
}

public fun take_publisher_cap(world: &World, account: address): PublisherCap {
    world.scenario.take_from_address(account)
}

public fun take_shared<O: key>(world: &World, id: ID): O {
    world.scenario.take_shared_by_id(id)
}

/// What the sender received last.
public fun take_from_sender<O: key>(world: &World): O {
    world.scenario.take_from_sender()
}

public fun return_to_sender<O: key>(world: &World, object: O) {
    world.scenario.return_to_sender(object);
}

/// How many coins the account has, of whatever value.
public fun count_coins(world: &mut World, account: address): u64 {
    world.next(account);
    ts::ids_for_address<Coin<USDX>>(account).length()
}

/// All coins that the account has received, burnt.
public fun collect(world: &mut World, account: address): u64 {
    world.next(account);
    let ids = ts::ids_for_address<Coin<USDX>>(account);
    let mut units = 0;
    let mut i = 0;
    while (i < ids.length()) {
        units =
            units + world.scenario.take_from_address_by_id<Coin<USDX>>(account, ids[i]).burn_for_testing();
        i = i + 1;
    };
    units
}

// === Actions ===

public fun create_holder_set(world: &mut World, salt: address) {
    world.create_holder_set_with(
        salt,
        vector[@0x1a, @0x1b, @0x1c],
        fixtures::holder_keys(),
        vector[key(1), key(2), key(3)],
        2,
    );
}

public fun create_holder_set_with(
    world: &mut World,
    salt: address,
    operators: vector<address>,
    signing_keys: vector<vector<u8>>,
    sealing_keys: vector<vector<u8>>,
    threshold: u8,
) {
    world.next(FOUNDER);
    let mut registry = world.take_registry();
    let ctx = world.ctx();
    holder_set::create(&mut registry, salt, operators, signing_keys, sealing_keys, threshold, ctx);
    ts::return_shared(registry);
    world.next(FOUNDER);
    world.holder_sets.push_back(ts::most_recent_id_shared<HolderSet>().destroy_some());
}

/// 32 bytes of this value.
public fun key(byte: u8): vector<u8> {
    let mut key = vector[];
    while (key.length() < 32) key.push_back(byte);
    key
}

/// In the transaction that is going on.
public fun anchor(
    set: &mut HolderSet,
    world: &mut World,
    member: u8,
    head: vector<u8>,
    signature: vector<u8>,
) {
    let World { scenario, clock, .. } = world;
    set.anchor_tree_head(member, head, signature, clock, scenario.ctx());
}

/// Signature `i` of those given is by the member of index `signers[i]`.
public fun rotate(
    world: &mut World,
    rotation: vector<u8>,
    signers: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    world.next(STRANGER);
    let registry = world.take_registry();
    let mut set = world.take_holder_set(0);
    set.rotate(&registry, rotation, signers, signatures);
    ts::return_shared(set);
    ts::return_shared(registry);
}

public fun tombstone_member(world: &mut World, sender: address, member: u8) {
    world.next(sender);
    let mut set = world.take_holder_set(0);
    set.tombstone_member(member, world.ctx());
    ts::return_shared(set);
}

public fun create_dao(world: &mut World, salt: address, policy: Policy) {
    world.create_dao_with(salt, policy, governance());
}

public fun create_dao_with(
    world: &mut World,
    salt: address,
    policy: Policy,
    governance: Governance,
) {
    world.next(FOUNDER);
    let mut registry = world.take_registry();
    let set = world.take_holder_set(0);
    let cap = data_dao::create<USDX>(
        &mut registry,
        &set,
        salt,
        policy,
        @0x3e7a,
        governance,
        payout_rules(),
        world.ctx(),
    );
    transfer::public_transfer(cap, FOUNDER);
    ts::return_shared(set);
    ts::return_shared(registry);
    world.next(FOUNDER);
    world.daos.push_back(ts::most_recent_id_shared<Dao<USDX>>().destroy_some());
}

public fun set_policy(world: &mut World, sender: address, expected_version: u32, policy: Policy) {
    world.next(sender);
    let mut dao = world.take_dao(0);
    let set = world.take_holder_set(0);
    dao.set_policy(&set, expected_version, policy, world.ctx());
    ts::return_shared(set);
    ts::return_shared(dao);
}

public fun apply(world: &mut World, applicant: address) {
    world.next(applicant);
    let mut dao = world.take_dao(0);
    dao.apply(@0xabc, world.ctx());
    ts::return_shared(dao);
}

public fun decide_application(
    world: &mut World,
    sender: address,
    applicant: address,
    accept: bool,
) {
    world.next(sender);
    let mut dao = world.take_dao(0);
    dao.decide_application(applicant, accept, world.ctx());
    ts::return_shared(dao);
}

public fun set_roles(world: &mut World, sender: address, member: address, roles: u8) {
    world.next(sender);
    let mut dao = world.take_dao(0);
    dao.set_roles(member, roles, world.ctx());
    ts::return_shared(dao);
}

/// With the PauseCap that the founder received last.
public fun pause(world: &mut World, dao_index: u64) {
    world.next(FOUNDER);
    let mut dao = world.take_dao(dao_index);
    let cap = world.scenario.take_from_sender<PauseCap>();
    dao.pause(&cap);
    world.scenario.return_to_sender(cap);
    ts::return_shared(dao);
}

public fun propose(world: &mut World, sender: address, salt: address, effect: Effect) {
    world.next(sender);
    let mut dao = world.take_dao(0);
    let World { scenario, clock, .. } = world;
    proposal::propose(&mut dao, salt, effect, @0xde5c, clock, scenario.ctx());
    ts::return_shared(dao);
    world.next(sender);
    world.proposals.push_back(ts::most_recent_id_shared<Proposal>().destroy_some());
}

/// 0 yes, 1 no, 2 abstain.
public fun vote(world: &mut World, sender: address, proposal: u64, choice: u8) {
    world.vote_in(0, sender, proposal, choice);
}

public fun vote_in(world: &mut World, dao: u64, sender: address, proposal: u64, choice: u8) {
    world.next(sender);
    let dao = world.take_dao(dao);
    let mut proposal = world.take_proposal(proposal);
    let World { scenario, clock, .. } = world;
    proposal.vote(&dao, choice, clock, scenario.ctx());
    ts::return_shared(proposal);
    ts::return_shared(dao);
}

/// By a stranger.
public fun execute(world: &mut World, proposal: u64) {
    world.execute_with(0, 0, proposal);
}

public fun execute_with(world: &mut World, dao: u64, holder_set: u64, proposal: u64) {
    world.next(STRANGER);
    let mut dao = world.take_dao(dao);
    let set = world.take_holder_set(holder_set);
    let mut proposal = world.take_proposal(proposal);
    let World { scenario, clock, .. } = world;
    proposal.execute(&mut dao, &set, clock, scenario.ctx());
    ts::return_shared(proposal);
    ts::return_shared(set);
    ts::return_shared(dao);
    world.next(STRANGER);
}

/// Proposed by the founder, who votes for it alone; its timelock has passed. Returns its index.
public fun carry(world: &mut World, effect: Effect): u64 {
    let index = world.proposals.length();
    world.propose(FOUNDER, sui::address::from_bytes(std::bcs::to_bytes(&(index as u256))), effect);
    world.vote(FOUNDER, index, 0);
    world.advance(3 * MINUTE_MS);
    index
}

/// And executed.
public fun decide_by_vote(world: &mut World, effect: Effect) {
    let index = world.carry(effect);
    world.execute(index);
}

/// By the first two holders.
public fun register_runner(
    world: &mut World,
    statement: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    world.register_runner_with(0, statement, vector[0, 1], vector[signatures[0], signatures[1]]);
}

public fun register_runner_with(
    world: &mut World,
    holder_set: u64,
    statement: vector<u8>,
    members: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    world.next(STRANGER);
    let registry = world.take_registry();
    let set = world.take_holder_set(holder_set);
    let mut dao = world.take_dao(0);
    dao.register_runner(&registry, &set, statement, members, signatures, &world.clock);
    ts::return_shared(dao);
    ts::return_shared(set);
    ts::return_shared(registry);
}

public fun create_dataset(world: &mut World, sender: address, salt: address) {
    world.next(sender);
    let mut dao = world.take_dao(0);
    dataset::create(&mut dao, salt, @0xda7a, answer_rules(), world.ctx());
    ts::return_shared(dao);
    world.next(sender);
    world.datasets.push_back(ts::most_recent_id_shared<Dataset>().destroy_some());
}

public fun answer_rules(): AnswerRules {
    answer_rules::new(1_200, 3, 2_500)
}

public fun set_answer_rules(world: &mut World, sender: address, dao: u64, rules: AnswerRules) {
    world.next(sender);
    let dao = world.take_dao(dao);
    let mut dataset = world.take_dataset(0);
    dataset.set_answer_rules(&dao, rules, world.ctx());
    ts::return_shared(dataset);
    ts::return_shared(dao);
}

public fun contribute(world: &mut World, sender: address, salt: address) {
    world.contribute_with(
        sender,
        salt,
        1_000,
        vector[@0xb10b],
        vector[4_096],
        vector[9],
        fixtures::holder_set_id(),
        fixtures::policy_digest(),
    );
}

public fun contribute_with(
    world: &mut World,
    sender: address,
    salt: address,
    manifest_bytes: u64,
    parts: vector<address>,
    part_sizes: vector<u64>,
    part_end_epochs: vector<u32>,
    holder_set_id: address,
    policy_digest: address,
) {
    world.next(sender);
    let dao = world.take_dao(0);
    let mut dataset = world.take_dataset(0);
    contribution::register(
        &mut dataset,
        &dao,
        salt,
        @0xd16e57,
        blob_reference::new(@0x3a, manifest_bytes, 9),
        parts,
        part_sizes,
        part_end_epochs,
        holder_set_id,
        policy_digest,
        world.ctx(),
    );
    ts::return_shared(dataset);
    ts::return_shared(dao);
}

public fun decide(world: &mut World, sender: address, contribution: u64, accept: bool) {
    world.next(sender);
    let mut dao = world.take_dao(0);
    let mut dataset = world.take_dataset(0);
    let id = fixtures::contribution_ids()[contribution];
    contribution::decide(&mut dataset, &mut dao, id, accept, world.ctx());
    ts::return_shared(dataset);
    ts::return_shared(dao);
}

/// By the owner, for this price, with a budget of a thousandth of epsilon and a term of a thousand minutes.
public fun grant(world: &mut World, contribution: u64, salt: address) {
    let expires_at_ms = NOW_MS + 1_000 * MINUTE_MS;
    world.grant_with(
        owner(contribution),
        contribution,
        salt,
        b"DUO:0000042",
        0,
        0,
        PRICE,
        expires_at_ms,
    );
}

public fun grant_with(
    world: &mut World,
    sender: address,
    contribution: u64,
    salt: address,
    purpose: vector<u8>,
    kind: u8,
    protection: u8,
    price_floor_units: u64,
    expires_at_ms: u64,
) {
    world.next(sender);
    let mut dataset = world.take_dataset(0);
    let id = fixtures::contribution_ids()[contribution];
    let terms = grant_terms::new(
        vector[text(purpose)],
        vector[kind],
        vector[protection],
        price_floor_units,
        1_000,
        expires_at_ms,
    );
    let World { scenario, clock, .. } = world;
    grant::give(&mut dataset, id, salt, terms, clock, scenario.ctx());
    ts::return_shared(dataset);
}

public fun revoke(world: &mut World, sender: address, grant_id: address) {
    world.next(sender);
    let mut dataset = world.take_dataset(0);
    let World { scenario, clock, .. } = world;
    grant::revoke(&mut dataset, grant_id, clock, scenario.ctx());
    ts::return_shared(dataset);
}

public fun fund(world: &mut World) {
    world.fund_with(SALT, b"DUO:0000042", 0, 0, 1, PRICE, 3, 10 * MINUTE_MS, 3 * PRICE);
}

public fun fund_with(
    world: &mut World,
    salt: address,
    purpose: vector<u8>,
    kind: u8,
    protection: u8,
    policy_version: u32,
    price_units: u64,
    max_questions: u32,
    term_ms: u64,
    payment_units: u64,
) {
    world.next(REQUESTER);
    let mut dao = world.take_dao(0);
    let dataset = world.take_dataset(0);
    let payment = coin::mint_for_testing<USDX>(payment_units, world.ctx());
    let World { scenario, clock, .. } = world;
    job::fund(
        &mut dao,
        &dataset,
        salt,
        text(purpose),
        kind,
        protection,
        policy_version,
        price_units,
        max_questions,
        term_ms,
        key(7),
        payment,
        clock,
        scenario.ctx(),
    );
    ts::return_shared(dataset);
    ts::return_shared(dao);
    world.next(REQUESTER);
    world.jobs.push_back(ts::most_recent_id_shared<Job<USDX>>().destroy_some());
}

/// The owner retires its contribution.
public fun tombstone(world: &mut World, sender: address, contribution: u64) {
    world.next(sender);
    let mut dataset = world.take_dataset(0);
    let id = fixtures::contribution_ids()[contribution];
    let World { scenario, clock, .. } = world;
    contribution::tombstone(&mut dataset, id, clock, scenario.ctx());
    ts::return_shared(dataset);
}

/// What a vote does, without the vote.
public fun tombstone_dataset(world: &mut World) {
    world.next(STRANGER);
    let mut dataset = world.take_dataset(0);
    dataset.tombstone(&world.clock);
    ts::return_shared(dataset);
}

public fun close(world: &mut World, sender: address) {
    world.next(sender);
    let mut job = world.take_job(0);
    job.close(world.ctx());
    ts::return_shared(job);
}

public fun expire(world: &mut World) {
    world.next(STRANGER);
    let mut job = world.take_job(0);
    let World { scenario, clock, .. } = world;
    job.expire(clock, scenario.ctx());
    ts::return_shared(job);
}

public fun settle(world: &mut World, receipt: Receipt) {
    let (bytes, signature, contribution_ids, grant_ids, weights) = receipt.unpack();
    world.settle_with(bytes, signature, contribution_ids, grant_ids, weights);
}

public fun settle_with(
    world: &mut World,
    receipt: vector<u8>,
    signature: vector<u8>,
    contribution_ids: vector<address>,
    grant_ids: vector<address>,
    weights: vector<u64>,
) {
    world.next(STRANGER);
    let registry = world.take_registry();
    let mut dao = world.take_dao(0);
    let mut dataset = world.take_dataset(0);
    let mut job = world.take_job(0);
    let World { scenario, clock, .. } = world;
    usage_receipt::settle(
        &mut job,
        &mut dao,
        &mut dataset,
        &registry,
        receipt,
        signature,
        SALT,
        contribution_ids,
        grant_ids,
        weights,
        clock,
        scenario.ctx(),
    );
    ts::return_shared(job);
    ts::return_shared(dataset);
    ts::return_shared(dao);
    ts::return_shared(registry);
}

public fun seal_approve(
    world: &mut World,
    sender: address,
    id: vector<u8>,
    contribution_id: address,
    grant_id: address,
) {
    world.next(sender);
    let dao = world.take_dao(0);
    let dataset = world.take_dataset(0);
    let job = world.take_job(0);
    let World { scenario, clock, .. } = world;
    grant::seal_approve_for_testing(
        id,
        &dao,
        &dataset,
        &job,
        contribution_id,
        grant_id,
        fixtures::runner_id(),
        clock,
        scenario.ctx(),
    );
    ts::return_shared(job);
    ts::return_shared(dataset);
    ts::return_shared(dao);
}
