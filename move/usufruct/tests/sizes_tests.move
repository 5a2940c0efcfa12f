#[test_only]
/// How many objects and events the calls of private payout make, measured on the VM: `tools/move/sizes.mjs` counts with
/// these. The VM counts coins and shared objects. An entry of a table is an object too on a network, and is counted there on
/// top.
module usufruct::sizes_tests;

use sui::test_scenario as ts;
use usufruct::{
    epoch_fixtures::{Self as fixtures, Leaf},
    fixtures as main_fixtures,
    private_world,
    world::{Self, World}
};

use fun private_world::take_epoch as World.take_epoch;
use fun private_world::settle_privately as World.settle_privately;
use fun claim_all as World.claim_all;

/// Claims these leaves in one transaction.
fun claim_all(world: &mut World, leaves: vector<Leaf>): (u64, u64) {
    let mut epoch = world.take_epoch();
    let mut dao = world.take_dao(0);
    let mut i = 0;
    while (i < leaves.length()) {
        let (index, account, amount_units, salt, proof) = leaves[i].open();
        let (clock, ctx) = world.clock_and_ctx();
        epoch.claim(&mut dao, index, account, amount_units, salt, proof, clock, ctx);
        i = i + 1;
    };
    ts::return_shared(dao);
    ts::return_shared(epoch);
    world.measure()
}

#[test]
/// However large the tree is.
fun a_claim_makes_a_coin_and_an_event() {
    let mut world = private_world::claimable(fixtures::statement_good());
    let (created, events) = world.claim_all(vector[fixtures::leaf_65535()]);
    assert!(created == 1 && events == 1);
    let (created, events) = world.claim_all(vector[
        fixtures::leaf_0(),
        fixtures::leaf_1(),
        fixtures::leaf_255(),
        fixtures::leaf_256(),
    ]);
    assert!(created == 4 && events == 4);
    world.end();
}

#[test]
/// Whatever the number of leaves.
fun a_proposal_makes_one_object() {
    let mut world = private_world::settled();
    world.next(world::stranger());
    let mut dao = world.take_dao(0);
    let registry = world.take_registry();
    let set = world.take_holder_set(0);
    let (bytes, settler, signatures) = fixtures::statement_good().unpack();
    let two = vector[signatures[0], signatures[1]];
    let (clock, ctx) = world.clock_and_ctx();
    usufruct::epoch::propose(
        &mut dao,
        &registry,
        &set,
        bytes,
        settler,
        vector[0, 1],
        two,
        clock,
        ctx,
    );
    ts::return_shared(set);
    ts::return_shared(registry);
    ts::return_shared(dao);
    let (created, events) = world.measure();
    assert!(created == 1 && events == 1);
    world.end();
}

#[test]
/// Coins for runner and protocol, whatever the number of uses.
fun a_private_settlement_makes_two_coins() {
    let mut world = private_world::asked();
    world.settle_privately(main_fixtures::receipt_first());
    let (created, events) = world.measure();
    assert!(created == 2 && events == 1);
    world.end();
}

#[test]
/// Coins for three contributors, runner and protocol.
fun a_direct_settlement_makes_a_coin_for_each() {
    let mut world = world::ready();
    world.advance(world::minute_ms());
    world.settle(main_fixtures::receipt_first());
    let (created, events) = world.measure();
    assert!(created == 5 && events == 1);
    world.end();
}
