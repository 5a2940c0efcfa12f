/// Upgrades of packages. The chain's `Publish` and `Upgrade` commands make the cap and turn a ticket into a receipt.
module sui::package;

/// A policy that is looser than the cap's.
const ETooPermissive: u64 = 1;
/// An upgrade is going on.
const EAlreadyAuthorized: u64 = 2;
/// No upgrade is going on.
const ENotAuthorized: u64 = 3;
/// The receipt is another cap's.
const EWrongUpgradeCap: u64 = 4;

/// Whoever has it upgrades the package.
public struct UpgradeCap has key, store {
    id: UID,
    /// The latest version's id; 0x0 while an upgrade is going on.
    package: ID,
    version: u64,
    policy: u8,
}

/// Must become a receipt in the transaction that it was made in.
public struct UpgradeTicket {
    cap: ID,
    package: ID,
    policy: u8,
    digest: vector<u8>,
}

/// Must be committed in the transaction that it was made in.
public struct UpgradeReceipt {
    cap: ID,
    package: ID,
}

public fun upgrade_package(cap: &UpgradeCap): ID {
    cap.package
}

public fun version(cap: &UpgradeCap): u64 {
    cap.version
}

public fun upgrade_policy(cap: &UpgradeCap): u8 {
    cap.policy
}

public fun ticket_package(ticket: &UpgradeTicket): ID {
    ticket.package
}

public fun ticket_digest(ticket: &UpgradeTicket): &vector<u8> {
    &ticket.digest
}

public fun receipt_cap(receipt: &UpgradeReceipt): ID {
    receipt.cap
}

#[allow(lint(public_entry))]
public entry fun make_immutable(cap: UpgradeCap) {
    let UpgradeCap { id, .. } = cap;
    id.delete();
}

public fun authorize_upgrade(cap: &mut UpgradeCap, policy: u8, digest: vector<u8>): UpgradeTicket {
    assert!(cap.package.to_address() != @0x0, EAlreadyAuthorized);
    assert!(policy >= cap.policy, ETooPermissive);
    let package = cap.package;
    cap.package = object::id_from_address(@0x0);
    UpgradeTicket { cap: object::id(cap), package, policy, digest }
}

public fun commit_upgrade(cap: &mut UpgradeCap, receipt: UpgradeReceipt) {
    let UpgradeReceipt { cap: cap_id, package } = receipt;
    assert!(object::id(cap) == cap_id, EWrongUpgradeCap);
    assert!(cap.package.to_address() == @0x0, ENotAuthorized);
    cap.package = package;
    cap.version = cap.version + 1;
}

#[test_only]
/// The cap of a package that was just published at `package`.
public fun test_publish(package: ID, ctx: &mut TxContext): UpgradeCap {
    UpgradeCap { id: object::new(ctx), package, version: 1, policy: 0 }
}

#[test_only]
/// What the `Upgrade` command does, without a package: the new version's id is the cap's.
public fun test_upgrade(ticket: UpgradeTicket): UpgradeReceipt {
    let UpgradeTicket { cap, .. } = ticket;
    UpgradeReceipt { cap, package: cap }
}
