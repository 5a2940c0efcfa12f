import { refuse } from '@usufruct/kernel';
import {
  HolderRotationBcs,
  TAGS,
  decodeCanonical,
  type ChainActionPayloads,
  type HolderRotation,
  type HolderSetView,
} from '@usufruct/protocol';
import { requireLivingKey, requireMembers, requireOperator } from './holder-set.js';
import { requireMemberSignatures } from './member-signatures.js';
import { mustFind, type Room } from './room.js';

/** 32 members of 98 bytes, a chain id of 64, and what names set and version, with room. */
const ROTATION_BYTES = 4_096;

/**
 * The next version of a holder set, by anybody who has the signatures of `threshold` of its members. Every manifest that
 * names the set stays as it is. It gives nobody a share: those who were in hand theirs over, or share again.
 */
export async function rotateHolderSet(room: Room, action: ChainActionPayloads['rotateHolderSet']): Promise<void> {
  const rotation = decodeCanonical(HolderRotationBcs, action.rotation, ROTATION_BYTES);
  if (rotation === null) throw refuse('INVALID_ARGUMENT', { field: 'rotation', expected: 'a canonical rotation' });
  if (rotation.chainId !== room.chain.chainId) {
    throw refuse('INVALID_ARGUMENT', { field: 'rotation.chainId', expected: 'the id of this chain' });
  }
  const set = mustFind(room, 'holder-set', rotation.holderSetId);
  requireNext(set, rotation);
  const members = requireMembers(rotation.members, rotation.threshold);
  for (const [index, member] of members.entries()) requireLivingKey(set, member, index);
  await requireMemberSignatures(set, {
    domainTag: TAGS.holderRotation,
    message: action.rotation,
    signatures: action.signatures,
    needed: set.threshold,
  });
  const { version, threshold } = rotation;
  room.draft.write('holder-set', set.id, { ...set, version, members, threshold });
  room.emit({ type: 'HolderSetRotated', holderSetId: set.id, version, members, threshold });
}

function requireNext(set: HolderSetView, { version }: HolderRotation): void {
  if (version !== set.version + 1) {
    throw refuse('INVALID_ARGUMENT', { field: 'rotation.version', expected: String(set.version + 1) });
  }
}

/**
 * By the member's operator, for good: its keys were destroyed, and must never count again even if somebody has kept a
 * copy. The member stays in its place, without a voice, until a rotation leaves it out.
 */
export function tombstoneHolder(room: Room, action: ChainActionPayloads['tombstoneHolder']): void {
  const { holderSetId, member } = action;
  const set = mustFind(room, 'holder-set', holderSetId);
  const { signingPublicKey } = requireOperator(room, set, member);
  room.draft.write('holder-set', holderSetId, { ...set, tombstonedKeys: [...set.tombstonedKeys, signingPublicKey] });
  room.emit({ type: 'HolderTombstoned', holderSetId, member, signingPublicKey });
}
