/// BLAKE2b-256: what Sui addresses are made with.
module sui::hash;

public native fun blake2b256(data: &vector<u8>): vector<u8>;
