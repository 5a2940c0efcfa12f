#[test_only]
module usufruct::governance_tests;

use std::bcs;
use usufruct::{governance, governance_fixtures};

const MOST_MS: u64 = 90 * 24 * 60 * 60_000;

fun by(voting: u8, quorum_bps: u16, approval_bps: u16) {
    governance::new(voting, quorum_bps, approval_bps, 1_000, 0, 1_000, false);
}

fun within(voting_ms: u64, timelock_ms: u64, execution_ms: u64) {
    governance::new(0, 1, 5_001, voting_ms, timelock_ms, execution_ms, false);
}

#[test]
fun serialises_as_the_protocol_library_does() {
    let governance = governance::new(1, 2_001, 5_002, 1_003, 1_004, 1_005, true);
    assert!(bcs::to_bytes(&governance) == governance_fixtures::governance());
    assert!(governance.voting() == 1 && governance.is_by_contribution());
    assert!(governance.quorum_bps() == 2_001 && governance.approval_bps() == 5_002);
    assert!(governance.voting_ms() == 1_003 && governance.timelock_ms() == 1_004);
    assert!(governance.execution_ms() == 1_005 && governance.policy_by_vote_only());
}

#[test]
fun the_limits_are_included() {
    by(0, 1, 5_001);
    by(1, 10_000, 10_000);
    within(1_000, 0, 1_000);
    within(MOST_MS, MOST_MS, MOST_MS);
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
