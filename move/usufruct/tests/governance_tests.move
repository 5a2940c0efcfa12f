#[test_only]
module usufruct::governance_tests;

use std::bcs;
use usufruct::{fixtures, governance, payout_rules};

const MOST_MS: u64 = 90 * 24 * 60 * 60_000;
const MOST_CLAIM_MS: u64 = 3 * 365 * 24 * 60 * 60_000;

fun by(voting: u8, quorum_bps: u16, approval_bps: u16) {
    governance::new(voting, quorum_bps, approval_bps, 1_000, 0, 1_000, false);
}

fun within(voting_ms: u64, timelock_ms: u64, execution_ms: u64) {
    governance::new(0, 1, 5_001, voting_ms, timelock_ms, execution_ms, false);
}

#[test]
fun serialises_as_the_protocol_library_does() {
    let governance = governance::new(1, 2_001, 5_002, 1_003, 1_004, 1_005, true);
    assert!(bcs::to_bytes(&governance) == fixtures::governance());
    assert!(governance.voting() == 1 && governance.is_by_contribution());
    assert!(governance.quorum_bps() == 2_001 && governance.approval_bps() == 5_002);
    assert!(governance.voting_ms() == 1_003 && governance.timelock_ms() == 1_004);
    assert!(governance.execution_ms() == 1_005 && governance.policy_by_vote_only());
    let rules = payout_rules::new(1, 1_006, 1_007, 1);
    assert!(bcs::to_bytes(&rules) == fixtures::payout_rules());
    assert!(rules.mode() == 1 && rules.is_by_epoch() && rules.challenge_ms() == 1_006);
    assert!(rules.claim_term_ms() == 1_007 && rules.unclaimed_to() == 1);
}

#[test]
fun the_limits_are_included() {
    by(0, 1, 5_001);
    by(1, 10_000, 10_000);
    within(1_000, 0, 1_000);
    within(MOST_MS, MOST_MS, MOST_MS);
    payout_rules::new(0, 0, 1_000, 0);
    let rules = payout_rules::new(0, MOST_MS, MOST_CLAIM_MS, 1);
    assert!(!rules.is_by_epoch());
    assert!(!governance::new(0, 1, 5_001, 1_000, 0, 1_000, false).is_by_contribution());
}

#[test, expected_failure(abort_code = usufruct::governance::EVotingKind)]
fun there_are_two_kinds_of_voting() {
    by(2, 1, 5_001);
}

#[test, expected_failure(abort_code = usufruct::governance::EQuorum)]
fun somebody_must_vote() {
    by(0, 0, 5_001);
}

#[test, expected_failure(abort_code = usufruct::governance::EQuorum)]
fun no_more_than_all_can_vote() {
    by(0, 10_001, 5_001);
}

#[test, expected_failure(abort_code = usufruct::governance::EApproval)]
fun a_tie_is_no_majority() {
    by(0, 1, 5_000);
}

#[test, expected_failure(abort_code = usufruct::governance::EApproval)]
fun no_more_than_all_can_agree() {
    by(0, 1, 10_001);
}

#[test, expected_failure(abort_code = usufruct::governance::ETerm)]
fun voting_takes_a_second() {
    within(999, 0, 1_000);
}

#[test, expected_failure(abort_code = usufruct::governance::ETerm)]
fun voting_ends() {
    within(MOST_MS + 1, 0, 1_000);
}

#[test, expected_failure(abort_code = usufruct::governance::ETerm)]
fun a_timelock_ends() {
    within(1_000, MOST_MS + 1, 1_000);
}

#[test, expected_failure(abort_code = usufruct::governance::ETerm)]
fun there_is_a_second_to_execute() {
    within(1_000, 0, 999);
}

#[test, expected_failure(abort_code = usufruct::governance::ETerm)]
fun the_time_to_execute_ends() {
    within(1_000, 0, MOST_MS + 1);
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
