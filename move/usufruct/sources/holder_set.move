/// The organisations that hold the shares of the data keys, and the tree heads of their release logs. Members join,
/// leave and renew their keys when `threshold` of those who are in sign the next version; a key that was tombstoned
/// counts for nothing any more and never comes back. A DAO moves to another set by naming it in its policy.
module usufruct::holder_set;

use std::{bcs as std_bcs, string::{Self, String}};
use sui::{bcs, clock::Clock, ed25519, table::{Self, Table}};
use usufruct::{checks, digest, domain_tags, events, lifecycle_events, registry::Registry};

/// The lists of operators and keys are not of one length.
const EMemberLists: u64 = 400;
/// The threshold is zero or above the number of members.
const EThreshold: u64 = 401;
/// There is no member of that index.
const ENoSuchMember: u64 = 402;
/// Only the member's operator may anchor its tree heads.
const EWrongOperator: u64 = 403;
/// The tree head is not canonical, or not of this set and member.
const ETreeHeadMalformed: u64 = 404;
/// The member's signature over the tree head does not verify.
const ETreeHeadSignature: u64 = 405;
/// The tree head is from the future.
const ETreeHeadTime: u64 = 406;
/// A log only grows: the tree is smaller than the one anchored before.
const ETreeHeadShrinks: u64 = 407;
/// The log was rewritten: another root is anchored for this size.
const ETreeHeadForks: u64 = 408;
/// The rotation is too long, or is not the canonical serialisation of one.
const ERotationMalformed: u64 = 409;
/// The rotation is for another chain or another set.
const ERotationElsewhere: u64 = 410;
/// The rotation does not make the version that comes next.
const ERotationVersion: u64 = 411;
/// The member's signing key was tombstoned: nothing it signs counts, and it cannot come back.
const EHolderTombstoned: u64 = 412;
/// Fewer members signed than must, or the lists are not of one length.
const ETooFewSigners: u64 = 413;
/// A member is named twice among those who signed.
const ESignerTwice: u64 = 414;
/// A member's signature over the rotation does not verify.
const ERotationSignature: u64 = 415;

const MEMBERS_AT_MOST: u64 = 32;
/// 32 members of 98 bytes, a chain id of 64, and what names set and version, with room.
const ROTATION_AT_MOST_BYTES: u64 = 4_096;

public struct Member has copy, drop, store {
    /// May anchor the holder's tree heads, and tombstone it.
    operator: address,
    /// Ed25519, 32 bytes: signs runner statements, rotations and tree heads.
    signing_public_key: vector<u8>,
    /// X25519, 32 bytes: shares are sealed to it.
    sealing_public_key: vector<u8>,
}

public struct AnchoredHead has copy, drop, store {
    tree_size: u64,
    root_hash: address,
}

public struct HolderSet has key {
    id: UID,
    version: u64,
    holder_set_id: address,
    /// From 1; each rotation makes the next.
    set_version: u32,
    members: vector<Member>,
    /// How many shares open a data key, and how many members make the next version.
    threshold: u8,
    /// By signing key, so that a log goes on whatever place its holder has; none until the first is anchored.
    heads: Table<vector<u8>, AnchoredHead>,
    /// Signing keys of members who were retired for good.
    tombstoned_keys: vector<vector<u8>>,
}

/// What members of a version sign so that it becomes the next one, in the order of the protocol library's
/// `HolderRotationBcs`.
public struct HolderRotation has copy, drop {
    chain_id: String,
    holder_set_id: address,
    version: u32,
    members: vector<Member>,
    threshold: u8,
}

/// What a holder signs, in the order of its serialisation.
public struct TreeHead has copy, drop {
    holder_set_id: address,
    member: u8,
    tree_size: u64,
    root_hash: address,
    at_ms: u64,
}

