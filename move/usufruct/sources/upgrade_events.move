/// What everybody must hear about this package's own code, apart from `events`: these say nothing about any DAO. The
/// adapter tells them on only of the timelock over this package; anybody can lock up the cap of a package of their own.
module usufruct::upgrade_events;

use sui::event;

public struct UpgradesLocked has copy, drop {
    timelock: ID,
    package: ID,
    version: u64,
    delay_ms: u64,
}

public struct UpgradeAnnounced has copy, drop {
    timelock: ID,
    digest: vector<u8>,
    /// It can be used from `ready_at_ms`, and before `lapses_at_ms`.
    ready_at_ms: u64,
    lapses_at_ms: u64,
}

public struct UpgradeCancelled has copy, drop {
    timelock: ID,
    digest: vector<u8>,
}

public struct UpgradeCommitted has copy, drop {
    timelock: ID,
    /// Of the version that runs from now on.
    package: ID,
    version: u64,
}

public struct PackageMadeImmutable has copy, drop {
    timelock: ID,
    package: ID,
    version: u64,
}

public(package) fun upgrades_locked(timelock: ID, package: ID, version: u64, delay_ms: u64) {
    event::emit(UpgradesLocked { timelock, package, version, delay_ms });
}

public(package) fun upgrade_announced(
    timelock: ID,
    digest: vector<u8>,
    ready_at_ms: u64,
    lapses_at_ms: u64,
) {
    event::emit(UpgradeAnnounced { timelock, digest, ready_at_ms, lapses_at_ms });
}

public(package) fun upgrade_cancelled(timelock: ID, digest: vector<u8>) {
    event::emit(UpgradeCancelled { timelock, digest });
}

public(package) fun upgrade_committed(timelock: ID, package: ID, version: u64) {
    event::emit(UpgradeCommitted { timelock, package, version });
}

public(package) fun package_made_immutable(timelock: ID, package: ID, version: u64) {
    event::emit(PackageMadeImmutable { timelock, package, version });
}
