/// Rules that several modules share: the version of shared objects, codes, sets, keys and clocks.
module usufruct::checks;

use std::string::String;

/// The object was written by another version of this package: it has to be migrated, or the caller is outdated.
const EWrongVersion: u64 = 100;
/// A list that must hold 1 to N different values is empty, too long or repeats a value.
const ENotASet: u64 = 101;
/// A purpose is neither a DUO code (`DUO:` and seven digits) nor a DPV purpose (`dpv:` and 1 to 64 letters).
const EPurposeCode: u64 = 102;
/// A kind of computation or protection is none that the protocol knows.
const EKindCode: u64 = 103;
/// A public key is not of 32 bytes, or is all zero.
const EKeyInvalid: u64 = 104;

/// The version of every shared object that this package writes.
const VERSION: u64 = 1;
/// How far another party's clock may be ahead of the chain's, in milliseconds.
const CLOCK_SKEW_MS: u64 = 60_000;
const SET_AT_MOST: u64 = 32;
/// rag, train, stats; tee, mpc, fhe: codes 0, 1 and 2 of either.
const KINDS: u8 = 3;

public(package) fun version(): u64 {
    VERSION
}

public(package) fun assert_version(version: u64) {
    assert!(version == VERSION, EWrongVersion);
}

public(package) fun clock_skew_ms(): u64 {
    CLOCK_SKEW_MS
}

public(package) fun set_at_most(): u64 {
    SET_AT_MOST
}

public(package) fun assert_set<E>(values: &vector<E>, most: u64) {
    assert!(!values.is_empty() && values.length() <= most, ENotASet);
    let mut i = 1;
    while (i < values.length()) {
        let mut j = 0;
        while (j < i) {
            assert!(&values[i] != &values[j], ENotASet);
            j = j + 1;
        };
        i = i + 1;
    };
}

public(package) fun assert_purposes(purposes: &vector<String>) {
    assert_set(purposes, SET_AT_MOST);
    let mut i = 0;
    while (i < purposes.length()) {
        assert!(is_purpose(purposes[i].as_bytes()), EPurposeCode);
        i = i + 1;
    };
}

public(package) fun assert_kinds(kinds: &vector<u8>) {
    assert_set(kinds, SET_AT_MOST);
    let mut i = 0;
    while (i < kinds.length()) {
        assert!(kinds[i] < KINDS, EKindCode);
        i = i + 1;
    };
}

public(package) fun assert_key(key: &vector<u8>) {
    assert!(key.length() == 32 && !is_zero(key, 0), EKeyInvalid);
}

/// Whether every byte is `zero` (the byte 0, or the digit 0).
public(package) fun is_zero(bytes: &vector<u8>, zero: u8): bool {
    let mut i = 0;
    while (i < bytes.length()) {
        if (bytes[i] != zero) return false;
        i = i + 1;
    };
    true
}

fun is_purpose(code: &vector<u8>): bool {
    let length = code.length();
    if (starts_with(code, &b"DUO:")) {
        length == 11 && all_between(code, 48, 57)
    } else {
        starts_with(code, &b"dpv:") && length > 4 && length <= 68 && all_letters(code)
    }
}

/// Both prefixes have four bytes; what follows them is what these two look at.
fun all_between(code: &vector<u8>, least: u8, most: u8): bool {
    let mut i = 4;
    while (i < code.length()) {
        if (code[i] < least || code[i] > most) return false;
        i = i + 1;
    };
    true
}

fun all_letters(code: &vector<u8>): bool {
    let mut i = 4;
    while (i < code.length()) {
        let byte = code[i];
        let is_letter = (byte >= 65 && byte <= 90) || (byte >= 97 && byte <= 122);
        if (!is_letter) return false;
        i = i + 1;
    };
    true
}

public(package) fun starts_with(bytes: &vector<u8>, prefix: &vector<u8>): bool {
    if (bytes.length() < prefix.length()) return false;
    let mut i = 0;
    while (i < prefix.length()) {
        if (bytes[i] != prefix[i]) return false;
        i = i + 1;
    };
    true
}
