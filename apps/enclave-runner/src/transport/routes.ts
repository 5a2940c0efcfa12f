import { makeEvidence } from '@usufruct/attestation';
import { asId, fromBase64Url, refuse, toBase64, type DaoId, type JobId, type QuestionId } from '@usufruct/kernel';
import {
  clientChallenge,
  LIMITS,
  parseAt,
  zAskRequest,
  zErasureRequest,
  zHex32,
  type RunnerIdentity,
  type RunnerLoad,
} from '@usufruct/protocol';
import { get, lines, post, type Route, type RouteRequest } from '@usufruct/service';
import { z } from 'zod';
import { eraseHere } from '../compute/erasure/erase-here.js';
import { EXTRACTIVE } from '../compute/rag/index.js';
import type { QuestionDesk } from '../compute/questions/question-desk.js';
import { Refusals } from '../compute/questions/refusals.js';
import { MAX_SESSIONS, type Sessions } from '../compute/session/sessions.js';
import type { RunnerContext } from '../context.js';

const zAfter = z.coerce.number().int().min(0).max(LIMITS.streamRecords).default(0);
const zStartJob = z.object({ jobId: zHex32<JobId>() });

export interface RunnerServices {
  readonly context: RunnerContext;
  readonly sessions: Sessions;
  readonly desk: QuestionDesk;
  /** In words; empty in production. */
  readonly standIns: readonly string[];
}

/** The runner's HTTP interface as `@usufruct/protocol` describes it. */
export function runnerRoutes({ context, sessions, desk, standIns }: RunnerServices): Route[] {
  const { chain, device, keys } = context;
  const questions = new Refusals(context, sessions, desk);
  return [
    get('/v1/runner', async (): Promise<RunnerIdentity> => ({
      runnerId: keys.runnerId,
      signingPublicKey: toBase64(keys.bound.signingPublicKey),
      hpkePublicKey: toBase64(keys.bound.hpkePublicKey),
      measurement: await device.measurement(),
      profile: device.profile,
      standIns: [...standIns],
      generators: (context.generators ?? [EXTRACTIVE]).map(({ kind, model }) => ({
        kind,
        ...(model !== undefined && { model }),
      })),
    })),
    get('/v1/load', (): RunnerLoad => {
      const ready = sessions.all().filter(({ state, isOver }) => state === 'running' && !isOver);
      return {
        sessions: sessions.taken,
        sessionsAtMost: MAX_SESSIONS,
        questionsUnderWay: desk.questionsUnderWay,
        datasets: [...new Set(ready.map(({ job }) => job.datasetId))],
      };
    }),
    get('/v1/walks', ({ query }) => ({ notices: context.store.walks.of(asId<DaoId>(query['daoId'] ?? '', 'daoId')) })),
    get('/v1/attestation', ({ query }) => {
      const nonce = fromBase64Url(query['nonce'] ?? '', 'nonce');
      if (nonce.length !== 32) throw refuse('INVALID_ARGUMENT', { field: 'nonce', expected: '32 bytes' });
      const jobId = asId<JobId>(query['jobId'] ?? '', 'jobId');
      return makeEvidence(device, { challenges: [clientChallenge(nonce)], jobId, keys: keys.bound });
    }),
    post('/v1/erasures', ({ body }) => eraseHere(context, sessions, parseAt(zErasureRequest, body, 'erasures'))),
    post('/v1/jobs', async ({ body }) => {
      const job = await chain.job(parseAt(zStartJob, body, 'job').jobId);
      sessions.open(job);
      return sessions.view(job);
    }),
    get('/v1/jobs/:jobId', async (request) => sessions.view(await chain.job(jobIdOf(request)))),
    post('/v1/jobs/:jobId/questions', (request) =>
      questions.ask(jobIdOf(request), parseAt(zAskRequest, request.body, 'question')),
    ),
    lines('/v1/jobs/:jobId/questions/:questionId/stream', (request, signal) =>
      desk.lines(jobIdOf(request), questionIdOf(request), afterOf(request), signal),
    ),
    get('/v1/jobs/:jobId/questions/:questionId', (request) => questions.read(jobIdOf(request), questionIdOf(request))),
  ];
}

const jobIdOf = ({ path }: RouteRequest): JobId => asId<JobId>(path['jobId'] ?? '', 'jobId');
const questionIdOf = ({ path }: RouteRequest): QuestionId => asId<QuestionId>(path['questionId'] ?? '', 'questionId');
const afterOf = ({ query }: RouteRequest): number => parseAt(zAfter, query['after'], 'after');
