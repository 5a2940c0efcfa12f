import { toBase64, refuse, fromBase64, type HolderSetId } from '@usufruct/kernel';
import { verify } from '@usufruct/crypto';
import {
  deriveId,
  TAGS,
  TreeHeadBcs,
  decodeCanonical,
  type ChainActionPayloads,
  type HolderMember,
  type HolderSetView,
  isLiving,
  type HolderMemberView,
} from '@usufruct/protocol';
import { treeHeadKey } from './collections.js';
import { requireInteger, requireKey, requireSet } from './guards.js';
import { CLOCK_SKEW_MS, mustFind, requireNew, requireSender, type Room } from './room.js';

const MEMBERS_AT_MOST = 32;

/** Anybody may publish a holder set; it matters only once a DAO's policy names it. */
export function createHolderSet(room: Room, action: ChainActionPayloads['createHolderSet']): void {
  const id = deriveId<HolderSetId>('holder-set', null, room.sender, action.salt);
  requireNew(room, 'holder-set', id);
  const members = requireMembers(action.members, action.threshold);
  const holderSet = { id, members, threshold: action.threshold, version: 1, tombstonedKeys: [] };
  room.draft.write('holder-set', id, holderSet);
  room.emit({ type: 'HolderSetCreated', holderSet });
}

/** As views write them, once they are found to be the members of a set. */
export function requireMembers(given: readonly HolderMember[], threshold: number): HolderMemberView[] {
  for (const [index, member] of given.entries()) {
    requireKey(member.signingPublicKey, `members.${index}.signingPublicKey`);
    requireKey(member.sealingPublicKey, `members.${index}.sealingPublicKey`);
  }
  const members = given.map(({ operator, signingPublicKey, sealingPublicKey }) => ({
    operator,
    signingPublicKey: toBase64(signingPublicKey),
    sealingPublicKey: toBase64(sealingPublicKey),
  }));
  // One key in two places would count one holder twice.
  for (const key of ['signingPublicKey', 'sealingPublicKey'] as const) {
    requireSet(
      members.map((member) => member[key]),
      'members',
      MEMBERS_AT_MOST,
    );
  }
  requireInteger(threshold, 1, members.length, 'threshold');
  return members;
}

/** The member of that index, whose word counts: `TOMBSTONED` for one that was retired. */
export function requireMember(set: HolderSetView, index: number, field: string): HolderMemberView {
  const member = memberAt(set, index, field);
  requireLivingKey(set, member, index);
  return member;
}

/** And the sender is its operator. */
export function requireOperator(room: Room, set: HolderSetView, index: number): HolderMemberView {
  const member = memberAt(set, index, 'member');
  requireSender(room, member.operator);
  requireLivingKey(set, member, index);
  return member;
}

export function requireLivingKey(set: HolderSetView, member: HolderMemberView, index: number): void {
  if (!isLiving(set, member)) throw refuse('TOMBSTONED', { member: String(index) });
}

function memberAt(set: HolderSetView, index: number, field: string): HolderMemberView {
  const member = set.members[index];
  if (member === undefined) throw refuse('INVALID_ARGUMENT', { field, expected: 'a member of the set' });
  return member;
}

/** A log only grows: a smaller tree, or another root for the same size, is refused whoever signed it. */
export async function anchorTreeHead(room: Room, action: ChainActionPayloads['anchorTreeHead']): Promise<void> {
  const { holderSetId, member: index } = action;
  const member = requireOperator(room, mustFind(room, 'holder-set', holderSetId), index);
  const head = decodeCanonical(TreeHeadBcs, action.treeHead, 256);
  if (head === null) throw refuse('INVALID_ARGUMENT', { field: 'treeHead', expected: 'a canonical tree head' });
  if (head.holderSetId !== holderSetId || head.member !== index) {
    throw refuse('INVALID_ARGUMENT', { field: 'treeHead', expected: 'the tree head of this member' });
  }
  const signature = {
    publicKey: fromBase64(member.signingPublicKey),
    domainTag: TAGS.treeHead,
    message: action.treeHead,
    signature: action.signature,
  };
  if (!(await verify(signature))) throw refuse('SIGNATURE_INVALID', { member: String(index) });
  if (head.atMs > room.nowMs + CLOCK_SKEW_MS) {
    throw refuse('INVALID_ARGUMENT', { field: 'treeHead.atMs', expected: 'a time that is not in the future' });
  }
  const key = treeHeadKey(holderSetId, member.signingPublicKey);
  const known = room.draft.read('tree-head', key);
  requireInteger(head.treeSize, known?.treeSize ?? 0, Number.MAX_SAFE_INTEGER, 'treeSize');
  if (known !== undefined && known.treeSize === head.treeSize && known.rootHash !== head.rootHash) {
    throw refuse('INVALID_ARGUMENT', { field: 'rootHash', expected: 'the root anchored for this size' });
  }
  room.draft.write('tree-head', key, { treeSize: head.treeSize, rootHash: head.rootHash });
  const { treeSize, rootHash } = head;
  room.emit({ type: 'TreeHeadAnchored', holderSetId, member: index, treeSize, rootHash });
}
