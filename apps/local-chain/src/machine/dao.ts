import { fromHex, refuse, utf8, type Address, type DaoId } from '@usufruct/kernel';
import { daoPolicyDigest, deriveId, taggedDigest, TAGS, type ChainActionPayloads } from '@usufruct/protocol';
import { memberKey, type DaoRecord } from './collections.js';
import { policyView, requirePolicy } from './policy.js';
import { mustFind, requireNew, requireRole, type Room } from './room.js';

/** The account of a DAO's treasury: a digest, so nobody has its key. */
export const treasuryOf = (daoId: DaoId): Address =>
  taggedDigest(TAGS.objectId, utf8('treasury'), fromHex(daoId)) as string as Address;

export function createDao(room: Room, action: ChainActionPayloads['createDao']): void {
  const { salt, policy, metadataHash, governance, payoutRules } = action;
  const id = deriveId<DaoId>('dao', null, room.sender, salt);
  requireNew(room, 'dao', id);
  requirePolicy(room, policy);
  const dao: DaoRecord = {
    id,
    founder: room.sender,
    treasury: treasuryOf(id),
    policyVersion: 1,
    policy: policyView(policy),
    policyDigest: daoPolicyDigest(policy),
    metadataHash,
    governance,
    payoutRules,
    paused: false,
    proposalCount: 0,
  };
  room.draft.write('dao', id, dao);
  addMember(room, id, room.sender);
  room.emit({ type: 'DaoCreated', dao: { ...dao, members: [room.sender] } });
}

/** `expectedVersion` is the version that the founder saw: two changes at once cannot overwrite each other. */
export function setPolicy(room: Room, { daoId, expectedVersion, policy }: ChainActionPayloads['setPolicy']): void {
  const dao = mustFind(room, 'dao', daoId);
  requireRole(room.sender === dao.founder, 'founder');
  if (dao.policyVersion !== expectedVersion) throw refuse('POLICY_OUTDATED', { current: String(dao.policyVersion) });
  requirePolicy(room, policy);
  const next = { policy: policyView(policy), policyDigest: daoPolicyDigest(policy) };
  const version = dao.policyVersion + 1;
  room.draft.write('dao', daoId, { ...dao, ...next, policyVersion: version });
  room.emit({ type: 'PolicySet', daoId, version, ...next });
}

export const isMember = (room: Room, daoId: DaoId, address: Address): boolean =>
  room.draft.read('member', memberKey(daoId, address)) !== undefined;

export function addMember(room: Room, daoId: DaoId, address: Address): void {
  if (!isMember(room, daoId, address)) room.draft.write('member', memberKey(daoId, address), { address }, daoId);
}
