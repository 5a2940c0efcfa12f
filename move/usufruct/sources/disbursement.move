/// Moves one receipt's price out of its job's escrow, by the rule of `payout`.
module usufruct::disbursement;

use sui::{balance::Balance, coin};
use usufruct::{custody::Vault, data_dao::Dao, digest, payout::{Self, Payout}, policy::RevenueSplit};

/// The four parts of the job's split, then the contributors' part by weight, ties by the owner's address and then the
/// contribution's id. The treasury's part stays in the DAO, everybody else is sent a coin. Rows: contributors in the
/// order given, treasury, runner, protocol; a row of zero is left out.
public(package) fun pay<T>(
    escrow: &mut Vault<T>,
    dao: &mut Dao<T>,
    split: &RevenueSplit,
    price_units: u64,
    contribution_ids: &vector<address>,
    owners: &vector<address>,
    weights: &vector<u64>,
    runner: address,
    protocol: address,
    ctx: &mut TxContext,
): vector<Payout> {
    let parts = payout::split_by_bps(price_units, &split.parts_bps());
    let mut tie_keys = vector[];
    let mut i = 0;
    while (i < owners.length()) {
        let mut key = owners[i].to_bytes();
        key.append(contribution_ids[i].to_bytes());
        tie_keys.push_back(key);
        i = i + 1;
    };
    let amounts = payout::allocate(parts[0], weights, &tie_keys);
    let mut rows = vector[];
    let mut j = 0;
    while (j < owners.length()) {
        rows.push_back(payout::to_contributor(owners[j], contribution_ids[j], amounts[j]));
        j = j + 1;
    };
    push_others(&mut rows, dao, &parts, runner, protocol);
    hand_out(escrow, dao, &rows, ctx)
}

/// The same four parts, of which the contributors' is handed back: whose it is, is not said here. Rows: treasury, runner,
/// protocol.
public(package) fun pay_privately<T>(
    escrow: &mut Vault<T>,
    dao: &mut Dao<T>,
    split: &RevenueSplit,
    price_units: u64,
    runner: address,
    protocol: address,
    ctx: &mut TxContext,
): (vector<Payout>, Balance<T>) {
    let parts = payout::split_by_bps(price_units, &split.parts_bps());
    let mut rows = vector[];
    push_others(&mut rows, dao, &parts, runner, protocol);
    let paid = hand_out(escrow, dao, &rows, ctx);
    (paid, escrow.withdraw(parts[0]))
}

fun push_others<T>(
    rows: &mut vector<Payout>,
    dao: &Dao<T>,
    parts: &vector<u64>,
    runner: address,
    protocol: address,
) {
    rows.push_back(payout::to_treasury(digest::treasury_account(dao.dao_id()), parts[1]));
    rows.push_back(payout::to_runner(runner, parts[2]));
    rows.push_back(payout::to_protocol(protocol, parts[3]));
}

/// Each row once, those of zero not at all.
fun hand_out<T>(
    escrow: &mut Vault<T>,
    dao: &mut Dao<T>,
    rows: &vector<Payout>,
    ctx: &mut TxContext,
): vector<Payout> {
    let mut paid = vector[];
    let mut k = 0;
    while (k < rows.length()) {
        let row = rows[k];
        k = k + 1;
        if (row.amount_units() == 0) continue;
        let money = escrow.withdraw(row.amount_units());
        if (row.is_to_treasury()) dao.deposit(money)
        else transfer::public_transfer(coin::from_balance(money, ctx), row.account());
        if (row.is_to_contributor()) dao.count_earned(row.account(), row.amount_units());
        paid.push_back(row);
    };
    paid
}
