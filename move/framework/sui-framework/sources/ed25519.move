/// Signatures over Curve25519.
module sui::ed25519;

/// False for anything that is not a valid signature, wrong lengths included.
public native fun ed25519_verify(
    signature: &vector<u8>,
    public_key: &vector<u8>,
    msg: &vector<u8>,
): bool;
