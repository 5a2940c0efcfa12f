#[test_only]
/// That the contracts derive and hash to the same bytes as the TypeScript libraries.
module usufruct::digest_tests;

use usufruct::{digest, fixtures, world};

#[test]
fun ids_are_those_of_the_libraries() {
    let salt = world::salt();
    let set = digest::derive_id(b"holder-set", vector[], world::founder(), salt);
    assert!(set == fixtures::holder_set_id());
    let dao = digest::derive_id(b"dao", vector[], world::founder(), salt);
    assert!(dao == fixtures::dao_id());
    assert!(digest::treasury_account(dao) == fixtures::treasury_account());
    let dataset = digest::derive_id(b"dataset", dao.to_bytes(), world::founder(), salt);
    assert!(dataset == fixtures::dataset_id());
    let job = digest::derive_id(b"job", dataset.to_bytes(), world::requester(), salt);
    assert!(job == fixtures::job_id());
    let mut i = 0;
    while (i < 3) {
        let owner = world::owner(i);
        let contribution = digest::derive_id(b"contribution", dataset.to_bytes(), owner, salt);
        assert!(contribution == fixtures::contribution_ids()[i]);
        let grant = digest::derive_id(b"grant", contribution.to_bytes(), owner, salt);
        assert!(grant == fixtures::grant_ids()[i]);
        i = i + 1;
    };
}

#[test]
fun another_owner_parent_or_salt_gives_another_id() {
    let id = digest::derive_id(b"job", b"parent", @0x1, @0x2);
    assert!(id != digest::derive_id(b"dao", b"parent", @0x1, @0x2));
    assert!(id != digest::derive_id(b"job", b"paren", @0x1, @0x2));
    assert!(id != digest::derive_id(b"job", b"parent", @0x3, @0x2));
    assert!(id != digest::derive_id(b"job", b"parent", @0x1, @0x3));
}

#[test]
/// 3 as u32 little-endian, the three bytes, 0 as u32, nothing.
fun parts_are_length_prefixed() {
    assert!(digest::length_prefixed(vector[b"abc", b""]) == x"0300000061626300000000");
}

#[test]
fun policies_have_the_digest_of_the_libraries() {
    let policy = world::policy();
    assert!(policy.digest() == fixtures::policy_digest());
    assert!(policy.appraisal_digest() == fixtures::appraisal_digest());
}

#[test]
fun bytes_are_ordered() {
    assert!(digest::is_below(&b"a", &b"b"));
    assert!(!digest::is_below(&b"b", &b"a"));
    assert!(digest::is_below(&b"a", &b"aa"));
    assert!(!digest::is_below(&b"aa", &b"a"));
    assert!(!digest::is_below(&b"a", &b"a"));
}
