import { decimalOf, granted, refused, type Result, type TimestampMs } from '@usufruct/kernel';
import type {
  ChainInfo,
  ComputationKind,
  ContributionView,
  DaoView,
  DatasetView,
  GrantView,
  ProtectionKind,
} from '@usufruct/protocol';
import { unverifiable, unverifiableCodes } from '../purposes.js';
import { purposeIri } from '../vocabulary.js';
import type { JsonObject } from './json.js';
import { isoTime, ODRL_PROFILE, ref, urn } from './names.js';

/**
 * Offers by the ODRL Information Model 2.2 (W3C Recommendation 2018-02-15), for catalogues to read. They say what is
 * offered at the moment that they were made; what holds is what the chain says when a key is asked for.
 */

type Chain = Pick<ChainInfo, 'chainId' | 'coin'>;

interface Offered {
  readonly uid: string;
  readonly target: string;
  readonly assigner: string;
  readonly purposes: readonly string[];
  readonly kinds: readonly ComputationKind[];
  readonly protections: readonly ProtectionKind[];
  readonly pay: { readonly operator: 'eq' | 'gteq'; readonly units: bigint };
  readonly endsAtMs?: TimestampMs;
}

export interface DatasetOfferParams {
  readonly chain: Chain;
  readonly dataset: Pick<DatasetView, 'id' | 'tombstonedAtMs'>;
  readonly dao: Pick<DaoView, 'id' | 'policy' | 'policyVersion' | 'paused'>;
}

/**
 * What the DAO's policy offers of a dataset, at its price. Each contributor's grant may allow less. Refuses
 * `TOMBSTONED` and `DAO_PAUSED` where there is nothing to offer, and `PURPOSE_DENIED` where the policy offers nothing
 * that a job may ask for.
 */
export function datasetOffer({ chain, dataset, dao }: DatasetOfferParams): Result<JsonObject> {
  if (dataset.tombstonedAtMs !== null) return refused('TOMBSTONED', { datasetId: dataset.id });
  if (dao.paused) return refused('DAO_PAUSED', { daoId: dao.id });
  const { purposes, kinds, protections, pricePerQuestionUnits } = dao.policy;
  if (isEmpty(purposes, kinds, protections)) return refused('PURPOSE_DENIED', { ...unverifiable(purposes) });
  return granted(
    offer(chain, {
      uid: urn(chain, 'offer', `${dataset.id}:policy-${dao.policyVersion}`),
      target: urn(chain, 'dataset', dataset.id),
      assigner: urn(chain, 'dao', dao.id),
      purposes,
      kinds,
      protections,
      pay: { operator: 'eq', units: pricePerQuestionUnits },
    }),
  );
}

export interface GrantOfferParams {
  readonly chain: Chain;
  readonly grant: GrantView;
  readonly contribution: Pick<ContributionView, 'id' | 'owner' | 'tombstonedAtMs'>;
  readonly nowMs: number;
}

/** What one grant allows of one contribution. Refuses where `decide` would: what was taken back is not offered. */
export function grantOffer({ chain, grant, contribution, nowMs }: GrantOfferParams): Result<JsonObject> {
  const { purposes, kinds, protections, priceFloorUnits, expiresAtMs } = grant.terms;
  if (contribution.tombstonedAtMs !== null) return refused('TOMBSTONED', { contributionId: contribution.id });
  const isOfOwner = grant.contributionId === contribution.id && grant.grantor === contribution.owner;
  if (!isOfOwner) return refused('GRANT_REQUIRED', { grantId: grant.id });
  if (grant.revokedAtMs !== null) return refused('GRANT_REVOKED', { revokedAtMs: String(grant.revokedAtMs) });
  if (!(nowMs < expiresAtMs)) return refused('GRANT_EXPIRED', { expiredAtMs: String(expiresAtMs) });
  if (isEmpty(purposes, kinds, protections)) return refused('PURPOSE_DENIED', { ...unverifiable(purposes) });
  return granted(
    offer(chain, {
      uid: urn(chain, 'offer', grant.id),
      target: urn(chain, 'contribution', contribution.id),
      assigner: urn(chain, 'account', grant.grantor),
      purposes,
      kinds,
      protections,
      pay: { operator: 'gteq', units: priceFloorUnits },
      endsAtMs: expiresAtMs,
    }),
  );
}

/** A restriction that cannot be checked makes the whole list allow nothing: see `purposesCover`. */
const isEmpty = (...lists: readonly (readonly string[])[]): boolean =>
  lists.some((list) => list.length === 0) || unverifiableCodes(lists[0] ?? []).length > 0;

function offer({ coin }: Chain, offered: Offered): JsonObject {
  const { uid, target, assigner, purposes, kinds, protections, pay, endsAtMs } = offered;
  const isAnyOf = (leftOperand: string, values: readonly string[]): JsonObject => ({
    '@type': 'Constraint',
    leftOperand,
    operator: 'isAnyOf',
    rightOperand: values.map(ref),
  });
  return {
    '@context': 'http://www.w3.org/ns/odrl.jsonld',
    '@type': 'Offer',
    uid,
    profile: ODRL_PROFILE,
    conflict: 'prohibit',
    permission: [
      {
        '@type': 'Permission',
        target,
        assigner,
        action: 'use',
        constraint: [
          isAnyOf('purpose', purposes.map(purposeIri)),
          isAnyOf(
            `${ODRL_PROFILE}:computation`,
            kinds.map((kind) => `${ODRL_PROFILE}:computation:${kind}`),
          ),
          isAnyOf(
            `${ODRL_PROFILE}:protection`,
            protections.map((one) => `${ODRL_PROFILE}:protection:${one}`),
          ),
          ...(endsAtMs === undefined ? [] : [until(endsAtMs)]),
        ],
        duty: [compensation(coin, pay)],
      },
    ],
    // Nobody is ever handed the data; a model is derived from it only where training is granted.
    prohibition: ['distribute', 'reproduce', ...(kinds.includes('train') ? [] : ['derive'])].map((action) => ({
      '@type': 'Prohibition',
      target,
      assigner,
      action,
    })),
  };
}

const until = (atMs: TimestampMs): JsonObject => ({
  '@type': 'Constraint',
  leftOperand: 'dateTime',
  operator: 'lt',
  rightOperand: { '@value': isoTime(atMs), '@type': 'xsd:dateTime' },
});

/** Per question, in whole coins; the form of example 20 of the model. */
const compensation = (coin: ChainInfo['coin'], { operator, units }: Offered['pay']): JsonObject => ({
  '@type': 'Duty',
  action: [
    {
      'rdf:value': ref('odrl:compensate'),
      refinement: [
        {
          '@type': 'Constraint',
          leftOperand: 'payAmount',
          operator,
          rightOperand: { '@value': decimalOf(units, coin), '@type': 'xsd:decimal' },
          unit: `urn:usufruct:coin:${encodeURIComponent(coin.type)}`,
        },
      ],
    },
  ],
});
