#[test_only]
module usufruct::custody_tests;

use std::unit_test;
use sui::balance;
use usufruct::{custody, world::USDX};

#[test]
fun what_comes_in_goes_out() {
    let mut vault = custody::empty<USDX>();
    vault.deposit(balance::create_for_testing(7));
    assert!(vault.held_units() == 7);
    assert!(vault.withdraw(3).destroy_for_testing() == 3);
    vault.deposit(balance::create_for_testing(1));
    assert!(vault.withdraw(5).destroy_for_testing() == 5);
    assert!(vault.held_units() == 0);
    unit_test::destroy(vault);
}

#[test, expected_failure(abort_code = usufruct::custody::EVaultShort)]
fun nobody_takes_more_than_there_is() {
    let mut vault = custody::empty<USDX>();
    vault.deposit(balance::create_for_testing(7));
    vault.withdraw(8).destroy_for_testing();
    unit_test::destroy(vault);
}

#[test, expected_failure(abort_code = usufruct::custody::ENotBacked)]
fun money_that_never_came_is_noticed_on_the_way_in() {
    let mut vault = custody::empty<USDX>();
    vault.misbook_for_testing();
    vault.deposit(balance::create_for_testing(1));
    unit_test::destroy(vault);
}

#[test, expected_failure(abort_code = usufruct::custody::ENotBacked)]
fun money_that_never_came_is_noticed_on_the_way_out() {
    let mut vault = custody::empty<USDX>();
    vault.deposit(balance::create_for_testing(1));
    vault.misbook_for_testing();
    vault.withdraw(1).destroy_for_testing();
    unit_test::destroy(vault);
}
