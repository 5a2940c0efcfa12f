/// The organisations that hold the shares of the data keys, and the tree heads of their release logs. A set never
/// changes; a DAO moves to another one by naming it in a new version of its policy.
module usufruct::holder_set;

use sui::{bcs, clock::Clock, ed25519};
use usufruct::{checks, digest, domain_tags, events, registry::Registry};

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

const MEMBERS_AT_MOST: u64 = 32;

public struct Member has copy, drop, store {
    /// May anchor the holder's tree heads.
    operator: address,
    /// Ed25519, 32 bytes: signs runner statements and tree heads.
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
    members: vector<Member>,
    /// How many shares open a data key.
    threshold: u8,
    /// By member index; none until the first is anchored.
    heads: vector<Option<AnchoredHead>>,
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
    // One key in two places would count one holder twice.
    checks::assert_set(&signing_public_keys, MEMBERS_AT_MOST);
    checks::assert_set(&sealing_public_keys, MEMBERS_AT_MOST);
    assert!(threshold > 0 && (threshold as u64) <= count, EThreshold);
    let mut members = vector[];
    let mut heads = vector[];
    let mut i = 0;
    while (i < count) {
        checks::assert_key(&signing_public_keys[i]);
        checks::assert_key(&sealing_public_keys[i]);
        members.push_back(Member {
            operator: operators[i],
            signing_public_key: signing_public_keys[i],
            sealing_public_key: sealing_public_keys[i],
        });
        heads.push_back(option::none());
        i = i + 1;
    };
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
    transfer::share_object(HolderSet { id, version, holder_set_id, members, threshold, heads });
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
    let index = member as u64;
    assert!(index < self.members.length(), ENoSuchMember);
    assert!(ctx.sender() == self.members[index].operator, EWrongOperator);
    let head = decode_tree_head(tree_head);
    assert!(head.holder_set_id == self.holder_set_id && head.member == member, ETreeHeadMalformed);
    let message = digest::signed_message(domain_tags::tree_head(), tree_head);
    let key = &self.members[index].signing_public_key;
    assert!(ed25519::ed25519_verify(&signature, key, &message), ETreeHeadSignature);
    assert!(head.at_ms <= clock.timestamp_ms() + checks::clock_skew_ms(), ETreeHeadTime);
    let TreeHead { tree_size, root_hash, .. } = head;
    if (self.heads[index].is_some()) {
        let known = *self.heads[index].borrow();
        assert!(tree_size >= known.tree_size, ETreeHeadShrinks);
        assert!(tree_size > known.tree_size || root_hash == known.root_hash, ETreeHeadForks);
    };
    *&mut self.heads[index] = option::some(AnchoredHead { tree_size, root_hash });
    events::tree_head_anchored(self.holder_set_id, member, tree_size, root_hash);
}

public fun holder_set_id(self: &HolderSet): address {
    self.holder_set_id
}

public fun member_count(self: &HolderSet): u64 {
    self.members.length()
}

/// Tree size and root that the member anchored last, or none.
public fun anchored_head(self: &HolderSet, member: u8): Option<AnchoredHead> {
    self.heads[member as u64]
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

/// Whether the member of that index signed `message` under `tag`. Aborts when there is no such member.
public(package) fun is_signed_by(
    self: &HolderSet,
    member: u8,
    tag: vector<u8>,
    message: vector<u8>,
    signature: &vector<u8>,
): bool {
    assert!((member as u64) < self.members.length(), ENoSuchMember);
    let key = &self.members[member as u64].signing_public_key;
    ed25519::ed25519_verify(signature, key, &digest::signed_message(tag, message))
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
