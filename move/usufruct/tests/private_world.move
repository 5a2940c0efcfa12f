#[test_only]
/// The world of `world` with a DAO that pays in epochs: a window of a minute, claims for ten, the rest to the treasury.
module usufruct::private_world;

use sui::test_scenario as ts;
use usufruct::{
    epoch::{Self, Epoch},
    epoch_fixtures::{Self, Leaf, Statement},
    fixtures::{Self, Receipt},
    payout_rules,
    usage_receipt,
    world::{Self, World, USDX}
};

const EPOCH: u8 = 1;

/// Contributions, a runner and a funded job whose receipts can be settled privately: one minute after its funding, when
/// the fixtures' receipts and statements are issued.
public fun asked(): World {
    asked_with(0)
}

/// What nobody claims goes to the treasury (0) or to the protocol (1).
public fun asked_with(unclaimed_to: u8): World {
    let mut world = world::filled();
    world.set_rules(EPOCH, world::minute_ms(), unclaimed_to);
    world.register_runner(fixtures::statement_good(), fixtures::statement_good_signatures());
    world.fund();
    world.advance(world::minute_ms());
    world
}

/// And two receipts, of the first two questions.
public fun settled(): World {
    settled_with(0)
}

public fun settled_with(unclaimed_to: u8): World {
    let mut world = asked_with(unclaimed_to);
    world.settle_privately(fixtures::receipt_first());
    world.settle_privately(fixtures::receipt_second());
    world
}

/// And an epoch over both, by the settler and the first two holders.
public fun proposed(statement: Statement): World {
    let mut world = settled();
    world.propose_epoch(statement);
    world
}

/// And claims from now on.
public fun claimable(statement: Statement): World {
    let mut world = proposed(statement);
    world.advance(world::minute_ms());
    world
}

use fun set_rules as World.set_rules;

public fun set_rules(world: &mut World, mode: u8, challenge_ms: u64, unclaimed_to: u8) {
    world.next(world::founder());
    let mut dao = world.take_dao(0);
    let claim_term_ms = 10 * world::minute_ms();
    dao.set_payout_rules(payout_rules::new(mode, challenge_ms, claim_term_ms, unclaimed_to));
    ts::return_shared(dao);
}

use fun settle_privately as World.settle_privately;

public fun settle_privately(world: &mut World, receipt: Receipt) {
    let (bytes, signature, _, _, _) = receipt.unpack();
    world.settle_bytes(bytes, signature);
}

use fun settle_bytes as World.settle_bytes;

/// Acknowledged by the first two holders.
public fun settle_bytes(world: &mut World, receipt: vector<u8>, signature: vector<u8>) {
    let acks = epoch_fixtures::acknowledgements(receipt);
    world.settle_with(0, receipt, signature, vector[0, 1], vector[acks[0], acks[1]]);
}

use fun settle_with as World.settle_with;

public fun settle_with(
    world: &mut World,
    holder_set: u64,
    receipt: vector<u8>,
    signature: vector<u8>,
    members: vector<u8>,
    acknowledgements: vector<vector<u8>>,
) {
    world.next(world::stranger());
    let registry = world.take_registry();
    let set = world.take_holder_set(holder_set);
    let mut dao = world.take_dao(0);
    let dataset = world.take_dataset(0);
    let mut job = world.take_job(0);
    let (clock, ctx) = world.clock_and_ctx();
    usage_receipt::settle_privately(
        &mut job,
        &mut dao,
        &dataset,
        &registry,
        &set,
        receipt,
        signature,
        members,
        acknowledgements,
        clock,
        ctx,
    );
    ts::return_shared(job);
    ts::return_shared(dataset);
    ts::return_shared(dao);
    ts::return_shared(set);
    ts::return_shared(registry);
}

use fun propose_epoch as World.propose_epoch;

/// By a stranger, with the signatures of the first two holders.
public fun propose_epoch(world: &mut World, statement: Statement) {
    let (bytes, settler, signatures) = statement.unpack();
    world.propose_epoch_with(0, bytes, settler, vector[0, 1], vector[signatures[0], signatures[1]]);
}

use fun propose_epoch_with as World.propose_epoch_with;

