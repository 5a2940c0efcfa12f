import { refuse, toBase64, type HolderSetId } from '@usufruct/kernel';
import {
  parseAt,
  zChallengeRequest,
  zDepositShareRequest,
  zHex32,
  zLogQuery,
  zRegistrationRequest,
  zReleaseRequest,
  type HolderIdentity,
} from '@usufruct/protocol';
import { z } from 'zod';
import { depositShare } from '../decisions/deposit.js';
import { registerRunner } from '../decisions/registration.js';
import { release } from '../decisions/release.js';
import type { Holder } from '../holder.js';
import { queryLog, treeHead } from '../log/queries.js';

/** Answers one request: the body of a POST, or the query of a GET. */
type Handler = (holder: Holder, input: unknown) => Promise<unknown>;

const zHeadQuery = z.object({ holderSetId: zHex32<HolderSetId>().optional() });
const count = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const zConsistencyQuery = z.object({ first: count, second: count });

/** libs/protocol, release-types.ts, says what each of them takes and gives. */
export const ROUTES: Readonly<Record<string, Handler>> = {
  'GET /healthz': async () => ({ status: 'ok' }),
  'GET /readyz': async ({ chain }) => {
    await chain.info();
    return { status: 'ok' };
  },
  'GET /v1/identity': identity,
  'GET /v1/log/head': async (holder, query) => treeHead(holder, parseAt(zHeadQuery, query, 'log/head').holderSetId),
  'GET /v1/log/consistency': async ({ log }, query) => {
    const { first, second } = parseAt(zConsistencyQuery, query, 'log/consistency');
    return { proof: log.consistencyProof(first, second) };
  },
  'POST /v1/shares': async (holder, body) => depositShare(holder, parseAt(zDepositShareRequest, body, 'shares')),
  'POST /v1/challenges': async ({ challenges }, body) => {
    const request = parseAt(zChallengeRequest, body, 'challenges');
    return challenges.issue(request.for, request.for === 'release' ? request.jobId : request.daoId);
  },
  'POST /v1/registrations': async (holder, body) =>
    registerRunner(holder, parseAt(zRegistrationRequest, body, 'registrations')),
  'POST /v1/releases': async (holder, body) => release(holder, parseAt(zReleaseRequest, body, 'releases')),
  'POST /v1/log/query': async (holder, body) => queryLog(holder, parseAt(zLogQuery, body, 'log/query')),
};

async function identity({ keys, chain, standIns }: Holder): Promise<HolderIdentity> {
  return {
    signingPublicKey: toBase64(keys.signing.publicKey),
    sealingPublicKey: toBase64(keys.sealing.publicKey),
    operator: keys.operator.address,
    chainId: (await chain.info()).chainId,
    standIns: [...standIns],
  };
}

export function handlerOf(method: string | undefined, path: string): Handler {
  const handler = ROUTES[`${method} ${path}`];
  if (handler === undefined) throw refuse('NOT_FOUND', { path: 'no such route' });
  return handler;
}
