/// Who gets what of one receipt's price. The same rule as the ledger library's: floor, then one unit each to the
/// largest remainders, ties by bytes; the parts add up exactly.
module usufruct::payout;

use usufruct::digest;

/// There is something to divide and no weight above zero.
const ENoWeight: u64 = 1200;
/// Weights and tie keys are not of one length.
const EShareLists: u64 = 1201;
/// The parts do not add up to the total: a bug in this module.
const ENotExact: u64 = 1202;

const CONTRIBUTOR: u8 = 0;
const TREASURY: u8 = 1;
const RUNNER: u8 = 2;
const PROTOCOL: u8 = 3;

/// One payment, as the event of a settlement shows it.
public struct Payout has copy, drop, store {
    account: address,
    role: u8,
    contribution_id: Option<address>,
    amount_units: u64,
}

/// Divide `total_units` in proportion to the weights: floor, then one unit each to the largest remainders, equal
/// remainders by `tie_keys` ascending (which must differ). One amount per weight, in the order given; a zero weight
/// gets nothing.
public fun allocate(
    total_units: u64,
    weights: &vector<u64>,
    tie_keys: &vector<vector<u8>>,
): vector<u64> {
    let count = weights.length();
    assert!(tie_keys.length() == count, EShareLists);
    let mut weight_sum: u128 = 0;
    let mut i = 0;
    while (i < count) {
        weight_sum = weight_sum + (weights[i] as u128);
        i = i + 1;
    };
    assert!(total_units == 0 || weight_sum > 0, ENoWeight);
    let mut amounts = vector[];
    let mut remainders = vector[];
    let mut left = total_units;
    let mut j = 0;
    while (j < count) {
        // Two u64 multiply within u128, and a floor of total × weight / sum is at most the total.
        let product = (total_units as u128) * (weights[j] as u128);
        let (amount, remainder) = if (product == 0) (0, 0) else (
            (product / weight_sum) as u64,
            product % weight_sum,
        );
        amounts.push_back(amount);
        remainders.push_back(remainder);
        left = left - amount;
        j = j + 1;
    };
    // The remainders add up to left × sum and each is below the sum, so more than `left` of them are above zero, or
    // all are zero: the search below always finds one.
    while (left > 0) {
        let best = largest_remainder(&remainders, tie_keys);
        *&mut remainders[best] = 0;
        *&mut amounts[best] = amounts[best] + 1;
        left = left - 1;
    };
    assert_exact(&amounts, total_units);
    amounts
}

/// Divide by parts of ten thousand with the same rule; between equal remainders the earlier part gets the unit.
public fun split_by_bps(total_units: u64, parts_bps: &vector<u64>): vector<u64> {
    let mut tie_keys = vector[];
    let mut i: u64 = 0;
    while (i < parts_bps.length()) {
        tie_keys.push_back(vector[i as u8]);
        i = i + 1;
    };
    allocate(total_units, parts_bps, &tie_keys)
}

public(package) fun to_contributor(
    account: address,
    contribution_id: address,
    amount_units: u64,
): Payout {
    Payout {
        account,
        role: CONTRIBUTOR,
        contribution_id: option::some(contribution_id),
        amount_units,
    }
}

public(package) fun to_treasury(account: address, amount_units: u64): Payout {
    Payout { account, role: TREASURY, contribution_id: option::none(), amount_units }
}

public(package) fun to_runner(account: address, amount_units: u64): Payout {
    Payout { account, role: RUNNER, contribution_id: option::none(), amount_units }
}

public(package) fun to_protocol(account: address, amount_units: u64): Payout {
    Payout { account, role: PROTOCOL, contribution_id: option::none(), amount_units }
}

public fun account(self: &Payout): address {
    self.account
}

/// 0 contributor, 1 treasury, 2 runner, 3 protocol.
public fun role(self: &Payout): u8 {
    self.role
}

public fun amount_units(self: &Payout): u64 {
    self.amount_units
}

public fun is_to_contributor(self: &Payout): bool {
    self.role == CONTRIBUTOR
}

public fun is_to_treasury(self: &Payout): bool {
    self.role == TREASURY
}

fun largest_remainder(remainders: &vector<u128>, tie_keys: &vector<vector<u8>>): u64 {
    let mut best = 0;
    let mut i = 1;
    while (i < remainders.length()) {
        let tied = remainders[i] == remainders[best];
        let better = if (tied) digest::is_below(&tie_keys[i], &tie_keys[best])
        else remainders[i] > remainders[best];
        if (better) best = i;
        i = i + 1;
    };
    best
}

/// In u128: amounts that are wrong may add up to anything.
public(package) fun assert_exact(amounts: &vector<u64>, total_units: u64) {
    let mut sum: u128 = 0;
    let mut i = 0;
    while (i < amounts.length()) {
        sum = sum + (amounts[i] as u128);
        i = i + 1;
    };
    assert!(sum == (total_units as u128), ENotExact);
}
