import { Injectable } from '@nestjs/common';
import { toBase64Url, type ContributionId, type DaoId, type JobId, type QuestionId } from '@usufruct/kernel';
import {
  parseAnswer,
  zAskAnswer,
  zErasureAnswer,
  zEvidenceBundle,
  zRunnerJob,
  zRunnerLoad,
  zWalkNotices,
  type AskAnswer,
  type AskRequest,
  type ErasureAnswer,
  type EvidenceBundle,
  type RunnerJob,
  type RunnerLoad,
  type SignedWalkNotice,
} from '@usufruct/protocol';
import { exchangeJson } from '../../platform/http/index.js';

const UPSTREAM = 'runner';
const QUICK_MS = 10_000;
/** What a runner that does not answer this may cost whoever waits for a choice between runners. */
const LOAD_MS = 500;
/** A question is answered when its receipt is settled; whoever waits longer polls. */
const ASK_MS = 30_000;

/** The runner's HTTP interface (protocol: runner-types). What passes here is ciphertext, evidence and public ids. */
@Injectable()
export class RunnerClient {
  async startJob(url: string, jobId: JobId, signal?: AbortSignal): Promise<RunnerJob> {
    const answer = await this.post(`${url}/v1/jobs`, { jobId }, QUICK_MS, signal);
    return parseAnswer(zRunnerJob, answer, UPSTREAM);
  }
  async job(url: string, jobId: JobId, signal?: AbortSignal): Promise<RunnerJob> {
    return parseAnswer(zRunnerJob, await this.get(`${url}/v1/jobs/${jobId}`, signal), UPSTREAM);
  }
  async load(url: string): Promise<RunnerLoad> {
    const request = { upstream: UPSTREAM, method: 'GET', url: `${url}/v1/load`, timeoutMs: LOAD_MS } as const;
    return parseAnswer(zRunnerLoad, await exchangeJson(request), UPSTREAM);
  }
  async erase(url: string, contributionId: ContributionId): Promise<ErasureAnswer> {
    const answer = await this.post(`${url}/v1/erasures`, { contributionId }, QUICK_MS);
    return parseAnswer(zErasureAnswer, answer, UPSTREAM);
  }
  async walks(url: string, daoId: DaoId): Promise<{ readonly notices: SignedWalkNotice[] }> {
    return parseAnswer(zWalkNotices, await this.get(`${url}/v1/walks?daoId=${daoId}`), UPSTREAM);
  }
  async attestation(url: string, jobId: JobId, nonce: Uint8Array): Promise<EvidenceBundle> {
    const query = new URLSearchParams({ nonce: toBase64Url(nonce), jobId });
    return parseAnswer(zEvidenceBundle, await this.get(`${url}/v1/attestation?${query.toString()}`), UPSTREAM);
  }
  async ask(url: string, jobId: JobId, request: AskRequest, signal?: AbortSignal): Promise<AskAnswer> {
    const answer = await this.post(`${url}/v1/jobs/${jobId}/questions`, request, ASK_MS, signal);
    return parseAnswer(zAskAnswer, answer, UPSTREAM);
  }
  async question(url: string, jobId: JobId, questionId: QuestionId, signal?: AbortSignal): Promise<AskAnswer> {
    return parseAnswer(zAskAnswer, await this.get(`${url}/v1/jobs/${jobId}/questions/${questionId}`, signal), UPSTREAM);
  }

  private get(url: string, signal?: AbortSignal): Promise<unknown> {
    return exchangeJson({ upstream: UPSTREAM, method: 'GET', url, timeoutMs: QUICK_MS, ...(signal && { signal }) });
  }
  private post(url: string, body: unknown, timeoutMs: number, signal?: AbortSignal): Promise<unknown> {
    return exchangeJson({ upstream: UPSTREAM, method: 'POST', url, body, timeoutMs, ...(signal && { signal }) });
  }
}
