import { makeEvidence } from '@usufruct/attestation';
import { asId, fromBase64Url, refuse, toBase64, type JobId, type QuestionId } from '@usufruct/kernel';
import { clientChallenge, parseAt, zAskRequest, zHex32, type RunnerIdentity } from '@usufruct/protocol';
import { z } from 'zod';
import type { QuestionDesk } from '../compute/questions/question-desk.js';
import type { Sessions } from '../compute/session/sessions.js';
import type { RunnerContext } from '../context.js';
import type { HttpRequest, Route } from './http-server.js';

const zStartJob = z.object({ jobId: zHex32<JobId>() });

export interface RunnerServices {
  readonly context: RunnerContext;
  readonly sessions: Sessions;
  readonly desk: QuestionDesk;
  /** In words; empty in production. */
  readonly standIns: readonly string[];
}

/** The runner's HTTP interface as `@usufruct/protocol` describes it, and the probes. */
export function runnerRoutes({ context, sessions, desk, standIns }: RunnerServices): Route[] {
  const { chain, device, keys } = context;
  return [
    { method: 'GET', pattern: '/healthz', handle: () => ({ status: 'ok' }) },
    {
      method: 'GET',
      pattern: '/readyz',
      handle: async () => {
        const { chainId } = await chain.info();
        return { status: 'ready', chainId };
      },
    },
    {
      method: 'GET',
      pattern: '/v1/runner',
      handle: async (): Promise<RunnerIdentity> => ({
        runnerId: keys.runnerId,
        signingPublicKey: toBase64(keys.bound.signingPublicKey),
        hpkePublicKey: toBase64(keys.bound.hpkePublicKey),
        measurement: await device.measurement(),
        profile: device.profile,
        standIns: [...standIns],
      }),
    },
    {
      method: 'GET',
      pattern: '/v1/attestation',
      handle: ({ query }) => {
        const nonce = fromBase64Url(query.get('nonce') ?? '', 'nonce');
        if (nonce.length !== 32) throw refuse('INVALID_ARGUMENT', { field: 'nonce', expected: '32 bytes' });
        const jobId = asId<JobId>(query.get('jobId') ?? '', 'jobId');
        return makeEvidence(device, { challenges: [clientChallenge(nonce)], jobId, keys: keys.bound });
      },
    },
    {
      method: 'POST',
      pattern: '/v1/jobs',
      handle: async ({ body }) => {
        const job = await chain.job(parseAt(zStartJob, body, 'job').jobId);
        sessions.open(job);
        return sessions.view(job);
      },
    },
    {
      method: 'GET',
      pattern: '/v1/jobs/:jobId',
      handle: async (request) => sessions.view(await chain.job(jobIdOf(request))),
    },
    {
      method: 'POST',
      pattern: '/v1/jobs/:jobId/questions',
      handle: (request) => desk.ask(jobIdOf(request), parseAt(zAskRequest, request.body, 'question')),
    },
    {
      method: 'GET',
      pattern: '/v1/jobs/:jobId/questions/:questionId',
      handle: (request) =>
        desk.read(jobIdOf(request), asId<QuestionId>(request.path['questionId'] ?? '', 'questionId')),
    },
  ];
}

const jobIdOf = ({ path }: HttpRequest): JobId => asId<JobId>(path['jobId'] ?? '', 'jobId');
