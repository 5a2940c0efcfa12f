#[test_only]
module usufruct::checks_tests;

use usufruct::{checks, world};

#[test]
fun purposes_are_duo_and_dpv_codes() {
    checks::assert_purposes(
        &vector[world::text(b"DUO:0000042"), world::text(b"dpv:AZaz"), world::text(b"DUO:0123789")],
    );
    let mut longest = b"dpv:";
    while (longest.length() < 68) longest.push_back(122);
    checks::assert_purposes(&vector[world::text(longest)]);
}

#[test, expected_failure(abort_code = usufruct::checks::EPurposeCode)]
fun a_duo_code_has_seven_digits() {
    checks::assert_purposes(&vector[world::text(b"DUO:000004")]);
}

#[test, expected_failure(abort_code = usufruct::checks::EPurposeCode)]
fun a_duo_code_has_digits_only() {
    checks::assert_purposes(&vector[world::text(b"DUO:000004x")]);
}

#[test, expected_failure(abort_code = usufruct::checks::EPurposeCode)]
fun a_dpv_purpose_has_letters_only() {
    checks::assert_purposes(&vector[world::text(b"dpv:Research1")]);
}

#[test, expected_failure(abort_code = usufruct::checks::EPurposeCode)]
fun a_dpv_purpose_is_not_empty() {
    checks::assert_purposes(&vector[world::text(b"dpv:")]);
}

#[test, expected_failure(abort_code = usufruct::checks::EPurposeCode)]
fun a_dpv_purpose_has_64_letters_at_most() {
    let mut long = b"dpv:";
    while (long.length() < 69) long.push_back(122);
    checks::assert_purposes(&vector[world::text(long)]);
}

#[test, expected_failure(abort_code = usufruct::checks::EPurposeCode)]
fun another_prefix_is_no_purpose() {
    checks::assert_purposes(&vector[world::text(b"duo:0000042")]);
}

#[test, expected_failure(abort_code = usufruct::checks::EPurposeCode)]
fun a_short_text_is_no_purpose() {
    checks::assert_purposes(&vector[world::text(b"dp")]);
}

#[test, expected_failure(abort_code = usufruct::checks::ENotASet)]
fun a_set_is_not_empty() {
    checks::assert_purposes(&vector[]);
}

#[test, expected_failure(abort_code = usufruct::checks::ENotASet)]
fun a_set_repeats_nothing() {
    checks::assert_set(&vector[1u8, 2, 3, 1], 32);
}

#[test]
fun a_set_may_be_full() {
    checks::assert_set(&vector[1u8, 2, 3], 3);
}

#[test, expected_failure(abort_code = usufruct::checks::ENotASet)]
fun a_set_has_a_limit() {
    checks::assert_set(&vector[1u8, 2, 3], 2);
}

#[test]
fun there_are_three_kinds() {
    checks::assert_kinds(&vector[2, 0, 1]);
}

#[test, expected_failure(abort_code = usufruct::checks::EKindCode)]
fun there_is_no_fourth_kind() {
    checks::assert_kinds(&vector[0, 3]);
}

#[test, expected_failure(abort_code = usufruct::checks::EKeyInvalid)]
fun a_key_is_not_zero() {
    checks::assert_key(&world::key(0));
}

#[test, expected_failure(abort_code = usufruct::checks::EKeyInvalid)]
fun a_key_has_32_bytes() {
    checks::assert_key(&b"1234567890123456789012345678901");
}

#[test, expected_failure(abort_code = usufruct::checks::EWrongVersion)]
fun another_version_is_refused() {
    checks::assert_version(checks::version() + 1);
}

#[test, expected_failure(abort_code = usufruct::blob_reference::EBlobSize)]
fun a_blob_is_not_empty() {
    usufruct::blob_reference::new(@0x1, 0, 9);
}