/// Anybody may publish a holder set; it matters only once a DAO's policy names it.
public fun create(
    registry: &mut Registry,
    salt: address,
    operators: vector<address>,
    signing_public_keys: vector<vector<u8>>,
    sealing_public_keys: vector<vector<u8>>,
    threshold: u8,
    ctx: &mut TxContext,
) {
    registry.assert_version();
    let count = operators.length();
    assert!(
        signing_public_keys.length() == count && sealing_public_keys.length() == count,
        EMemberLists,
    );
    let mut members = vector[];
    let mut i = 0;
    while (i < count) {
        members.push_back(Member {
            operator: operators[i],
            signing_public_key: signing_public_keys[i],
            sealing_public_key: sealing_public_keys[i],
        });
        i = i + 1;
    };
    assert_members(&members, threshold);
    let holder_set_id = digest::derive_id(b"holder-set", vector[], ctx.sender(), salt);
    let id = object::new(ctx);
    registry.take_holder_set_id(holder_set_id, id.to_inner());
    events::holder_set_created(
        id.to_inner(),
        holder_set_id,
        operators,
        signing_public_keys,
        sealing_public_keys,
        threshold,
    );
    let version = checks::version();
    transfer::share_object(HolderSet {
        id,
        version,
        holder_set_id,
        set_version: 1,
        members,
        threshold,
        heads: table::new(ctx),
        tombstoned_keys: vector[],
    });
}

/// By anybody: `rotation` is the serialised `HolderRotation`, signature `i` by the member of index `signers[i]` of the
/// version that is. `threshold` of them decide, different ones, none of them tombstoned; every signature must be good.
/// What it cannot do: give new members the shares of data that is here. Those who were in hand them over or re-share.
public fun rotate(
    self: &mut HolderSet,
    registry: &Registry,
    rotation: vector<u8>,
    signers: vector<u8>,
    signatures: vector<vector<u8>>,
) {
    checks::assert_version(self.version);
    registry.assert_version();
    let HolderRotation { chain_id, holder_set_id, version, members, threshold } = decode_rotation(
        rotation,
    );
    assert!(
        &chain_id == registry.chain_id() && holder_set_id == self.holder_set_id,
        ERotationElsewhere,
    );
    assert!((version as u64) == (self.set_version as u64) + 1, ERotationVersion);
    assert_members(&members, threshold);
    let mut i = 0;
    while (i < members.length()) {
        assert!(!self.tombstoned_keys.contains(&members[i].signing_public_key), EHolderTombstoned);
        i = i + 1;
    };
    self.assert_rotation_signed(rotation, &signers, &signatures);
    self.set_version = version;
    self.members = members;
    self.threshold = threshold;
    let (operators, signing_public_keys, sealing_public_keys) = lists(&members);
    lifecycle_events::holder_set_rotated(
        holder_set_id,
        version,
        operators,
        signing_public_keys,
        sealing_public_keys,
        threshold,
    );
}

/// By the member's operator, for good: its keys were destroyed, and must never count again even if somebody has kept or
/// finds a copy. The member stays in its place, without a voice, until a rotation leaves it out.
public fun tombstone_member(self: &mut HolderSet, member: u8, ctx: &mut TxContext) {
    checks::assert_version(self.version);
    self.assert_operator(member, ctx.sender());
    let key = self.members[member as u64].signing_public_key;
    self.tombstoned_keys.push_back(key);
    lifecycle_events::holder_tombstoned(self.holder_set_id, member, key);
}

