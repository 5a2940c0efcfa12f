import type { EventRows } from './row.js';
import { blobView, contributionState, termsView } from './wire-values.js';

/** Datasets, contributions and grants. */
export const DATA_ROWS: EventRows<
  'DatasetCreated' | 'ContributionRegistered' | 'ContributionDecided' | 'GrantGiven' | 'GrantRevoked'
> = {
  DatasetCreated: {
    dao: (event) => event.dao_id,
    learn: (event, index) =>
      void index.datasets.add(event.dataset_id, { object: event.object, daoId: event.dao_id, contributions: [] }),
    data: (event) => ({
      type: 'DatasetCreated',
      dataset: {
        id: event.dataset_id,
        daoId: event.dao_id,
        metadataHash: event.metadata_hash,
        contributionCount: 0,
        answerRules: event.answer_rules,
        tombstonedAtMs: null,
      },
    }),
  },
  ContributionRegistered: {
    dao: (event, index) => index.datasets.known(event.dataset_id).daoId,
    learn: (event, index) => {
      index.datasets.known(event.dataset_id).contributions.push(event.contribution_id);
      index.contributions.add(event.contribution_id, { datasetId: event.dataset_id, grants: [] });
    },
    data: (event) => ({
      type: 'ContributionRegistered',
      contribution: {
        id: event.contribution_id,
        datasetId: event.dataset_id,
        owner: event.owner,
        state: 'proposed',
        manifestDigest: event.manifest_digest,
        manifestBlob: blobView(event.manifest_blob),
        parts: event.parts.map(blobView),
        holderSetId: event.holder_set_id,
        policyDigest: event.policy_digest,
        tombstonedAtMs: null,
      },
    }),
  },
  ContributionDecided: {
    dao: (event) => event.dao_id,
    learn: (event, index) => void index.contributions.known(event.contribution_id),
    data: (event) => ({
      type: 'ContributionDecided',
      contributionId: event.contribution_id,
      datasetId: event.dataset_id,
      daoId: event.dao_id,
      state: contributionState(event.state),
      owner: event.owner,
    }),
  },
  GrantGiven: {
    dao: (event, index) => index.datasets.known(index.contributions.known(event.contribution_id).datasetId).daoId,
    learn: (event, index) => {
      index.contributions.known(event.contribution_id).grants.push(event.grant_id);
      index.grants.add(event.grant_id, { contributionId: event.contribution_id });
    },
    data: (event) => ({
      type: 'GrantGiven',
      grant: {
        id: event.grant_id,
        contributionId: event.contribution_id,
        grantor: event.grantor,
        terms: termsView(event.terms),
        givenAtMs: event.given_at_ms,
        revokedAtMs: null,
      },
    }),
  },
  GrantRevoked: {
    dao: (event, index) => index.datasets.known(index.contributions.known(event.contribution_id).datasetId).daoId,
    learn: (event, index) => void index.grants.known(event.grant_id),
    data: (event) => ({
      type: 'GrantRevoked',
      grantId: event.grant_id,
      contributionId: event.contribution_id,
      revokedAtMs: event.revoked_at_ms,
    }),
  },
};
