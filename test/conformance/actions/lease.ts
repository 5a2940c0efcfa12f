import type { Address, ContributionId } from '@usufruct/kernel';
import { ROLES, type ContributionView, type LeaseRenewal } from '@usufruct/protocol';
import type { Actor, Play } from '../play/actor.js';
import { STRANGER, word } from '../play/cast.js';
import * as move from '../play/move-text.js';
import { isLivingAsTold } from './living.js';
import { holderOf } from './members.js';
import { DECIDED, RETIRED, retirementFor } from './voting.js';

export const renewLease: Actor = {
  kind: 'renewLease',
  weight: 1,
  twists: [
    'wrong sender',
    'unknown',
    'none',
    'unknown blob',
    'blob twice',
    'as it is',
    'shorter',
    'tombstoned',
    RETIRED,
  ],
  before: {
    tombstoned: ['registerContribution', 'tombstoneContribution'],
    shorter: ['renewLease'],
    [RETIRED]: ['registerContribution', ...DECIDED],
  },
  needs: retirementFor,
  prepare: ['registerContribution'],
  attempt(play, twist) {
    const { ledger, random } = play;
    const tombstoned = twist === 'tombstoned';
    const contributions = ledger
      .all('contribution')
      .filter(({ tombstonedAtMs }) => (tombstonedAtMs !== null) === tombstoned)
      .filter((one) => isLivingAsTold(play, one.datasetId, twist));
    if (contributions.length === 0) return null;
    const contribution = random.pick(contributions);
    const { datasetId } = contribution;
    const { daoId } = ledger.read('dataset', datasetId)!;
    const contributionId = twist === 'unknown' ? word<ContributionId>('unknown') : contribution.id;
    const sender = twist === 'wrong sender' ? STRANGER : keeperOf(play, contribution);
    const renewals = renewalsOf(play, contribution, twist);
    const call = move.call(
      'stage_data::renew_lease',
      ...[sender, datasetId, daoId, contributionId].map(move.address),
      move.list(renewals.map(({ blob }) => move.address(blob))),
      move.list(renewals.map(({ endEpoch }) => move.number(endEpoch))),
    );
    return { sender, action: { kind: 'renewLease', contributionId, renewals }, call };
  },
  refusals: {
    'NOT_FOUND contribution': ['contribution::ENoContribution'],
    'FORBIDDEN steward': ['contribution::EWrongKeeper'],
    'TOMBSTONED dataset': ['dataset::ETombstoned'],
    'TOMBSTONED contribution': ['contribution::ETombstoned'],
    // None of them, or one twice.
    'INVALID_ARGUMENT renewals': ['contribution::ERenewals', 'contribution::EBlobTwice'],
    'INVALID_ARGUMENT renewals.N.blob': ['contribution::EUnknownBlob'],
    'INVALID_ARGUMENT renewals.N.endEpoch': ['blob_reference::ELeaseShorter'],
  },
};

/** The owner, or a steward where there is one. */
function keeperOf(play: Play, { owner, datasetId }: ContributionView): Address {
  if (play.random.chance(0.6)) return owner;
  return holderOf(play, play.ledger.read('dataset', datasetId)!.daoId, ROLES.steward);
}

/** Some of the contribution's blobs, each once, until later than now. */
function renewalsOf(
  { random }: Pick<Play, 'random'>,
  { manifestBlob, parts }: ContributionView,
  twist: string | null,
): LeaseRenewal[] {
  const renewals = random
    .some([manifestBlob, ...parts])
    .map(({ blob, endEpoch }) => ({ blob, endEpoch: endEpoch + random.pick([1, 1, 30]) }));
  const [first, ...others] = renewals;
  if (first === undefined || twist === 'none') return [];
  const known = [manifestBlob, ...parts].find(({ blob }) => blob === first.blob)!;
  switch (twist) {
    case 'unknown blob':
      return [...renewals, { blob: word('unknown blob'), endEpoch: first.endEpoch }];
    case 'blob twice':
      return [...renewals, { ...first, endEpoch: first.endEpoch + 1 }];
    case 'as it is':
      return [...others, { ...first, endEpoch: known.endEpoch }];
    case 'shorter':
      return [{ ...first, endEpoch: known.endEpoch - 1 }, ...others];
    default:
      return renewals;
  }
}
