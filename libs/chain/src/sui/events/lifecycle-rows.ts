import { refuse, toBase64 } from '@usufruct/kernel';
import type { EventRows } from './row.js';
import { licenceTermsView, licenceView, memberViews, payoutView } from './wire-values.js';

/** What lasts and what ends. */
export const LIFECYCLE_ROWS: EventRows<
  | 'HolderSetRotated'
  | 'HolderTombstoned'
  | 'ContributionTombstoned'
  | 'DatasetTombstoned'
  | 'AnswerRulesSet'
  | 'LeaseRenewed'
  | 'LicenceOffered'
  | 'LicenceOfferWithdrawn'
  | 'LicenceBought'
> = {
  HolderSetRotated: {
    dao: () => null,
    learn: (event, index) => {
      const set = index.holderSets.known(event.holder_set_id);
      if (event.version !== set.version + 1) throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'a rotation is missing' });
      set.version = event.version;
    },
    data: (event) => ({
      type: 'HolderSetRotated',
      holderSetId: event.holder_set_id,
      version: event.version,
      members: memberViews(event),
      threshold: event.threshold,
    }),
  },
  HolderTombstoned: {
    dao: () => null,
    learn: (event, index) => void index.holderSets.known(event.holder_set_id),
    data: (event) => ({
      type: 'HolderTombstoned',
      holderSetId: event.holder_set_id,
      member: event.member,
      signingPublicKey: toBase64(event.signing_public_key),
    }),
  },
  ContributionTombstoned: {
    dao: (event, index) => index.datasets.known(event.dataset_id).daoId,
    learn: (event, index) => void index.contributions.known(event.contribution_id),
    data: (event) => ({
      type: 'ContributionTombstoned',
      contributionId: event.contribution_id,
      datasetId: event.dataset_id,
      tombstonedAtMs: event.tombstoned_at_ms,
    }),
  },
  DatasetTombstoned: {
    dao: (event) => event.dao_id,
    learn: (event, index) => void index.datasets.known(event.dataset_id),
    data: (event) => ({
      type: 'DatasetTombstoned',
      datasetId: event.dataset_id,
      daoId: event.dao_id,
      tombstonedAtMs: event.tombstoned_at_ms,
    }),
  },
  AnswerRulesSet: {
    dao: (event) => event.dao_id,
    learn: (event, index) => void index.datasets.known(event.dataset_id),
    data: (event) => ({
      type: 'AnswerRulesSet',
      datasetId: event.dataset_id,
      daoId: event.dao_id,
      answerRules: event.answer_rules,
    }),
  },
  LeaseRenewed: {
    dao: (event, index) => index.datasets.known(index.contributions.known(event.contribution_id).datasetId).daoId,
    data: (event) => ({
      type: 'LeaseRenewed',
      contributionId: event.contribution_id,
      renewals: event.renewals.map(({ blob, end_epoch: endEpoch }) => ({ blob, endEpoch })),
    }),
  },
  LicenceOffered: {
    dao: (event) => event.dao_id,
    learn: (event, index) => {
      index.datasets.known(event.terms.dataset_id);
      index.offers.add(event.offer_id, { daoId: event.dao_id, datasetId: event.terms.dataset_id });
    },
    data: (event) => ({
      type: 'LicenceOffered',
      offer: {
        id: event.offer_id,
        daoId: event.dao_id,
        terms: licenceTermsView(event.terms),
        withdrawnAtMs: null,
      },
    }),
  },
  LicenceOfferWithdrawn: {
    dao: (event) => event.dao_id,
    learn: (event, index) => void index.offers.known(event.offer_id),
    data: (event) => ({
      type: 'LicenceOfferWithdrawn',
      offerId: event.offer_id,
      daoId: event.dao_id,
      withdrawnAtMs: event.withdrawn_at_ms,
    }),
  },
  LicenceBought: {
    dao: (event) => event.dao_id,
    learn: (event, index) => {
      index.offers.known(event.offer_id);
      index.licences.add(event.licence_id, { object: event.object, daoId: event.dao_id });
    },
    data: (event) => ({
      type: 'LicenceBought',
      licence: licenceView(event),
      payouts: event.payouts.map(payoutView),
    }),
  },
};
