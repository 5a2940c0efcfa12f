#[test_only]
module usufruct::purpose_tests;

use std::string::String;
use usufruct::{fixtures, purpose, world};

const COVERED: u8 = 49; // the digit 1

/// That each known code, granted with these others, covers the asked codes of its row and nothing else.
fun assert_covered(others: vector<vector<u8>>, rows: vector<vector<u8>>) {
    let codes = texts(fixtures::purpose_codes());
    assert!(codes.length() > 30 && rows.length() == codes.length());
    let mut i = 0;
    while (i < rows.length()) {
        assert!(rows[i].length() == codes.length());
        let mut granted = texts(others);
        granted.push_back(codes[i]);
        let mut j = 0;
        while (j < codes.length()) {
            assert!(purpose::cover(&granted, &codes[j]) == (rows[i][j] == COVERED), i * 1_000 + j);
            j = j + 1;
        };
        i = i + 1;
    };
}

fun texts(codes: vector<vector<u8>>): vector<String> {
    let mut texts = vector[];
    let mut i = 0;
    while (i < codes.length()) {
        texts.push_back(world::text(codes[i]));
        i = i + 1;
    };
    texts
}

#[test]
/// The code that a failure aborts with is 1,000 times the granted code's index, and the asked one's.
fun one_purpose_covers_what_the_consent_library_says() {
    assert_covered(vector[], fixtures::purposes_covered());
}

#[test]
fun two_purposes_cover_what_the_consent_library_says() {
    assert_covered(vector[fixtures::purpose_beside()], fixtures::purposes_covered_beside());
}

#[test]
fun a_restriction_counts_wherever_it_stands() {
    let asked = world::text(b"DUO:0000042");
    assert!(purpose::cover(&texts(vector[b"dpv:Purpose", b"DUO:0000004"]), &asked));
    assert!(!purpose::cover(&texts(vector[b"DUO:0000004", b"DUO:0000045"]), &asked));
    assert!(!purpose::cover(&texts(vector[b"DUO:0000045", b"DUO:0000004"]), &asked));
}

#[test]
fun nothing_granted_covers_nothing() {
    assert!(!purpose::cover(&vector[], &world::text(b"DUO:0000042")));
}
