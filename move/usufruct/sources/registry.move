/// The one shared object that all DAOs have in common: which chain this is, who receives the protocol's part, and
/// which ids are taken. Its object id is the `registryId` that every receipt names.
module usufruct::registry;

use std::{string::String, type_name};
use sui::table::{Self, Table};
use usufruct::{checks, events};

/// A DAO or holder set with this id exists: a client that sends again sends the same transaction, not a new one.
const EIdTaken: u64 = 300;
/// The chain id is empty or longer than 64 bytes.
const EChainId: u64 = 301;

const CHAIN_ID_AT_MOST_BYTES: u64 = 64;

public struct Registry has key {
    id: UID,
    version: u64,
    /// What statements and receipts must name: a Move module cannot read which chain it runs on.
    chain_id: String,
    protocol_account: address,
    daos: Table<address, ID>,
    holder_sets: Table<address, ID>,
}

/// Made once, at publication. Opening the registry consumes it, so there is one registry and nobody rewrites it.
public struct PublisherCap has key {
    id: UID,
}

fun init(ctx: &mut TxContext) {
    transfer::transfer(PublisherCap { id: object::new(ctx) }, ctx.sender());
}

/// By the publisher, once. `chain_id` and `protocol_account` never change afterwards.
public fun open(
    cap: PublisherCap,
    chain_id: String,
    protocol_account: address,
    ctx: &mut TxContext,
) {
    let PublisherCap { id: cap_id } = cap;
    cap_id.delete();
    assert!(chain_id.length() > 0 && chain_id.length() <= CHAIN_ID_AT_MOST_BYTES, EChainId);
    let registry = Registry {
        id: object::new(ctx),
        version: checks::version(),
        chain_id,
        protocol_account,
        daos: table::new(ctx),
        holder_sets: table::new(ctx),
    };
    events::registry_opened(object::id(&registry), chain_id, protocol_account);
    transfer::share_object(registry);
}

public fun chain_id(self: &Registry): &String {
    &self.chain_id
}

public fun protocol_account(self: &Registry): address {
    self.protocol_account
}

/// The `packageId` that receipts name: the first version of this package, whatever version runs.
public fun package_id(): address {
    type_name::original_id<Registry>()
}

public(package) fun assert_version(self: &Registry) {
    checks::assert_version(self.version);
}

public(package) fun take_dao_id(self: &mut Registry, dao_id: address, object_id: ID) {
    assert!(!self.daos.contains(dao_id), EIdTaken);
    self.daos.add(dao_id, object_id);
}

public(package) fun take_holder_set_id(self: &mut Registry, holder_set_id: address, object_id: ID) {
    assert!(!self.holder_sets.contains(holder_set_id), EIdTaken);
    self.holder_sets.add(holder_set_id, object_id);
}

#[test_only]
public(package) fun init_for_testing(ctx: &mut TxContext) {
    init(ctx);
}

#[test_only]
public(package) fun set_version_for_testing(self: &mut Registry, version: u64) {
    self.version = version;
}
