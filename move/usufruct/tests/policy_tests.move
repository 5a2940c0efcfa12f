#[test_only]
module usufruct::policy_tests;

use std::string::String;
use usufruct::{policy, world};

fun appraisal(profile: vector<u8>, measurement: String, result_term_ms: u64) {
    policy::appraisal(1, vector[world::text(profile)], vector[measurement], result_term_ms);
}

fun hex(length: u64, digit: u8): String {
    let mut bytes = vector[];
    while (bytes.length() < length) bytes.push_back(digit);
    world::text(bytes)
}

fun terms(threshold: u8, max_job_term_ms: u64) {
    policy::new(
        1,
        vector[world::text(b"DUO:0000042")],
        vector[0],
        vector[0],
        policy::revenue_split(10_000, 0, 0, 0),
        @0x1,
        policy::appraisal(1, vector[world::text(b"snp")], vector[world::measurement()], 1),
        threshold,
        max_job_term_ms,
        true,
        false,
        false,
    );
}

#[test]
fun the_split_adds_up_to_ten_thousand() {
    assert!(policy::revenue_split(0, 10_000, 0, 0).parts_bps() == vector[0, 10_000, 0, 0]);
    assert!(policy::revenue_split(1, 2, 3, 9_994).parts_bps() == vector[1, 2, 3, 9_994]);
}

#[test, expected_failure(abort_code = usufruct::policy::ESplit)]
fun the_split_is_not_less() {
    policy::revenue_split(7_000, 2_000, 800, 199);
}

#[test, expected_failure(abort_code = usufruct::policy::ESplit)]
fun the_split_is_not_more() {
    policy::revenue_split(7_000, 2_000, 800, 201);
}

#[test, expected_failure(abort_code = usufruct::policy::ESplit)]
/// 65,535 + 10,001 = 75,536 = 10,000 + 65,536: in u16 it would wrap around to the whole.
fun the_split_does_not_wrap_around() {
    policy::revenue_split(65_535, 10_001, 0, 0);
}

#[test]
fun measurements_have_32_to_64_bytes() {
    appraisal(b"tdx+nv", hex(64, 102), 1);
    appraisal(b"nitro", hex(128, 97), 86_400_000);
    let mut digits = vector[];
    while (digits.length() < 64) digits.append(b"09af");
    appraisal(b"snp", world::text(digits), 1);
}

#[test, expected_failure(abort_code = usufruct::policy::EMeasurement)]
fun a_measurement_is_not_shorter() {
    appraisal(b"tdx", hex(62, 97), 1);
}

#[test, expected_failure(abort_code = usufruct::policy::EMeasurement)]
fun a_measurement_is_not_longer() {
    appraisal(b"tdx", hex(130, 97), 1);
}

#[test, expected_failure(abort_code = usufruct::policy::EMeasurement)]
fun a_measurement_has_whole_bytes() {
    appraisal(b"tdx", hex(65, 97), 1);
}

#[test, expected_failure(abort_code = usufruct::policy::EMeasurement)]
fun a_measurement_is_lower_case() {
    appraisal(b"tdx", hex(96, 65), 1);
}

#[test, expected_failure(abort_code = usufruct::policy::EMeasurement)]
fun a_measurement_is_hexadecimal() {
    appraisal(b"tdx", hex(96, 103), 1);
}

#[test, expected_failure(abort_code = usufruct::policy::EMeasurement)]
fun a_zero_measurement_measured_nothing() {
    appraisal(b"tdx", hex(96, 48), 1);
}

#[test, expected_failure(abort_code = usufruct::policy::EProfile)]
fun the_software_tee_is_for_the_local_chain() {
    appraisal(b"software-dev", world::measurement(), 1);
}

#[test, expected_failure(abort_code = usufruct::policy::EResultTerm)]
fun a_result_has_a_term() {
    appraisal(b"tdx", world::measurement(), 0);
}

#[test, expected_failure(abort_code = usufruct::policy::EResultTerm)]
fun a_result_is_valid_for_a_day_at_most() {
    appraisal(b"tdx", world::measurement(), 86_400_001);
}

#[test]
fun a_job_takes_up_to_an_hour() {
    terms(1, 1);
    terms(255, 3_600_000);
}

#[test, expected_failure(abort_code = usufruct::policy::EVerifierThreshold)]
fun somebody_must_verify() {
    terms(0, 1);
}

#[test, expected_failure(abort_code = usufruct::policy::EJobTerm)]
fun a_job_has_a_term() {
    terms(1, 0);
}

#[test, expected_failure(abort_code = usufruct::policy::EJobTerm)]
fun a_job_takes_no_longer() {
    terms(1, 3_600_001);
}
