#[defines_primitive(address)]
/// Addresses as bytes.
module sui::address;

/// 32 bytes to an address; aborts for any other length.
public native fun from_bytes(bytes: vector<u8>): address;

public fun to_bytes(a: address): vector<u8> {
    std::bcs::to_bytes(&a)
}
