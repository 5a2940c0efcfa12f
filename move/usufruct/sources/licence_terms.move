/// What a licence gives: the right to fund jobs of one kind on one dataset, until it ends.
module usufruct::licence_terms;

use std::string::String;
use usufruct::{checks, purpose};

/// The term is zero or longer than ten years.
const ETerm: u64 = 1900;

const TERM_AT_MOST_MS: u64 = 315_360_000_000;

public struct LicenceTerms has copy, drop, store {
    dataset_id: address,
    purpose: String,
    kind: u8,
    protection: u8,
    /// Once, for the whole term; each question is paid for as without a licence.
    price_units: u64,
    term_ms: u64,
}

public fun new(
    dataset_id: address,
    purpose: String,
    kind: u8,
    protection: u8,
    price_units: u64,
    term_ms: u64,
): LicenceTerms {
    checks::assert_purposes(&vector[purpose]);
    checks::assert_kinds(&vector[kind]);
    checks::assert_kinds(&vector[protection]);
    assert!(term_ms > 0 && term_ms <= TERM_AT_MOST_MS, ETerm);
    LicenceTerms { dataset_id, purpose, kind, protection, price_units, term_ms }
}

public fun dataset_id(self: &LicenceTerms): address {
    self.dataset_id
}

public fun price_units(self: &LicenceTerms): u64 {
    self.price_units
}

public fun term_ms(self: &LicenceTerms): u64 {
    self.term_ms
}

/// Whether a job of this kind is one that they are for. The purpose may be narrower than the licence's.
public fun cover(self: &LicenceTerms, purpose: &String, kind: u8, protection: u8): bool {
    self.kind == kind
        && self.protection == protection
        && purpose::cover(&vector[self.purpose], purpose)
}
