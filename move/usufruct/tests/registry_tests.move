#[test_only]
module usufruct::registry_tests;

use sui::test_scenario as ts;
use usufruct::{registry::{Self, PublisherCap}, world};

fun open_with(chain_id: vector<u8>) {
    let mut scenario = ts::begin(@0xd0);
    registry::init_for_testing(scenario.ctx());
    scenario.next_tx(@0xd0);
    let cap = scenario.take_from_sender<PublisherCap>();
    registry::open(cap, world::text(chain_id), @0xc0, scenario.ctx());
    scenario.end();
}

#[test]
fun a_chain_id_has_up_to_64_bytes() {
    open_with(b"4");
    open_with(b"1234567812345678123456781234567812345678123456781234567812345678");
}

#[test, expected_failure(abort_code = usufruct::registry::EChainId)]
fun a_chain_id_is_not_empty() {
    open_with(b"");
}

#[test, expected_failure(abort_code = usufruct::registry::EChainId)]
fun a_chain_id_is_not_longer() {
    open_with(b"12345678123456781234567812345678123456781234567812345678123456781");
}

#[test, expected_failure(abort_code = ts::EEmptyInventory)]
fun the_registry_is_opened_once() {
    let mut world = world::begin();
    world.next(@0xd0);
    let cap = world.take_publisher_cap(@0xd0);
    registry::open(cap, world::text(b"again"), @0xc0, world.ctx());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::registry::EIdTaken)]
fun a_dao_id_is_taken_once() {
    let mut world = world::founded();
    world.create_dao(world::salt(), world::policy());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::registry::EIdTaken)]
fun a_holder_set_id_is_taken_once() {
    let mut world = world::founded();
    world.create_holder_set(world::salt());
    world.end();
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun a_registry_of_another_version_is_refused() {
    let mut world = world::begin();
    let mut registry = world.take_registry();
    registry.set_version_for_testing(2);
    ts::return_shared(registry);
    world.create_holder_set(world::salt());
    world.end();
}
