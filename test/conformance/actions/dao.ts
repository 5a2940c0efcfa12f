import type { DaoId, Digest } from '@usufruct/kernel';
import { deriveId, ROLES } from '@usufruct/protocol';
import { saltOf, type Actor, type Needs } from '../play/actor.js';
import { FOUNDERS, word } from '../play/cast.js';
import * as move from '../play/move-text.js';
import {
  governanceOf,
  governanceText,
  payoutRulesOf,
  payoutRulesText,
  RULES_REFUSALS,
  RULES_TWISTS,
} from './governance.js';
import { holderOf, outsiderOf } from './members.js';
import { POLICY_REFUSALS, POLICY_TWISTS, policyOf, policyText } from './policy.js';

export const createDao: Actor = {
  kind: 'createDao',
  weight: 1,
  twists: [...POLICY_TWISTS, ...RULES_TWISTS, 'taken'],
  attempt(play, twist) {
    const { ledger, random } = play;
    const sets = ledger.all('holder-set');
    if (sets.length === 0) return null;
    const set = random.pick(sets);
    const sender = random.pick(FOUNDERS);
    const exists = (salt: `0x${string}`): boolean =>
      ledger.read('dao', deriveId<DaoId>('dao', null, sender, salt)) !== undefined;
    const salt = saltOf(twist === 'taken', exists);
    if (salt === null) return null;
    const policy = policyOf(play, set.id, set.members.length, twist);
    const governance = governanceOf(play, twist);
    const payoutRules = payoutRulesOf(play, twist);
    const metadataHash = word<Digest>('metadata');
    const call = move.call(
      'stage_daos::create_dao',
      move.address(sender),
      move.address(deriveId('dao', null, sender, salt)),
      move.address(set.id),
      move.address(salt),
      policyText(policy),
      move.address(metadataHash),
      governanceText(governance),
      payoutRulesText(payoutRules),
    );
    return { sender, action: { kind: 'createDao', salt, policy, metadataHash, governance, payoutRules }, call };
  },
  refusals: {
    ...POLICY_REFUSALS,
    ...RULES_REFUSALS,
    'ALREADY_EXISTS dao': ['registry::EIdTaken'],
  },
};

/** Where contributors are paid privately, only a vote names other verifiers. */
const MODE_FOR: Readonly<Record<string, Needs>> = {
  'unknown holder set': { mode: 'direct' },
  'too many verifiers': { mode: 'direct' },
  'verifiers by vote only': { mode: 'epoch' },
};

export const setPolicy: Actor = {
  kind: 'setPolicy',
  weight: 1,
  twists: [...POLICY_TWISTS, 'wrong sender', 'old version', 'verifiers by vote only', 'by vote only'],
  meets: {
    'unknown holder set': 'NOT_FOUND holder-set',
    'too many verifiers': 'INVALID_ARGUMENT verifierThreshold',
    'verifiers by vote only': 'BY_VOTE_ONLY',
    'by vote only': 'BY_VOTE_ONLY',
  },
  needs: (twist) => ({ ...MODE_FOR[twist ?? ''], policyByVoteOnly: twist === 'by vote only' }),
  attempt(play, twist) {
    const { ledger, random } = play;
    const daos = ledger.all('dao');
    const sets = ledger.all('holder-set');
    if (daos.length === 0) return null;
    const dao = random.pick(daos);
    const set = random.mostly(sets, ({ id }) => id === dao.policy.holderSetId) ?? sets[0]!;
    const policy = policyOf(play, set.id, set.members.length, twist);
    const sender = twist === 'wrong sender' ? outsiderOf(play, dao.id) : holderOf(play, dao.id, ROLES.policyMaker);
    const expectedVersion = twist === 'old version' ? dao.policyVersion - 1 : dao.policyVersion;
    const call = move.call(
      'stage_daos::set_policy',
      move.address(sender),
      move.address(dao.id),
      move.address(set.id),
      move.number(expectedVersion),
      policyText(policy),
    );
    return { sender, action: { kind: 'setPolicy', daoId: dao.id, expectedVersion, policy }, call };
  },
  refusals: {
    ...POLICY_REFUSALS,
    'FORBIDDEN policyMaker': ['data_dao::ERoleRequired'],
    // A policy of no verifiers cannot even be made there.
    BY_VOTE_ONLY: ['data_dao::EByVoteOnly', 'policy::EVerifierThreshold'],
    POLICY_OUTDATED: ['data_dao::EPolicyOutdated'],
  },
};
