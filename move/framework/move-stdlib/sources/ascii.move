/// Text in which every byte is below 128.
module std::ascii;

/// A byte is not ASCII.
const EInvalidASCIICharacter: u64 = 0x10000;

public struct String has copy, drop, store {
    bytes: vector<u8>,
}

public fun string(bytes: vector<u8>): String {
    let mut i = 0;
    while (i < bytes.length()) {
        assert!(bytes[i] < 128, EInvalidASCIICharacter);
        i = i + 1;
    };
    String { bytes }
}

public fun as_bytes(string: &String): &vector<u8> {
    &string.bytes
}

public fun into_bytes(string: String): vector<u8> {
    let String { bytes } = string;
    bytes
}
