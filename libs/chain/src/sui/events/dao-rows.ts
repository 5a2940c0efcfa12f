import { normalizeStructTag } from '@mysten/sui/utils';
import { refuse, toBase64 } from '@usufruct/kernel';
import type { EventRows } from './row.js';
import { memberViews, policyView, treasuryOf } from './wire-values.js';

/** The registry, holder sets, DAOs, their members and runners. */
export const DAO_ROWS: EventRows<
  | 'RegistryOpened'
  | 'HolderSetCreated'
  | 'TreeHeadAnchored'
  | 'DaoCreated'
  | 'PolicySet'
  | 'MembershipApplied'
  | 'MembershipDecided'
  | 'MemberAdded'
  | 'RolesSet'
  | 'DaoPaused'
  | 'RunnerRegistered'
> = {
  RegistryOpened: {
    dao: () => null,
    learn: (event, index) => {
      index.registry = { object: event.object, chainId: event.chain_id, protocolAccount: event.protocol_account };
    },
    data: () => null,
  },
  HolderSetCreated: {
    dao: () => null,
    learn: (event, index) => void index.holderSets.add(event.holder_set_id, { object: event.object, version: 1 }),
    data: (event) => ({
      type: 'HolderSetCreated',
      holderSet: {
        id: event.holder_set_id,
        members: memberViews(event),
        threshold: event.threshold,
        version: 1,
        tombstonedKeys: [],
      },
    }),
  },
  TreeHeadAnchored: {
    dao: () => null,
    learn: (event, index) => void index.holderSets.known(event.holder_set_id),
    data: (event) => ({
      type: 'TreeHeadAnchored',
      holderSetId: event.holder_set_id,
      member: event.member,
      treeSize: event.tree_size,
      rootHash: event.root_hash,
    }),
  },
  DaoCreated: {
    dao: (event) => event.dao_id,
    learn: (event, index) => {
      const coin = normalizeStructTag(`0x${event.coin}`);
      const lists = { members: [], applications: new Map(), proposals: [], signers: [], epochs: [] };
      index.daos.add(event.dao_id, { object: event.object, coin, policyVersion: 1, pooledReceipts: 0n, ...lists });
    },
    data: (event) => ({
      type: 'DaoCreated',
      dao: {
        id: event.dao_id,
        founder: event.founder,
        treasury: treasuryOf(event.dao_id),
        policyVersion: 1,
        policy: policyView(event.policy),
        policyDigest: event.policy_digest,
        metadataHash: event.metadata_hash,
        members: [event.founder],
        governance: { ...event.governance },
        payoutRules: { ...event.payout_rules },
        paused: false,
        proposalCount: 0,
      },
    }),
  },
  PolicySet: {
    dao: (event) => event.dao_id,
    learn: (event, index) => {
      const dao = index.daos.known(event.dao_id);
      if (event.version !== dao.policyVersion + 1) {
        throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'a version of a policy is missing' });
      }
      dao.policyVersion = event.version;
    },
    data: (event) => ({
      type: 'PolicySet',
      daoId: event.dao_id,
      version: event.version,
      policy: policyView(event.policy),
      policyDigest: event.policy_digest,
    }),
  },
  MembershipApplied: {
    dao: (event) => event.dao_id,
    learn: (event, index) =>
      void index.daos.known(event.dao_id).applications.set(event.applicant, event.statement_hash),
    data: (event) => ({
      type: 'MembershipApplied',
      daoId: event.dao_id,
      applicant: event.applicant,
      statementHash: event.statement_hash,
    }),
  },
  MembershipDecided: {
    dao: (event) => event.dao_id,
    learn: (event, index) => void index.daos.known(event.dao_id).applications.delete(event.applicant),
    data: (event) => ({
      type: 'MembershipDecided',
      daoId: event.dao_id,
      applicant: event.applicant,
      accepted: event.accepted,
    }),
  },
  MemberAdded: {
    dao: (event) => event.dao_id,
    learn: (event, index) => {
      const { members } = index.daos.known(event.dao_id);
      if (event.ordinal !== members.length) throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'a member is missing' });
      members.push(event.member);
    },
    data: (event) => ({
      type: 'MemberAdded',
      daoId: event.dao_id,
      member: event.member,
      roles: event.roles,
      ordinal: event.ordinal,
    }),
  },
  RolesSet: {
    dao: (event) => event.dao_id,
    data: (event) => ({ type: 'RolesSet', daoId: event.dao_id, member: event.member, roles: event.roles }),
  },
  DaoPaused: {
    dao: (event) => event.dao_id,
    data: (event) => ({ type: 'DaoPaused', daoId: event.dao_id }),
  },
  RunnerRegistered: {
    dao: (event) => event.dao_id,
    data: (event) => ({
      type: 'RunnerRegistered',
      runner: {
        id: event.runner_id,
        daoId: event.dao_id,
        profile: event.profile,
        measurement: event.measurement,
        signingPublicKey: toBase64(event.signing_public_key),
        hpkePublicKey: toBase64(event.hpke_public_key),
        appraisalPolicyDigest: event.appraisal_policy_digest,
        payTo: event.pay_to,
        expiresAtMs: event.expires_at_ms,
      },
    }),
  },
};
