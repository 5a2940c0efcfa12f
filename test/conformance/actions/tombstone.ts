import type { ContributionId } from '@usufruct/kernel';
import type { Actor } from '../play/actor.js';
import { STRANGER, word } from '../play/cast.js';
import * as move from '../play/move-text.js';

export const tombstoneContribution: Actor = {
  kind: 'tombstoneContribution',
  weight: 0.7,
  twists: ['wrong sender', 'unknown', 'again'],
  before: { again: ['tombstoneContribution'] },
  attempt({ ledger, random }, twist) {
    const again = twist === 'again';
    const contributions = ledger
      .all('contribution')
      .filter(({ tombstonedAtMs }) => (tombstonedAtMs !== null) === again);
    if (contributions.length === 0) return null;
    const contribution = random.pick(contributions);
    const contributionId = twist === 'unknown' ? word<ContributionId>('unknown') : contribution.id;
    const sender = twist === 'wrong sender' ? STRANGER : contribution.owner;
    const ids = [sender, contribution.datasetId, contributionId].map(move.address);
    const call = move.call('stage_data::tombstone_contribution', ...ids);
    return { sender, action: { kind: 'tombstoneContribution', contributionId }, call };
  },
  refusals: {
    'NOT_FOUND contribution': ['contribution::ENoContribution'],
    WRONG_WALLET: ['contribution::EWrongOwner'],
    'TOMBSTONED contribution': ['contribution::ETombstoned'],
  },
};

export const tombstoneHolder: Actor = {
  kind: 'tombstoneHolder',
  weight: 0.3,
  twists: ['wrong operator', 'no such member', 'again'],
  before: { again: ['tombstoneHolder'] },
  attempt({ ledger, random }, twist) {
    const members = ledger.all('holder-set').flatMap((set) =>
      set.members.flatMap(({ operator, signingPublicKey }, index) => {
        const isRetired = set.tombstonedKeys.includes(signingPublicKey);
        return isRetired === (twist === 'again') ? [{ set, operator, index }] : [];
      }),
    );
    if (members.length === 0) return null;
    const { set, operator, index } = random.pick(members);
    const member = twist === 'no such member' ? set.members.length : index;
    const sender = twist === 'wrong operator' ? STRANGER : operator;
    const call = move.call('stage_daos::tombstone_holder', ...[sender, set.id].map(move.address), move.number(member));
    return { sender, action: { kind: 'tombstoneHolder', holderSetId: set.id, member }, call };
  },
  refusals: {
    'INVALID_ARGUMENT member': ['holder_set::ENoSuchMember'],
    WRONG_WALLET: ['holder_set::EWrongOperator'],
    'TOMBSTONED holder': ['holder_set::EHolderTombstoned'],
  },
};
