import type { DatasetId, Digest } from '@usufruct/kernel';
import { deriveId, ROLES, type AnswerRules } from '@usufruct/protocol';
import { saltOf, type Actor, type Play } from '../play/actor.js';
import { word } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { someDataset } from './living.js';
import { holderOf, membersOf, outsiderOf } from './members.js';
import { DECIDED, RETIRED, retirementFor } from './voting.js';

/** Up to the most that each may be, and for the reach one more. */
const answerRulesOf = ({ random }: Pick<Play, 'random'>, twist: string | null): AnswerRules => ({
  maxQuoteChars: random.pick([0, 1, 300, 2 ** 32 - 1]),
  minContributors: random.pick([0, 1, 5, 2 ** 16 - 1]),
  maxReachBps: twist === 'long reach' ? 10_001 : random.pick([0, 1, 2_500, 10_000]),
});

export const answerRulesText = (rules: AnswerRules): string =>
  `stage_data::rules(${[rules.maxQuoteChars, rules.minContributors, rules.maxReachBps].map(move.number).join(', ')})`;

export const createDataset: Actor = {
  kind: 'createDataset',
  weight: 1,
  twists: ['no member', 'taken', 'paused', 'long reach'],
  before: { paused: ['pauseDao'] },
  attempt(play, twist) {
    const { ledger, random } = play;
    const daos = ledger.all('dao');
    if (daos.length === 0) return null;
    const { id: daoId, founder } = random.pick(daos);
    const member = twist === 'taken' ? founder : random.pick(membersOf(play, daoId)).address;
    const sender = twist === 'no member' ? outsiderOf(play, daoId) : member;
    const idOf = (salt: `0x${string}`): DatasetId => deriveId<DatasetId>('dataset', daoId, sender, salt);
    const salt = saltOf(twist === 'taken', (one) => ledger.read('dataset', idOf(one)) !== undefined);
    if (salt === null) return null;
    const metadataHash = word<Digest>('metadata');
    const args = [sender, daoId, idOf(salt), salt, metadataHash].map(move.address);
    const answerRules = answerRulesOf(play, twist);
    const call = move.call('stage_data::create_dataset', ...args, answerRulesText(answerRules));
    return { sender, action: { kind: 'createDataset', salt, daoId, metadataHash, answerRules }, call };
  },
  refusals: {
    'FORBIDDEN member': ['data_dao::ERoleRequired'],
    DAO_PAUSED: ['data_dao::EPaused'],
    'ALREADY_EXISTS dataset': ['data_dao::EIdTaken'],
    'INVALID_ARGUMENT answerRules.maxReachBps': ['answer_rules::EReach'],
  },
};

export const setAnswerRules: Actor = {
  kind: 'setAnswerRules',
  weight: 1,
  twists: ['no steward', 'paused', 'long reach', RETIRED],
  before: { paused: ['pauseDao'], [RETIRED]: ['createDataset', ...DECIDED] },
  needs: retirementFor,
  prepare: ['createDataset'],
  attempt(play, twist) {
    const dataset = someDataset(play, twist);
    if (dataset === null) return null;
    const { id: datasetId, daoId } = dataset;
    const sender = twist === 'no steward' ? outsiderOf(play, daoId) : holderOf(play, daoId, ROLES.steward);
    const answerRules = answerRulesOf(play, twist);
    const args = [sender, daoId, datasetId].map(move.address);
    const call = move.call('stage_data::set_answer_rules', ...args, answerRulesText(answerRules));
    return { sender, action: { kind: 'setAnswerRules', datasetId, answerRules }, call };
  },
  refusals: {
    'FORBIDDEN steward': ['data_dao::ERoleRequired'],
    DAO_PAUSED: ['data_dao::EPaused'],
    'TOMBSTONED dataset': ['dataset::ETombstoned'],
    'INVALID_ARGUMENT answerRules.maxReachBps': ['answer_rules::EReach'],
  },
};
