/// The transaction being executed. The VM keeps its data; the struct's fields are read by nobody but the tests.
module sui::tx_context;

#[allow(unused_field)]
public struct TxContext has drop {
    sender: address,
    tx_hash: vector<u8>,
    epoch: u64,
    epoch_timestamp_ms: u64,
    ids_created: u64,
}

public fun sender(_self: &TxContext): address {
    native_sender()
}

native fun native_sender(): address;

public fun fresh_object_address(_ctx: &mut TxContext): address {
    fresh_id()
}

native fun fresh_id(): address;

public fun epoch(_self: &TxContext): u64 {
    native_epoch()
}

native fun native_epoch(): u64;

public fun epoch_timestamp_ms(_self: &TxContext): u64 {
    native_epoch_timestamp_ms()
}

native fun native_epoch_timestamp_ms(): u64;

#[test_only]
/// A context whose transaction hash is `hint`, so that scenarios make other ids in each transaction.
public fun new_from_hint(
    addr: address,
    hint: u64,
    epoch: u64,
    epoch_timestamp_ms: u64,
    ids_created: u64,
): TxContext {
    let mut tx_hash = std::bcs::to_bytes(&hint);
    while (tx_hash.length() < 32) tx_hash.push_back(0);
    replace(
        addr,
        tx_hash,
        epoch,
        epoch_timestamp_ms,
        ids_created,
        native_rgp(),
        native_gas_price(),
        native_gas_budget(),
        vector[],
    );
    TxContext { sender: @0x0, tx_hash, epoch: 0, epoch_timestamp_ms: 0, ids_created: 0 }
}

#[test_only]
public fun dummy(): TxContext {
    new_from_hint(@0x0, 0, 0, 0, 0)
}

#[test_only]
native fun native_rgp(): u64;

#[test_only]
native fun native_gas_price(): u64;

#[test_only]
native fun native_gas_budget(): u64;

#[test_only]
native fun replace(
    sender: address,
    tx_hash: vector<u8>,
    epoch: u64,
    epoch_timestamp_ms: u64,
    ids_created: u64,
    rgp: u64,
    gas_price: u64,
    gas_budget: u64,
    sponsor: vector<address>,
);
