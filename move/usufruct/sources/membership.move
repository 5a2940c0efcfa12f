/// Who belongs to a DAO, in which role and since when, and what the DAO paid each member as a contributor: the votes of
/// a DAO that counts by contribution. A proposal counts what was earned before it was made, so that nobody can buy votes
/// on it afterwards: each member's earlier figures are kept by how many proposals there were at the time.
module usufruct::membership;

use sui::table::{Self, Table};

/// The address is no member.
const ENoMember: u64 = 707;
/// The role is none that there is.
const EUnknownRole: u64 = 708;
/// A DAO keeps at least one administrator.
const ELastAdministrator: u64 = 709;

/// Roles are bits, so a member may have several.
/// Gives and takes roles.
const ADMINISTRATOR: u8 = 1;
/// Sets the policy.
const POLICY_MAKER: u8 = 2;
/// Decides on applications and contributions.
const STEWARD: u8 = 4;
const ALL_ROLES: u8 = 7;

const U64_MAX: u64 = 18_446_744_073_709_551_615;

public struct Member has store {
    /// 0 for a member without a role.
    roles: u8,
    /// From 0, in order of joining.
    ordinal: u64,
    /// All that this DAO has paid the member as a contributor.
    earned_units: u64,
    /// How many proposals the DAO had when the member earned last.
    proposals: u64,
    /// How many earlier figures there are.
    checkpoint_count: u64,
}

public struct CheckpointKey has copy, drop, store {
    member: address,
    /// From 0, oldest first.
    index: u64,
}

/// What a member had earned while the DAO had this many proposals.
public struct Checkpoint has copy, drop, store {
    proposals: u64,
    earned_units: u64,
}

public struct Membership has store {
    members: Table<address, Member>,
    checkpoints: Table<CheckpointKey, Checkpoint>,
    administrators: u64,
    /// By all members together.
    earned_units: u64,
}

public(package) fun administrator(): u8 {
    ADMINISTRATOR
}

public(package) fun policy_maker(): u8 {
    POLICY_MAKER
}

public(package) fun steward(): u8 {
    STEWARD
}

public(package) fun all_roles(): u8 {
    ALL_ROLES
}

public(package) fun empty(ctx: &mut TxContext): Membership {
    Membership {
        members: table::new(ctx),
        checkpoints: table::new(ctx),
        administrators: 0,
        earned_units: 0,
    }
}

/// Returns the new member's ordinal.
public(package) fun add(self: &mut Membership, member: address, roles: u8): u64 {
    let ordinal = self.members.length();
    let joined = Member { roles, ordinal, earned_units: 0, proposals: 0, checkpoint_count: 0 };
    self.members.add(member, joined);
    if (roles & ADMINISTRATOR != 0) self.administrators = self.administrators + 1;
    ordinal
}

public(package) fun assert_roles(roles: u8) {
    assert!(roles <= ALL_ROLES, EUnknownRole);
}

/// The member's roles from now on, as a sum of bits.
public(package) fun set_roles(self: &mut Membership, member: address, roles: u8) {
    assert_roles(roles);
    assert!(self.contains(member), ENoMember);
    if (self.has_role(ADMINISTRATOR, member)) self.administrators = self.administrators - 1;
    if (roles & ADMINISTRATOR != 0) self.administrators = self.administrators + 1;
    assert!(self.administrators > 0, ELastAdministrator);
    self.members[member].roles = roles;
}

/// Count what the DAO paid an account, now that it has had so many proposals; nothing for who is no member. All members
/// together never count more than a u64 holds: nobody's pay may fail because the sum of all pay has become too large.
public(package) fun count_earned(
    self: &mut Membership,
    account: address,
    paid_units: u64,
    proposals: u64,
) {
    if (!self.contains(account)) return;
    let left = U64_MAX - self.earned_units;
    let units = if (paid_units > left) left else paid_units;
    self.earned_units = self.earned_units + units;
    let member = &mut self.members[account];
    if (member.proposals != proposals) {
        let key = CheckpointKey { member: account, index: member.checkpoint_count };
        let earlier = Checkpoint {
            proposals: member.proposals,
            earned_units: member.earned_units,
        };
        self.checkpoints.add(key, earlier);
        member.checkpoint_count = member.checkpoint_count + 1;
        member.proposals = proposals;
    };
    member.earned_units = member.earned_units + units;
}

/// What the member had earned before proposal `number` was made: while there were fewer proposals than that.
public(package) fun earned_before(self: &Membership, account: address, number: u64): u64 {
    let member = &self.members[account];
    if (member.proposals < number) return member.earned_units;
    // The first checkpoint is of when there was no proposal. The one at `low` is of before this one, those from `high`
    // on are not.
    let (mut low, mut high) = (0, member.checkpoint_count);
    while (low + 1 < high) {
        let index = (low + high) / 2;
        let at = &self.checkpoints[CheckpointKey { member: account, index }];
        if (at.proposals < number) low = index else high = index;
    };
    self.checkpoints[CheckpointKey { member: account, index: low }].earned_units
}

public(package) fun contains(self: &Membership, account: address): bool {
    self.members.contains(account)
}

public(package) fun count(self: &Membership): u64 {
    self.members.length()
}

/// 0 for a member without a role and for strangers.
public(package) fun roles_of(self: &Membership, account: address): u8 {
    if (self.contains(account)) self.members[account].roles else 0
}

public(package) fun has_role(self: &Membership, role: u8, account: address): bool {
    self.roles_of(account) & role != 0
}

/// Aborts when the address is no member.
public(package) fun ordinal_of(self: &Membership, account: address): u64 {
    assert!(self.contains(account), ENoMember);
    self.members[account].ordinal
}

/// 0 for strangers.
public(package) fun earned_of(self: &Membership, account: address): u64 {
    if (self.contains(account)) self.members[account].earned_units else 0
}

public(package) fun earned_units(self: &Membership): u64 {
    self.earned_units
}
