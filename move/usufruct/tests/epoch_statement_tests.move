#[test_only]
module usufruct::epoch_statement_tests;

use usufruct::{
    epoch_fixtures::{Self as fixtures, Statement},
    epoch_statement,
    private_world,
    world::World
};

use fun private_world::propose_epoch as World.propose_epoch;
use fun private_world::propose_epoch_with as World.propose_epoch_with;

fun propose(statement: Statement) {
    private_world::proposed(statement).end();
}

/// By these holders, whose signatures are those of `signers`.
fun propose_by(members: vector<u8>, signers: vector<u64>) {
    let mut world = private_world::settled();
    let (bytes, settler, all) = fixtures::statement_good().unpack();
    let mut signatures = vector[];
    let mut i = 0;
    while (i < signers.length()) {
        signatures.push_back(all[signers[i]]);
        i = i + 1;
    };
    world.propose_epoch_with(0, bytes, settler, members, signatures);
    world.end();
}

fun propose_after(ms: u64, statement: Statement) {
    let mut world = private_world::settled();
    world.advance(ms);
    world.propose_epoch(statement);
    world.end();
}

#[test]
fun the_id_is_that_of_the_libraries() {
    let (bytes, _, _) = fixtures::statement_good().unpack();
    assert!(epoch_statement::epoch_id(bytes) == fixtures::epoch_id());
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::EStatementMalformed)]
fun a_statement_has_no_trailing_bytes() {
    let mut world = private_world::settled();
    let (mut bytes, settler, signatures) = fixtures::statement_good().unpack();
    bytes.push_back(0);
    world.propose_epoch_with(0, bytes, settler, vector[0, 1], vector[signatures[0], signatures[1]]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::EStatementMalformed)]
fun a_statement_is_text_where_it_says_so() {
    let mut world = private_world::settled();
    let (mut bytes, settler, signatures) = fixtures::statement_good().unpack();
    *&mut bytes[1] = 0xff;
    world.propose_epoch_with(0, bytes, settler, vector[0, 1], vector[signatures[0], signatures[1]]);
    world.end();
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::EStatementMalformed)]
fun a_statement_is_not_long() {
    propose(fixtures::statement_longer());
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::EStatementElsewhere)]
/// As long as one may be, it is read: and is for a chain with a very long name.
fun a_statement_may_be_as_long_as_the_limit() {
    propose(fixtures::statement_longest());
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::EStatementElsewhere)]
fun a_statement_is_for_this_chain() {
    propose(fixtures::statement_other_chain());
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::EStatementElsewhere)]
fun a_statement_is_for_this_package() {
    propose(fixtures::statement_other_package());
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::EStatementElsewhere)]
fun a_statement_is_for_this_registry() {
    propose(fixtures::statement_other_registry());
}

#[test]
fun a_settlers_clock_may_be_ahead() {
    propose(fixtures::statement_skewed());
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::EStatementTime)]
fun a_statement_is_not_from_the_future() {
    propose(fixtures::statement_future());
}

#[test]
fun a_statement_may_be_half_an_hour_old() {
    propose_after(1_800_000, fixtures::statement_good());
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::EStatementStale)]
fun a_statement_is_not_older() {
    propose_after(1_800_001, fixtures::statement_good());
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::ESettlerSignature)]
fun the_settler_signs() {
    let mut world = private_world::settled();
    let (bytes, _, signatures) = fixtures::statement_good().unpack();
    let (_, settler, _) = fixtures::statement_single().unpack();
    world.propose_epoch_with(0, bytes, settler, vector[0, 1], vector[signatures[0], signatures[1]]);
    world.end();
}

#[test]
fun any_two_holders_countersign() {
    propose_by(vector[2, 0], vector[2, 0]);
}

#[test]
fun all_holders_countersign() {
    propose_by(vector[0, 1, 2], vector[0, 1, 2]);
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::ECountersigners)]
fun one_holder_is_not_enough() {
    propose_by(vector[0], vector[0]);
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::ECountersigners)]
fun a_holder_counts_once() {
    propose_by(vector[0, 1, 0], vector[0, 1, 0]);
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::ECountersigners)]
fun every_holder_has_a_signature() {
    propose_by(vector[0, 1, 2], vector[0, 1]);
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::ECountersigners)]
fun every_signature_has_a_holder() {
    propose_by(vector[0, 1], vector[0, 1, 2]);
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::ECountersignature)]
fun a_holder_signs_itself() {
    propose_by(vector[0, 1], vector[0, 2]);
}

#[test, expected_failure(abort_code = usufruct::epoch_statement::ECountersignature)]
/// Two good ones, and a bad one.
fun every_signature_is_good() {
    propose_by(vector[0, 1, 2], vector[0, 1, 1]);
}

#[test, expected_failure(abort_code = usufruct::holder_set::ENoSuchMember)]
fun holders_are_members() {
    propose_by(vector[0, 3], vector[0, 1]);
}
