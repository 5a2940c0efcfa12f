import { toBase64, type DaoId, type HolderSetId } from '@usufruct/kernel';
import {
  parseAt,
  PARTS_PER_PAGE,
  zAcknowledge,
  zCertificatesQuery,
  zChallengeRequest,
  zCountersignRequest,
  zDeliverOpening,
  zDealRequest,
  zDepositLeasedKey,
  zDepositShareRequest,
  zEgressRequest,
  zErasureRequest,
  zHex32,
  zHoldingsQuery,
  zLeaseRequest,
  zLogQuery,
  zOpeningsQuery,
  zPartsQuery,
  zPayoutQuery,
  zRegistrationRequest,
  zReleaseRequest,
  zReshareCertificate,
  zSubSharesRequest,
  type HolderIdentity,
} from '@usufruct/protocol';
import { get, post, type Route } from '@usufruct/service';
import { z } from 'zod';
import { shownAnomalies } from '../decisions/anomaly.js';
import { depositShare } from '../decisions/deposit.js';
import { registerRunner } from '../decisions/registration.js';
import { release } from '../decisions/release.js';
import { erase } from '../erasure/erase.js';
import type { Holder } from '../holder.js';
import { depositLeasedKey } from '../lease/deposit.js';
import { grantEgress } from '../lease/egress.js';
import { lease } from '../lease/lease.js';
import { queryLog, treeHead } from '../log/queries.js';
import { acceptOpening } from '../payout/accept-opening.js';
import { countersign } from '../payout/countersign.js';
import { queryOpenings } from '../payout/query-openings.js';
import { queryPayouts } from '../payout/query-payouts.js';
import { acknowledge } from '../rotation/acknowledge.js';
import { acceptCertificate } from '../rotation/certify.js';
import { dealAgain } from '../rotation/deal.js';
import { listHoldings } from '../rotation/holdings.js';
import { receiveSubShares } from '../rotation/receive.js';
import { currentSealingKey } from '../sealing/sealed.js';

const zHeadQuery = z.object({ holderSetId: zHex32<HolderSetId>().optional() });
const zAnomaliesQuery = z.object({ daoId: zHex32<DaoId>() });
const count = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const zConsistencyQuery = z.object({ first: count, second: count });

/** libs/protocol, release-types.ts and epoch-messages.ts, say what each of them takes and gives. */
export const holderRoutes = (holder: Holder): Route[] => [
  get('/v1/identity', () => identity(holder)),
  get('/v1/sealing-key', () => currentSealingKey(holder)),
  get('/v1/log/head', ({ query }) => treeHead(holder, parseAt(zHeadQuery, query, 'log/head').holderSetId)),
  get('/v1/log/consistency', ({ query }) => {
    const { first, second } = parseAt(zConsistencyQuery, query, 'log/consistency');
    return { proof: holder.log.consistencyProof(first, second) };
  }),
  post('/v1/shares', ({ body }) => depositShare(holder, parseAt(zDepositShareRequest, body, 'shares'))),
  post('/v1/challenges', ({ body }) => {
    const request = parseAt(zChallengeRequest, body, 'challenges');
    return holder.challenges.issue(request.for, request.for === 'registration' ? request.daoId : request.jobId);
  }),
  post('/v1/registrations', ({ body }) => registerRunner(holder, parseAt(zRegistrationRequest, body, 'registrations'))),
  post('/v1/releases', ({ body }) => release(holder, parseAt(zReleaseRequest, body, 'releases'))),
  get('/v1/anomalies', ({ query }) => {
    const { daoId } = parseAt(zAnomaliesQuery, query, 'anomalies');
    return { anomalies: shownAnomalies(holder, daoId) };
  }),
  post('/v1/leases/keys', ({ body }) => depositLeasedKey(holder, parseAt(zDepositLeasedKey, body, 'leases/keys'))),
  post('/v1/leases', ({ body }) => lease(holder, parseAt(zLeaseRequest, body, 'leases'))),
  post('/v1/egress-tokens', ({ body }) => grantEgress(holder, parseAt(zEgressRequest, body, 'egress-tokens'))),
  post('/v1/log/query', ({ body }) => queryLog(holder, parseAt(zLogQuery, body, 'log/query'))),
  post('/v1/erasures', ({ body }) => erase(holder, parseAt(zErasureRequest, body, 'erasures'))),
  post('/v1/openings', ({ body }) => acceptOpening(holder, parseAt(zDeliverOpening, body, 'openings'))),
  post('/v1/openings/query', ({ body }) => queryOpenings(holder, parseAt(zOpeningsQuery, body, 'openings/query'))),
  post('/v1/countersignatures', ({ body }) =>
    countersign(holder, parseAt(zCountersignRequest, body, 'countersignatures')),
  ),
  get('/v1/equivocations', () => ({ equivocations: holder.equivocations.list() })),
  get('/v1/resharings/holdings', ({ query }) => listHoldings(holder, parseAt(zHoldingsQuery, query, 'holdings'))),
  post('/v1/resharings/dealings', ({ body }) => dealAgain(holder, parseAt(zDealRequest, body, 'dealings'))),
  post('/v1/resharings/sub-shares', ({ body }) =>
    receiveSubShares(holder, parseAt(zSubSharesRequest, body, 'sub-shares')),
  ),
  get('/v1/resharings/parts', ({ query }) => {
    const { holderSetId, after } = parseAt(zPartsQuery, query, 'parts');
    return { parts: holder.subShares.partsOf(holderSetId, after, PARTS_PER_PAGE) };
  }),
  post('/v1/resharings/acknowledgements', ({ body }) =>
    acknowledge(holder, parseAt(zAcknowledge, body, 'acknowledgements')),
  ),
  get('/v1/resharings/certificates', ({ query }) => {
    const { holderSetId, after } = parseAt(zCertificatesQuery, query, 'certificates');
    return { certificates: holder.certificates.list(holderSetId, after) };
  }),
  post('/v1/resharings/certificates', ({ body }) =>
    acceptCertificate(holder, parseAt(zReshareCertificate, body, 'certificates')),
  ),
  post('/v1/payouts/query', ({ body }) => queryPayouts(holder, parseAt(zPayoutQuery, body, 'payouts/query'))),
];

async function identity({ keys, chain, standIns }: Holder): Promise<HolderIdentity> {
  return {
    signingPublicKey: toBase64(keys.signing.publicKey),
    sealingPublicKey: toBase64(keys.sealing.publicKey),
    operator: keys.operator.address,
    chainId: (await chain.info()).chainId,
    standIns: [...standIns],
  };
}
