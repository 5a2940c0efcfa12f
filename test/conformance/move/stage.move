#[test_only]
/// What generated scenarios call, each action as one transaction of its sender: here what all of them share, in the
/// modules `stage_…` the actions of each room and the assertions about what they left behind. Objects are found by the
/// ids that both sides derive; the test coin is minted here.
module usufruct::stage;

use std::string::{Self, String};
use sui::{balance, clock::{Self, Clock}, coin::{Self, Coin}, test_scenario::{Self as ts, Scenario}};
use usufruct::registry::{Self, PublisherCap, Registry};

/// The scenario names an object that it has not made: a fault of the generator.
const EUnknownObject: u64 = 9000;

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

public fun mint(s: &mut Stage, to: address, units: u64) {
    s.scenario.next_tx(to);
    transfer::public_transfer(coin::mint_for_testing<COIN>(units, s.scenario.ctx()), to);
}

public fun transfer(s: &mut Stage, sender: address, to: address, units: u64) {
    let coin = s.purse(sender, units);
    transfer::public_transfer(coin, to);
}

/// Begins a transaction of the owner and takes so much out of the owner's coins.
public fun purse(s: &mut Stage, owner: address, units: u64): Coin<COIN> {
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

/// Ends the last transaction, so that all of it can be seen.
public fun look(s: &mut Stage) {
    s.scenario.next_tx(PUBLISHER);
}

public fun take<O: key>(s: &Stage, id: address): O {
    let (known, i) = s.ids.index_of(&id);
    assert!(known, EUnknownObject);
    s.scenario.take_shared_by_id(s.objects[i])
}

public fun cap_of(s: &Stage, dao_id: address): ID {
    let (known, i) = s.cap_daos.index_of(&dao_id);
    assert!(known, EUnknownObject);
    s.caps[i]
}

public fun take_registry(s: &Stage): Registry {
    s.scenario.take_shared_by_id(s.registry)
}

/// The object that the transaction has just shared.
public fun remember<O: key>(s: &mut Stage, sender: address, id: address) {
    s.scenario.next_tx(sender);
    s.ids.push_back(id);
    s.objects.push_back(ts::most_recent_id_shared<O>().destroy_some());
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

/// Begins a transaction of the sender.
public fun next_tx(s: &mut Stage, sender: address) {
    s.scenario.next_tx(sender);
}

public fun ctx(s: &mut Stage): &mut TxContext {
    s.scenario.ctx()
}

public fun clock(s: &Stage): &Clock {
    &s.clock
}

public fun scenario(s: &Stage): &Scenario {
    &s.scenario
}

/// For calls that need both at once.
public fun parts(s: &mut Stage): (&mut Scenario, &Clock) {
    (&mut s.scenario, &s.clock)
}

public fun remember_cap(s: &mut Stage, dao_id: address, cap: ID) {
    s.cap_daos.push_back(dao_id);
    s.caps.push_back(cap);
}