/// `tree_head` is the serialised `TreeHead`, signed by the member under the tag of tree heads. A smaller tree, or
/// another root for the same size, is refused whoever signed it; sending the same head again changes nothing.
public fun anchor_tree_head(
    self: &mut HolderSet,
    member: u8,
    tree_head: vector<u8>,
    signature: vector<u8>,
    clock: &Clock,
    ctx: &mut TxContext,
) {
    checks::assert_version(self.version);
    self.assert_operator(member, ctx.sender());
    let head = decode_tree_head(tree_head);
    assert!(head.holder_set_id == self.holder_set_id && head.member == member, ETreeHeadMalformed);
    let message = digest::signed_message(domain_tags::tree_head(), tree_head);
    let key = self.members[member as u64].signing_public_key;
    assert!(ed25519::ed25519_verify(&signature, &key, &message), ETreeHeadSignature);
    assert!(head.at_ms <= clock.timestamp_ms() + checks::clock_skew_ms(), ETreeHeadTime);
    let TreeHead { tree_size, root_hash, .. } = head;
    if (self.heads.contains(key)) {
        let known = self.heads.remove(key);
        assert!(tree_size >= known.tree_size, ETreeHeadShrinks);
        assert!(tree_size > known.tree_size || root_hash == known.root_hash, ETreeHeadForks);
    };
    self.heads.add(key, AnchoredHead { tree_size, root_hash });
    events::tree_head_anchored(self.holder_set_id, member, tree_size, root_hash);
}

public fun holder_set_id(self: &HolderSet): address {
    self.holder_set_id
}

public fun member_count(self: &HolderSet): u64 {
    self.members.length()
}

/// From 1; each rotation makes the next.
public fun set_version(self: &HolderSet): u32 {
    self.set_version
}

public fun threshold(self: &HolderSet): u8 {
    self.threshold
}

/// Whether this signing key was retired for good.
public fun is_tombstoned(self: &HolderSet, signing_public_key: &vector<u8>): bool {
    self.tombstoned_keys.contains(signing_public_key)
}

/// Tree size and root that the member anchored last, or none.
public fun anchored_head(self: &HolderSet, member: u8): Option<AnchoredHead> {
    let key = self.members[member as u64].signing_public_key;
    if (self.heads.contains(key)) option::some(self.heads[key]) else option::none()
}

public fun tree_size(head: &AnchoredHead): u64 {
    head.tree_size
}

public fun root_hash(head: &AnchoredHead): address {
    head.root_hash
}

public(package) fun assert_version(self: &HolderSet) {
    checks::assert_version(self.version);
}

/// The sender is the operator of this member, which is one and was not tombstoned.
public(package) fun assert_operator(self: &HolderSet, member: u8, sender: address) {
    assert!((member as u64) < self.members.length(), ENoSuchMember);
    let Member { operator, signing_public_key, .. } = self.members[member as u64];
    assert!(sender == operator, EWrongOperator);
    assert!(!self.is_tombstoned(&signing_public_key), EHolderTombstoned);
}

/// Whether the member of that index signed `message` under `tag`. Aborts when there is no such member, and for one that
/// was tombstoned, whatever it signed.
public(package) fun is_signed_by(
    self: &HolderSet,
    member: u8,
    tag: vector<u8>,
    message: vector<u8>,
    signature: &vector<u8>,
): bool {
    assert!((member as u64) < self.members.length(), ENoSuchMember);
    let key = &self.members[member as u64].signing_public_key;
    assert!(!self.is_tombstoned(key), EHolderTombstoned);
    ed25519::ed25519_verify(signature, key, &digest::signed_message(tag, message))
}

/// Members that were not tombstoned and whose operators are not among `excepted`.
public(package) fun count_living_but(self: &HolderSet, excepted: &vector<address>): u64 {
    let mut count = 0;
    let mut i = 0;
    while (i < self.members.length()) {
        let Member { operator, signing_public_key, .. } = &self.members[i];
        let is_living = !self.is_tombstoned(signing_public_key);
        if (is_living && !excepted.contains(operator)) count = count + 1;
        i = i + 1;
    };
    count
}

