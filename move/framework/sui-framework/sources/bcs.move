/// Reading of canonical serialisation, field by field. The bytes are kept in reverse, so that reading is popping.
module sui::bcs;

use sui::address;

/// There are fewer bytes than the type needs.
const EOutOfRange: u64 = 0;
/// A length does not fit four bytes of ULEB128.
const ELenOutOfRange: u64 = 2;

public struct BCS has copy, drop, store {
    bytes: vector<u8>,
}

public fun new(mut bytes: vector<u8>): BCS {
    bytes.reverse();
    BCS { bytes }
}

public fun into_remainder_bytes(bcs: BCS): vector<u8> {
    let BCS { mut bytes } = bcs;
    bytes.reverse();
    bytes
}

public fun peel_address(bcs: &mut BCS): address {
    assert!(bcs.bytes.length() >= 32, EOutOfRange);
    let mut bytes = vector[];
    while (bytes.length() < 32) bytes.push_back(bcs.bytes.pop_back());
    address::from_bytes(bytes)
}

public fun peel_u8(bcs: &mut BCS): u8 {
    assert!(bcs.bytes.length() >= 1, EOutOfRange);
    bcs.bytes.pop_back()
}

public fun peel_u32(bcs: &mut BCS): u32 {
    assert!(bcs.bytes.length() >= 4, EOutOfRange);
    let (mut value, mut shift) = (0, 0u8);
    while (shift < 32) {
        value = value + ((bcs.bytes.pop_back() as u32) << shift);
        shift = shift + 8;
    };
    value
}

public fun peel_u64(bcs: &mut BCS): u64 {
    assert!(bcs.bytes.length() >= 8, EOutOfRange);
    let (mut value, mut shift) = (0, 0u8);
    while (shift < 64) {
        value = value + ((bcs.bytes.pop_back() as u64) << shift);
        shift = shift + 8;
    };
    value
}

public fun peel_vec_length(bcs: &mut BCS): u64 {
    let (mut total, mut shift, mut count) = (0u64, 0u8, 0u8);
    loop {
        assert!(count < 4, ELenOutOfRange);
        let byte = bcs.peel_u8() as u64;
        count = count + 1;
        total = total | ((byte & 0x7f) << shift);
        if (byte & 0x80 == 0) return total;
        shift = shift + 7;
    }
}

public fun peel_vec_u8(bcs: &mut BCS): vector<u8> {
    let length = bcs.peel_vec_length();
    let mut bytes = vector[];
    while (bytes.length() < length) bytes.push_back(bcs.peel_u8());
    bytes
}
