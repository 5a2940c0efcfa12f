/// The right to upgrade this package, behind a delay. Whoever could replace the code at once could let any runner have
/// any key, or take every escrow: so the package's `UpgradeCap` lies in here, the digest of a new version is announced
/// a week before it can be used at the earliest, and everybody can leave, revoke and close in the meantime. Or there
/// are no upgrades at all: `make_immutable`.
///
/// The only shared object without a version: a new version of this package must be able to reach it, and no version
/// can take the delay away from it, because the functions of the first one stay callable whatever comes after.
module usufruct::upgrade_timelock;

use sui::{clock::Clock, package::{Self, UpgradeCap, UpgradeReceipt, UpgradeTicket}};
use usufruct::upgrade_events;

/// The delay is under a week or above a year.
const EDelay: u64 = 2100;
/// The admin object is another timelock's.
const EWrongAdmin: u64 = 2101;
/// The digest is not of 32 bytes.
const EDigest: u64 = 2102;
/// Another digest is announced and can still be used: cancel it first.
const EAlreadyAnnounced: u64 = 2103;
/// Nothing is announced.
const ENotAnnounced: u64 = 2104;
/// The delay has not passed yet.
const ETooEarly: u64 = 2105;
/// The announcement was not used in time.
const ETooLate: u64 = 2106;

const WEEK_MS: u64 = 604_800_000;
const YEAR_MS: u64 = 31_536_000_000;
/// How long an announced upgrade can be used once its delay has passed: 30 days.
const USABLE_MS: u64 = 2_592_000_000;

public struct UpgradeTimelock has key {
    id: UID,
    cap: UpgradeCap,
    delay_ms: u64,
    announced: Option<Announcement>,
}

/// May announce, cancel and carry out, and never faster than the delay.
public struct UpgradeAdmin has key, store {
    id: UID,
    timelock: ID,
}

public struct Announcement has copy, drop, store {
    /// Of the new version's modules and dependencies, as the compiler prints it.
    digest: vector<u8>,
    /// It can be used from `ready_at_ms`, and before `lapses_at_ms`.
    ready_at_ms: u64,
    lapses_at_ms: u64,
}

/// Lock the cap for good: it comes out again only to be destroyed. The delay never changes.
public fun lock(cap: UpgradeCap, delay_ms: u64, ctx: &mut TxContext): UpgradeAdmin {
    assert!(delay_ms >= WEEK_MS && delay_ms <= YEAR_MS, EDelay);
    let id = object::new(ctx);
    let timelock = id.to_inner();
    upgrade_events::upgrades_locked(timelock, cap.upgrade_package(), cap.version(), delay_ms);
    transfer::share_object(UpgradeTimelock { id, cap, delay_ms, announced: option::none() });
    UpgradeAdmin { id: object::new(ctx), timelock }
}

/// One digest at a time, so that everybody knows which code the delay is about.
public fun announce(
    self: &mut UpgradeTimelock,
    admin: &UpgradeAdmin,
    digest: vector<u8>,
    clock: &Clock,
) {
    self.assert_admin(admin);
    assert!(digest.length() == 32, EDigest);
    let now_ms = clock.timestamp_ms();
    assert!(self.announced.is_none() || self.has_lapsed(now_ms), EAlreadyAnnounced);
    let ready_at_ms = now_ms + self.delay_ms;
    let lapses_at_ms = ready_at_ms + USABLE_MS;
    self.announced = option::some(Announcement { digest, ready_at_ms, lapses_at_ms });
    upgrade_events::upgrade_announced(object::id(self), digest, ready_at_ms, lapses_at_ms);
}

public fun cancel(self: &mut UpgradeTimelock, admin: &UpgradeAdmin) {
    self.assert_admin(admin);
    let Announcement { digest, .. } = self.take_announced();
    upgrade_events::upgrade_cancelled(object::id(self), digest);
}

/// The ticket for exactly the announced digest; the chain compares it with the code. The same transaction must upgrade
/// with it and `commit`: a ticket cannot be kept.
public fun authorize(
    self: &mut UpgradeTimelock,
    admin: &UpgradeAdmin,
    clock: &Clock,
): UpgradeTicket {
    self.assert_admin(admin);
    let now_ms = clock.timestamp_ms();
    let lapsed = self.has_lapsed(now_ms);
    let Announcement { digest, ready_at_ms, .. } = self.take_announced();
    assert!(now_ms >= ready_at_ms, ETooEarly);
    assert!(!lapsed, ETooLate);
    let policy = self.cap.upgrade_policy();
    self.cap.authorize_upgrade(policy, digest)
}

public fun commit(self: &mut UpgradeTimelock, receipt: UpgradeReceipt) {
    self.cap.commit_upgrade(receipt);
    upgrade_events::upgrade_committed(
        object::id(self),
        self.cap.upgrade_package(),
        self.cap.version(),
    );
}

/// The version that is there stays for ever.
public fun make_immutable(self: UpgradeTimelock, admin: UpgradeAdmin) {
    self.assert_admin(&admin);
    let UpgradeTimelock { id, cap, .. } = self;
    upgrade_events::package_made_immutable(id.to_inner(), cap.upgrade_package(), cap.version());
    let UpgradeAdmin { id: admin_id, .. } = admin;
    admin_id.delete();
    id.delete();
    package::make_immutable(cap);
}

public fun delay_ms(self: &UpgradeTimelock): u64 {
    self.delay_ms
}

public fun package(self: &UpgradeTimelock): ID {
    self.cap.upgrade_package()
}

public fun announced(self: &UpgradeTimelock): Option<Announcement> {
    self.announced
}

public fun digest(self: &Announcement): &vector<u8> {
    &self.digest
}

public fun ready_at_ms(self: &Announcement): u64 {
    self.ready_at_ms
}

fun assert_admin(self: &UpgradeTimelock, admin: &UpgradeAdmin) {
    assert!(admin.timelock == object::id(self), EWrongAdmin);
}

fun take_announced(self: &mut UpgradeTimelock): Announcement {
    assert!(self.announced.is_some(), ENotAnnounced);
    self.announced.extract()
}

fun has_lapsed(self: &UpgradeTimelock, now_ms: u64): bool {
    self.announced.is_some() && now_ms >= self.announced.borrow().lapses_at_ms
}
