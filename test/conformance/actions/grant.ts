import { asAmount, asTimestampMs, type ContributionId, type GrantId, type Hex32 } from '@usufruct/kernel';
import { deriveId, type ContributionView, type GrantTerms } from '@usufruct/protocol';
import { saltOf, type Actor, type Play } from '../play/actor.js';
import { MINUTE_MS, STRANGER, word } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { isLivingAsTold } from './living.js';
import { KINDS, PROTECTIONS, PURPOSES } from './policy.js';
import { DECIDED, RETIRED, retirementFor } from './voting.js';

/** Beside the policy's: one that covers all, a restriction that nobody can check, one that covers nothing. */
const MORE_PURPOSES = ['DUO:0000004', 'DUO:0000045', 'DUO:0000007', 'dpv:Purpose'];
const TERM_TWISTS = ['no purposes', 'purpose code', 'no kinds', 'kind twice', 'no protections', 'expired'];

export const giveGrant: Actor = {
  kind: 'giveGrant',
  weight: 4,
  twists: [...TERM_TWISTS, 'wrong sender', 'unknown', 'declined', 'taken', 'tombstoned', RETIRED],
  before: {
    tombstoned: ['tombstoneContribution'],
    declined: ['registerContribution', 'decideContribution'],
    [RETIRED]: DECIDED,
  },
  needs: retirementFor,
  attempt(play, twist) {
    const { ledger, random } = play;
    const declined = twist === 'declined';
    const tombstoned = twist === 'tombstoned';
    const isChosen = ({ state, tombstonedAtMs }: ContributionView): boolean =>
      (state === 'declined') === declined && (tombstonedAtMs !== null) === tombstoned;
    const contributions = ledger
      .all('contribution')
      .filter((one) => isChosen(one) && isLivingAsTold(play, one.datasetId, twist));
    if (contributions.length === 0) return null;
    const contribution = random.pick(contributions);
    const contributionId = twist === 'unknown' ? word<ContributionId>('unknown') : contribution.id;
    const sender = twist === 'wrong sender' ? STRANGER : contribution.owner;
    const idOf = (salt: Hex32): GrantId => deriveId<GrantId>('grant', contributionId, sender, salt);
    const salt = saltOf(twist === 'taken', (one) => ledger.read('grant', idOf(one)) !== undefined);
    if (salt === null) return null;
    const terms = termsOf(play, contribution, twist);
    const call = move.call(
      'stage_data::give_grant',
      ...[sender, contribution.datasetId, contributionId, salt].map(move.address),
      move.list(terms.purposes.map(move.text)),
      move.list(terms.kinds.map(move.kind)),
      move.list(terms.protections.map(move.protection)),
      move.number(terms.priceFloorUnits),
      move.number(terms.budgetMicroEpsilon),
      move.number(terms.expiresAtMs),
    );
    return { sender, action: { kind: 'giveGrant', salt, contributionId, terms }, call };
  },
  refusals: {
    'NOT_FOUND contribution': ['contribution::ENoContribution'],
    WRONG_WALLET: ['grant::EWrongOwner'],
    CONTRIBUTION_NOT_ACCEPTED: ['grant::ENotAccepted'],
    'TOMBSTONED dataset': ['dataset::ETombstoned'],
    'TOMBSTONED contribution': ['contribution::ETombstoned'],
    'ALREADY_EXISTS grant': ['grant::EIdTaken'],
    'INVALID_ARGUMENT purposes as a set': ['checks::ENotASet'],
    'INVALID_ARGUMENT purposes': ['checks::EPurposeCode'],
    'INVALID_ARGUMENT kinds as a set': ['checks::ENotASet'],
    'INVALID_ARGUMENT protections as a set': ['checks::ENotASet'],
    GRANT_EXPIRED: ['grant::EExpired'],
  },
};

function termsOf({ ledger, random }: Play, contribution: ContributionView, twist: string | null): GrantTerms {
  const { policy } = ledger.read('dao', ledger.read('dataset', contribution.datasetId)!.daoId)!;
  const price = policy.pricePerQuestionUnits;
  const termMs = random.pick([3, 12, 1_000, 1_000, 1_000]) * MINUTE_MS;
  // Narrow in one thing, if at all.
  const narrow = random.pick(['', '', '', '', '', 'purpose', 'computation', 'protection', 'floor']);
  const terms: GrantTerms = {
    purposes: narrow === 'purpose' ? random.some([...PURPOSES, ...MORE_PURPOSES], 2) : [...policy.purposes],
    kinds: narrow === 'computation' ? [random.pick(KINDS)] : [...KINDS],
    protections: narrow === 'protection' ? ['mpc', 'fhe'] : [...PROTECTIONS],
    priceFloorUnits: asAmount(narrow === 'floor' ? price + 1n : price),
    budgetMicroEpsilon: BigInt(random.pick([0, 1_000, 1_000, 1_000_000])),
    expiresAtMs: asTimestampMs(ledger.nowMs + termMs),
  };
  const changes: Readonly<Record<string, Partial<GrantTerms>>> = {
    'no purposes': { purposes: [] },
    'purpose code': { purposes: ['research'] },
    'no kinds': { kinds: [] },
    'kind twice': { kinds: ['rag', 'rag'] },
    'no protections': { protections: [] },
    expired: { expiresAtMs: ledger.nowMs },
  };
  return { ...terms, ...changes[twist ?? ''] };
}

export const revokeGrant: Actor = {
  kind: 'revokeGrant',
  weight: 1,
  twists: ['wrong sender', 'unknown', 'revoked'],
  before: { revoked: ['giveGrant', 'revokeGrant'] },
  attempt({ ledger, random }, twist) {
    const revoked = twist === 'revoked';
    const grants = ledger.all('grant').filter(({ revokedAtMs }) => (revokedAtMs !== null) === revoked);
    if (grants.length === 0) return null;
    const grant = random.pick(grants);
    const { datasetId } = ledger.read('contribution', grant.contributionId)!;
    const grantId = twist === 'unknown' ? word<GrantId>('unknown') : grant.id;
    const sender = twist === 'wrong sender' ? STRANGER : grant.grantor;
    const call = move.call('stage_data::revoke_grant', ...[sender, datasetId, grantId].map(move.address));
    return { sender, action: { kind: 'revokeGrant', grantId }, call };
  },
  refusals: {
    'NOT_FOUND grant': ['grant::EGrantRequired'],
    WRONG_WALLET: ['grant::EWrongOwner'],
    GRANT_REVOKED: ['grant::ERevoked'],
  },
};
