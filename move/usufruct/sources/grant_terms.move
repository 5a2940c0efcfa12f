/// What a grant allows.
module usufruct::grant_terms;

use std::string::String;
use usufruct::{checks, purpose};

/// The granted purposes do not cover this one, or one of them is a restriction that cannot be checked.
const EPurposeDenied: u64 = 1150;
/// The kind of computation is not one that was granted.
const EKindDenied: u64 = 1151;
/// The protection is not one that was granted.
const EProtectionDenied: u64 = 1152;
/// The price is under the floor of the grant.
const EPriceBelowFloor: u64 = 1153;

public struct GrantTerms has copy, drop, store {
    purposes: vector<String>,
    kinds: vector<u8>,
    protections: vector<u8>,
    /// The least price of one question that this contribution may be used for.
    price_floor_units: u64,
    /// In millionths of epsilon.
    budget_micro_epsilon: u64,
    expires_at_ms: u64,
}

public fun new(
    purposes: vector<String>,
    kinds: vector<u8>,
    protections: vector<u8>,
    price_floor_units: u64,
    budget_micro_epsilon: u64,
    expires_at_ms: u64,
): GrantTerms {
    checks::assert_purposes(&purposes);
    checks::assert_kinds(&kinds);
    checks::assert_kinds(&protections);
    GrantTerms {
        purposes,
        kinds,
        protections,
        price_floor_units,
        budget_micro_epsilon,
        expires_at_ms,
    }
}

public fun budget_micro_epsilon(self: &GrantTerms): u64 {
    self.budget_micro_epsilon
}

public fun expires_at_ms(self: &GrantTerms): u64 {
    self.expires_at_ms
}

public(package) fun assert_cover(
    self: &GrantTerms,
    purpose: &String,
    kind: u8,
    protection: u8,
    price_units: u64,
) {
    assert!(purpose::cover(&self.purposes, purpose), EPurposeDenied);
    assert!(self.kinds.contains(&kind), EKindDenied);
    assert!(self.protections.contains(&protection), EProtectionDenied);
    assert!(price_units >= self.price_floor_units, EPriceBelowFloor);
}
