/// Where money lies. A vault counts what came in and what went out beside the balance itself, and after every movement
/// the three must agree: a bug in a caller can then not go unnoticed.
module usufruct::custody;

use sui::balance::{Self, Balance};

/// The balance is not what came in less what went out.
const ENotBacked: u64 = 200;
/// More is taken than there is.
const EVaultShort: u64 = 201;

public struct Vault<phantom T> has store {
    held: Balance<T>,
    /// All that ever came in and went out, in the coin's smallest unit.
    deposited_units: u128,
    withdrawn_units: u128,
}

public(package) fun empty<T>(): Vault<T> {
    Vault { held: balance::zero(), deposited_units: 0, withdrawn_units: 0 }
}

public(package) fun deposit<T>(self: &mut Vault<T>, money: Balance<T>) {
    self.deposited_units = self.deposited_units + (money.value() as u128);
    self.held.join(money);
    self.assert_backing();
}

public(package) fun withdraw<T>(self: &mut Vault<T>, amount_units: u64): Balance<T> {
    assert!(amount_units <= self.held.value(), EVaultShort);
    self.withdrawn_units = self.withdrawn_units + (amount_units as u128);
    let money = self.held.split(amount_units);
    self.assert_backing();
    money
}

public fun held_units<T>(self: &Vault<T>): u64 {
    self.held.value()
}

public fun assert_backing<T>(self: &Vault<T>) {
    let held = self.held.value() as u128;
    assert!(held + self.withdrawn_units == self.deposited_units, ENotBacked);
}

#[test_only]
/// Books money that never came.
public(package) fun misbook_for_testing<T>(self: &mut Vault<T>) {
    self.deposited_units = self.deposited_units + 1;
}
