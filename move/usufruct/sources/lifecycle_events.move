/// Events of what lasts and what ends: rotations, tombstones, leases and licences. The same rules as for `events`: the
/// names and fields are those of the protocol library's chain events, and a projection can be rebuilt from them.
module usufruct::lifecycle_events;

use sui::event;

public struct HolderSetRotated has copy, drop {
    holder_set_id: address,
    version: u32,
    operators: vector<address>,
    signing_public_keys: vector<vector<u8>>,
    sealing_public_keys: vector<vector<u8>>,
    threshold: u8,
}

public struct HolderTombstoned has copy, drop {
    holder_set_id: address,
    member: u8,
    signing_public_key: vector<u8>,
}

public(package) fun holder_set_rotated(
    holder_set_id: address,
    version: u32,
    operators: vector<address>,
    signing_public_keys: vector<vector<u8>>,
    sealing_public_keys: vector<vector<u8>>,
    threshold: u8,
) {
    event::emit(HolderSetRotated {
        holder_set_id,
        version,
        operators,
        signing_public_keys,
        sealing_public_keys,
        threshold,
    });
}

public(package) fun holder_tombstoned(
    holder_set_id: address,
    member: u8,
    signing_public_key: vector<u8>,
) {
    event::emit(HolderTombstoned { holder_set_id, member, signing_public_key });
}
