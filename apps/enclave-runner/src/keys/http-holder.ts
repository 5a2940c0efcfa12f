import { fromBase64, refuse } from '@usufruct/kernel';
import {
  parseAnswer,
  zChallengeAnswer,
  zCountersignature,
  zDepositLeasedKeyAnswer,
  zEgressAnswer,
  zHolderIdentity,
  zLeaseAnswer,
  zOpeningAck,
  zOpeningsAnswer,
  zRegistrationAnswer,
  zReleaseAnswer,
  zSignedSealingKey,
} from '@usufruct/protocol';
import { requestJson, type HttpOptions } from '../transport/http-client.js';
import type { HolderPort } from './holder-port.js';

/** Many times what a share takes a holder on a small machine. */
const SHARE_MS = 5;

/** A key holder over its HTTP interface. */
export function httpHolder(baseUrl: string, options: HttpOptions): HolderPort {
  const url = baseUrl.replace(/\/+$/, '');
  const name = `key holder at ${url}`;
  const ask = (path: string, body?: unknown, timeoutMs = options.timeoutMs) =>
    requestJson({ url: `${url}${path}`, upstream: name, body }, { ...options, timeoutMs });
  return {
    name,
    identity: async () => parseAnswer(zHolderIdentity, await ask('/v1/identity'), name),
    sealingKey: async () => parseAnswer(zSignedSealingKey, await ask('/v1/sealing-key'), name),
    challenge: async (request) => {
      const answer = parseAnswer(zChallengeAnswer, await ask('/v1/challenges', request), name);
      const challenge = fromBase64(answer.challenge);
      if (challenge.length !== 32) throw refuse('UPSTREAM_INVALID', { upstream: name, field: 'challenge' });
      return challenge;
    },
    register: async (request) => parseAnswer(zRegistrationAnswer, await ask('/v1/registrations', request), name),
    release: async (request) => {
      const timeoutMs = options.timeoutMs + SHARE_MS * request.contributionIds.length;
      return parseAnswer(zReleaseAnswer, await ask('/v1/releases', request, timeoutMs), name);
    },
    depositLeasedKey: async (request) =>
      parseAnswer(zDepositLeasedKeyAnswer, await ask('/v1/leases/keys', request), name),
    lease: async (request) => parseAnswer(zLeaseAnswer, await ask('/v1/leases', request), name),
    grantEgress: async (request) => parseAnswer(zEgressAnswer, await ask('/v1/egress-tokens', request), name),
    deliverOpening: async (request) => parseAnswer(zOpeningAck, await ask('/v1/openings', request), name),
    openings: async (query) => parseAnswer(zOpeningsAnswer, await ask('/v1/openings/query', query), name),
    countersign: async (request) => parseAnswer(zCountersignature, await ask('/v1/countersignatures', request), name),
  };
}
