#[test_only]
/// Proposals that the founder makes, votes for alone (one of four members is more than a fifth), and waits for.
module usufruct::votes;

use sui::test_scenario as ts;
use usufruct::{effect::Effect, proposal::{Self, Proposal}, world::{Self, World}};

/// Proposed and voted for, and its timelock has passed. Returns the proposal's object.
public fun carried(world: &mut World, salt: address, effect: Effect): ID {
    world.next(world::founder());
    let mut dao = world.take_dao(0);
    let (clock, ctx) = world.clock_and_ctx();
    proposal::propose(&mut dao, salt, effect, @0xdec, clock, ctx);
    ts::return_shared(dao);
    world.next(world::founder());
    let id = ts::most_recent_id_shared<Proposal>().destroy_some();
    let mut proposal = world.take_shared<Proposal>(id);
    let dao = world.take_dao(0);
    let (clock, ctx) = world.clock_and_ctx();
    proposal.vote(&dao, 0, clock, ctx);
    ts::return_shared(dao);
    ts::return_shared(proposal);
    world.advance(3 * world::minute_ms());
    id
}

/// By anybody, on the dataset of this index. Returns the proposal's own id.
public fun execute_on_dataset(world: &mut World, id: ID, dataset: u64): address {
    world.next(world::stranger());
    let mut proposal = world.take_shared<Proposal>(id);
    let dao = world.take_dao(0);
    let mut dataset = world.take_dataset(dataset);
    let (clock, _) = world.clock_and_ctx();
    proposal.execute_on_dataset(&dao, &mut dataset, clock);
    ts::return_shared(dataset);
    ts::return_shared(dao);
    let proposal_id = proposal.proposal_id();
    ts::return_shared(proposal);
    proposal_id
}

/// On a dataset, from the proposal to the execution.
public fun carry_on_dataset(world: &mut World, salt: address, effect: Effect): address {
    let id = carried(world, salt, effect);
    execute_on_dataset(world, id, 0)
}