/// Different members, at least `least` of them: signature `i` is by `signers[i]`.
public(package) fun assert_signers(
    signers: &vector<u8>,
    signatures: &vector<vector<u8>>,
    least: u8,
) {
    let mut i = 0;
    while (i < signers.length()) {
        let mut j = 0;
        while (j < i) {
            assert!(signers[i] != signers[j], ESignerTwice);
            j = j + 1;
        };
        i = i + 1;
    };
    let enough = signers.length() >= (least as u64) && signers.length() == signatures.length();
    assert!(enough, ETooFewSigners);
}

fun assert_rotation_signed(
    self: &HolderSet,
    rotation: vector<u8>,
    signers: &vector<u8>,
    signatures: &vector<vector<u8>>,
) {
    assert_signers(signers, signatures, self.threshold);
    let tag = domain_tags::holder_rotation();
    let mut i = 0;
    while (i < signers.length()) {
        let signed = self.is_signed_by(signers[i], tag, rotation, &signatures[i]);
        assert!(signed, ERotationSignature);
        i = i + 1;
    };
}

fun assert_members(members: &vector<Member>, threshold: u8) {
    let (_, signing_public_keys, sealing_public_keys) = lists(members);
    // One key in two places would count one holder twice.
    checks::assert_set(&signing_public_keys, MEMBERS_AT_MOST);
    checks::assert_set(&sealing_public_keys, MEMBERS_AT_MOST);
    assert!(threshold > 0 && (threshold as u64) <= members.length(), EThreshold);
    let mut i = 0;
    while (i < members.length()) {
        checks::assert_key(&signing_public_keys[i]);
        checks::assert_key(&sealing_public_keys[i]);
        i = i + 1;
    };
}

/// Operators, signing keys and sealing keys, as events show them.
fun lists(members: &vector<Member>): (vector<address>, vector<vector<u8>>, vector<vector<u8>>) {
    let (mut operators, mut signing, mut sealing) = (vector[], vector[], vector[]);
    let mut i = 0;
    while (i < members.length()) {
        let Member { operator, signing_public_key, sealing_public_key } = members[i];
        operators.push_back(operator);
        signing.push_back(signing_public_key);
        sealing.push_back(sealing_public_key);
        i = i + 1;
    };
    (operators, signing, sealing)
}

fun decode_rotation(bytes: vector<u8>): HolderRotation {
    assert!(bytes.length() <= ROTATION_AT_MOST_BYTES, ERotationMalformed);
    let mut reader = bcs::new(bytes);
    let chain_id = string::try_utf8(reader.peel_vec_u8());
    assert!(chain_id.is_some(), ERotationMalformed);
    let (holder_set_id, version) = (reader.peel_address(), reader.peel_u32());
    let mut left = reader.peel_vec_length();
    let mut members = vector[];
    while (left > 0) {
        members.push_back(Member {
            operator: reader.peel_address(),
            signing_public_key: reader.peel_vec_u8(),
            sealing_public_key: reader.peel_vec_u8(),
        });
        left = left - 1;
    };
    let rotation = HolderRotation {
        chain_id: chain_id.destroy_some(),
        holder_set_id,
        version,
        members,
        threshold: reader.peel_u8(),
    };
    // One meaning has one serialisation: trailing bytes and over-long lengths do not survive writing it again.
    assert!(std_bcs::to_bytes(&rotation) == bytes, ERotationMalformed);
    rotation
}

/// All fields have a fixed length, so bytes that are read to their end are canonical.
fun decode_tree_head(bytes: vector<u8>): TreeHead {
    // 32 (set) + 1 (member) + 8 (size) + 32 (root) + 8 (time)
    assert!(bytes.length() == 81, ETreeHeadMalformed);
    let mut reader = bcs::new(bytes);
    TreeHead {
        holder_set_id: reader.peel_address(),
        member: reader.peel_u8(),
        tree_size: reader.peel_u64(),
        root_hash: reader.peel_address(),
        at_ms: reader.peel_u64(),
    }
}

#[test_only]
public(package) fun set_version_for_testing(self: &mut HolderSet, version: u64) {
    self.version = version;
}
