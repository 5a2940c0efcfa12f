import { refuse, type GrantId } from '@usufruct/kernel';
import { deriveId, type ChainActionPayloads, type GrantTerms, type GrantView } from '@usufruct/protocol';
import { requirePurposes, requireSet, requireTimestamp } from './guards.js';
import { mustFind, requireNew, requireSender, type Room } from './room.js';
import { requireLiving } from './tombstone.js';

/** Only the owner of a contribution says what it may be used for; before or after the DAO has accepted it. */
export function giveGrant(room: Room, { salt, contributionId, terms }: ChainActionPayloads['giveGrant']): void {
  const contribution = mustFind(room, 'contribution', contributionId);
  requireLiving(mustFind(room, 'dataset', contribution.datasetId));
  requireSender(room, contribution.owner);
  if (contribution.state === 'declined') throw refuse('CONTRIBUTION_NOT_ACCEPTED', { contributionId });
  requireLiving(contribution);
  const id = deriveId<GrantId>('grant', contributionId, room.sender, salt);
  requireNew(room, 'grant', id);
  requireTerms(room, terms);
  const grant: GrantView = {
    id,
    contributionId,
    grantor: room.sender,
    terms: {
      ...terms,
      purposes: [...terms.purposes],
      kinds: [...terms.kinds],
      protections: [...terms.protections],
    },
    givenAtMs: room.nowMs,
    revokedAtMs: null,
  };
  room.draft.write('grant', id, grant, contributionId);
  room.emit({ type: 'GrantGiven', grant });
}

export function revokeGrant(room: Room, { grantId }: ChainActionPayloads['revokeGrant']): void {
  const grant = mustFind(room, 'grant', grantId);
  requireSender(room, grant.grantor);
  if (grant.revokedAtMs !== null) throw refuse('GRANT_REVOKED', { grantId });
  const revokedAtMs = room.nowMs;
  room.draft.write('grant', grantId, { ...grant, revokedAtMs });
  room.emit({ type: 'GrantRevoked', grantId, contributionId: grant.contributionId, revokedAtMs });
}

function requireTerms(room: Room, terms: GrantTerms): void {
  requirePurposes(terms.purposes);
  requireSet(terms.kinds, 'kinds');
  requireSet(terms.protections, 'protections');
  if (requireTimestamp(terms.expiresAtMs, 'expiresAtMs') <= room.nowMs) throw refuse('GRANT_EXPIRED');
}
