#[test_only]
module usufruct::payout_rules_tests;

use std::bcs;
use usufruct::{governance_fixtures, payout_rules};

const MOST_MS: u64 = 90 * 24 * 60 * 60_000;
const MOST_CLAIM_MS: u64 = 3 * 365 * 24 * 60 * 60_000;

#[test]
fun serialises_as_the_protocol_library_does() {
    let rules = payout_rules::new(1, 1_006, 1_007, 1);
    assert!(bcs::to_bytes(&rules) == governance_fixtures::payout_rules());
    assert!(rules.mode() == 1 && rules.is_by_epoch() && rules.challenge_ms() == 1_006);
    assert!(rules.claim_term_ms() == 1_007 && rules.unclaimed_to() == 1);
}

#[test]
fun the_limits_are_included() {
    payout_rules::new(0, 0, 1_000, 0);
    let rules = payout_rules::new(0, MOST_MS, MOST_CLAIM_MS, 1);
    assert!(!rules.is_by_epoch());
}

#[test, expected_failure(abort_code = usufruct::payout_rules::EPayoutMode)]
fun there_are_two_modes_of_payout() {
    payout_rules::new(2, 0, 1_000, 0);
}

#[test, expected_failure(abort_code = usufruct::payout_rules::EChallengeTerm)]
fun a_challenge_window_ends() {
    payout_rules::new(0, MOST_MS + 1, 1_000, 0);
}

#[test, expected_failure(abort_code = usufruct::payout_rules::EClaimTerm)]
fun there_is_a_second_to_claim() {
    payout_rules::new(0, 0, 999, 0);
}

#[test, expected_failure(abort_code = usufruct::payout_rules::EClaimTerm)]
fun the_time_to_claim_ends() {
    payout_rules::new(0, 0, MOST_CLAIM_MS + 1, 0);
}

#[test, expected_failure(abort_code = usufruct::payout_rules::EUnclaimedTo)]
fun unclaimed_money_goes_to_one_of_two() {
    payout_rules::new(0, 0, 1_000, 2);
}