public fun propose_epoch_with(
    world: &mut World,
    holder_set: u64,
    statement: vector<u8>,
    settler_signature: vector<u8>,
    members: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    world.next(world::stranger());
    let registry = world.take_registry();
    let set = world.take_holder_set(holder_set);
    let mut dao = world.take_dao(0);
    let (clock, ctx) = world.clock_and_ctx();
    epoch::propose(
        &mut dao,
        &registry,
        &set,
        statement,
        settler_signature,
        members,
        signatures,
        clock,
        ctx,
    );
    ts::return_shared(dao);
    ts::return_shared(set);
    ts::return_shared(registry);
    world.next(world::stranger());
}

use fun take_epoch as World.take_epoch;

/// The one that was proposed last.
public fun take_epoch(world: &mut World): Epoch<USDX> {
    world.next(world::stranger());
    let id = ts::most_recent_id_shared<Epoch<USDX>>().destroy_some();
    world.take_shared(id)
}

public fun object_to_epoch(world: &mut World, sender: address, member: u8) {
    world.object_to_epoch_with(sender, 0, member);
}

use fun object_to_epoch_with as World.object_to_epoch_with;

public fun object_to_epoch_with(world: &mut World, sender: address, holder_set: u64, member: u8) {
    let mut epoch = world.take_epoch();
    world.next(sender);
    let set = world.take_holder_set(holder_set);
    let mut dao = world.take_dao(0);
    let (clock, ctx) = world.clock_and_ctx();
    epoch.object(&mut dao, &set, member, clock, ctx);
    ts::return_shared(dao);
    ts::return_shared(set);
    ts::return_shared(epoch);
}

public fun equivocate(world: &mut World, statement: Statement) {
    let (bytes, settler, _) = statement.unpack();
    world.equivocate_with(bytes, settler);
}

use fun equivocate_with as World.equivocate_with;

public fun equivocate_with(world: &mut World, statement: vector<u8>, signature: vector<u8>) {
    let mut epoch = world.take_epoch();
    let registry = world.take_registry();
    let mut dao = world.take_dao(0);
    let (clock, _) = world.clock_and_ctx();
    epoch.prove_equivocation(&mut dao, &registry, statement, signature, clock);
    ts::return_shared(dao);
    ts::return_shared(registry);
    ts::return_shared(epoch);
}

public fun claim(world: &mut World, leaf: Leaf) {
    let (index, account, amount_units, salt, proof) = leaf.open();
    world.claim_with(0, index, account, amount_units, salt, proof);
}

use fun claim_with as World.claim_with;

public fun claim_with(
    world: &mut World,
    dao_index: u64,
    index: u32,
    account: address,
    amount_units: u64,
    salt: address,
    proof: vector<address>,
) {
    let mut epoch = world.take_epoch();
    let mut dao = world.take_dao(dao_index);
    let (clock, ctx) = world.clock_and_ctx();
    epoch.claim(&mut dao, index, account, amount_units, salt, proof, clock, ctx);
    ts::return_shared(dao);
    ts::return_shared(epoch);
}

public fun sweep(world: &mut World) {
    let mut epoch = world.take_epoch();
    let registry = world.take_registry();
    let mut dao = world.take_dao(0);
    let (clock, ctx) = world.clock_and_ctx();
    epoch.sweep(&mut dao, &registry, clock, ctx);
    ts::return_shared(dao);
    ts::return_shared(registry);
    ts::return_shared(epoch);
}

/// What the pool holds now.
public fun pooled(world: &mut World): u64 {
    world.next(world::stranger());
    let dao = world.take_dao(0);
    let units = dao.receipt_pool().held_units();
    ts::return_shared(dao);
    units
}

public fun treasury(world: &mut World): u64 {
    world.next(world::stranger());
    let dao = world.take_dao(0);
    let units = dao.treasury_units();
    ts::return_shared(dao);
    units
}

/// 0 open, 1 rejected, 2 swept.
public fun epoch_state(world: &mut World): u8 {
    let epoch = world.take_epoch();
    let state = epoch.state();
    ts::return_shared(epoch);
    state
}

/// The operator of this member of the holder set.
public fun operator(i: u64): address {
    vector[@0x1a, @0x1b, @0x1c][i]
}

/// A single leaf of all there is.
public fun single(): Statement {
    epoch_fixtures::statement_single()
}
