import { refuse, type DaoId } from '@usufruct/kernel';
import {
  ALL_ROLES,
  daoPolicyDigest,
  deriveId,
  treasuryAccountOf,
  type ChainActionPayloads,
  type DaoPolicy,
} from '@usufruct/protocol';
import type { DaoRecord } from './collections.js';
import { requireGovernance, requirePayoutRules } from './governance.js';
import { addMember, requireHeld } from './membership.js';
import { adoptPolicy, policyView, requirePolicy, requirePolicyAlone, requireVerifiers } from './policy.js';
import { poolOf } from './receipt-pool.js';
import { mustFind, requireNew, type Room } from './room.js';

/** The founder becomes a member with every role. */
export function createDao(room: Room, action: ChainActionPayloads['createDao']): void {
  const { salt, policy, metadataHash, governance, payoutRules } = action;
  requireGovernance(governance);
  requirePayoutRules(payoutRules);
  requirePolicy(room, policy);
  const id = deriveId<DaoId>('dao', null, room.sender, salt);
  requireNew(room, 'dao', id);
  const dao: DaoRecord = {
    id,
    founder: room.sender,
    treasury: treasuryAccountOf(id),
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
  room.emit({ type: 'DaoCreated', dao: { ...dao, members: [room.sender] } });
  addMember(room, id, room.sender, ALL_ROLES);
}

/** Verifiers of a policy maker's own could divide what is set aside privately as they like: a vote names others. */
function requireKeptVerifiers(room: Room, dao: DaoRecord, policy: DaoPolicy): void {
  const paysPrivately = dao.payoutRules.mode === 'epoch' || poolOf(room.draft, dao.id).receiptCount > 0n;
  const { holderSetId, verifierThreshold } = dao.policy;
  const keeps = policy.holderSetId === holderSetId && policy.verifierThreshold === verifierThreshold;
  if (paysPrivately && !keeps) throw refuse('BY_VOTE_ONLY', { daoId: dao.id });
}

/** `expectedVersion` is the version that the sender saw: two changes at once cannot overwrite each other. */
export function setPolicy(room: Room, { daoId, expectedVersion, policy }: ChainActionPayloads['setPolicy']): void {
  const dao = mustFind(room, 'dao', daoId);
  requirePolicyAlone(policy);
  requireHeld(room, daoId, 'policyMaker');
  if (dao.governance.policyByVoteOnly) throw refuse('BY_VOTE_ONLY', { daoId });
  if (dao.policyVersion !== expectedVersion) throw refuse('POLICY_OUTDATED', { current: String(dao.policyVersion) });
  requireKeptVerifiers(room, dao, policy);
  requireVerifiers(room, policy);
  adoptPolicy(room, daoId, policy);
}
