import {
  fromBase64,
  isHex32,
  refuse,
  toBase64,
  toUsufructError,
  type Clock,
  type DatasetId,
  type Digest,
  type Logger,
} from '@usufruct/kernel';
import { clientChallenge, evidenceDigest, toWireJson } from '@usufruct/protocol';
import { keyOfEach, type KnownReceipt, type ListedDataset, type PaidAnswer, type SeveralAnswers } from '@usufruct/sdk';
import { readJson, sendJson, serveHttp, type Exchange, type RunningServer } from '@usufruct/service';
import { admitLocal } from '../local-callers.js';
import { askEachKeepingRefusals, askKeepingRefusals, type Backend } from './backend.js';
import { completionOf, type AnswerContext, type ChatAnswers } from './chat-answer.js';
import { readChatRequest, type ChatRequest } from './chat-request.js';
import { sendOpenaiError } from './errors.js';
import { answerHeaders, sendStream } from './sse.js';

export interface OpenaiServerOptions {
  readonly backend: Backend;
  readonly host: string;
  readonly port: number;
  readonly closeWithinMs?: number;
  /** Null: whoever reaches the port may spend. */
  readonly apiKey: string | null;
  /** For requests that name no purpose. */
  readonly purpose: string;
  /** How long an answer is given again to who asks the same. */
  readonly repeatMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** After each question, whatever came of it. */
  readonly onAnswered: (outcome: PaidAnswer | { readonly error: string }) => void;
}

const BODY_BYTES = 1024 ** 2;
const KEY_KEEP_MS = 24 * 60 * 60_000;
const MAX_WAITING = 100;
const MODEL_PREFIX = 'usufruct/';
const NOT_OFFERED: readonly string[] = ['/v1/embeddings', '/v1/responses', '/v1/completions'];

/**
 * OpenAI's interface on the user's own computer: what comes in is in the clear and must not travel, so it is for loopback.
 * What goes out is encrypted to a runner that was attested here; see `Asker` for what is paid when.
 */
export async function serveOpenai(options: OpenaiServerOptions): Promise<RunningServer> {
  const server = new OpenaiServer(options);
  return serveHttp({ ...options, allowedOrigins: [], answer: (exchange) => server.answer(exchange) });
}

class OpenaiServer {
  private waiting = 0;
  constructor(private readonly options: OpenaiServerOptions) {}

  async answer(exchange: Exchange): Promise<void> {
    try {
      admitLocal(exchange.request, this.options);
      await this.route(exchange);
    } catch (thrown) {
      const error = toUsufructError(thrown);
      if (error.code === 'INTERNAL') this.options.logger.error('request.failed', { kind: kindOf(thrown) });
      sendOpenaiError(exchange.response, error);
    }
  }

  private async route(exchange: Exchange): Promise<void> {
    const { request, response, url } = exchange;
    const send = (body: object): void => sendJson(response, 200, toWireJson(body));
    const path = decoded(url.pathname);
    if (request.method === 'POST' && path === '/v1/chat/completions') return this.chat(exchange);
    if (NOT_OFFERED.includes(path)) throw refuse('UNSUPPORTED', { path });
    if (request.method !== 'GET') throw refuse('NOT_FOUND', { path: 'no such route' });
    if (path === '/v1/models') return send({ object: 'list', data: (await this.datasets()).map(modelOf) });
    if (path.startsWith(`/v1/models/${MODEL_PREFIX}`)) return send(await this.model(path.slice('/v1/models/'.length)));
    if (path === '/v1/attestation') return this.attestation(exchange);
    if (path === '/v1/receipts') return send({ object: 'list', data: await this.receipts() });
    if (path.startsWith('/v1/receipts/')) return send(await this.receipt(path.slice('/v1/receipts/'.length)));
    throw refuse('NOT_FOUND', { path: 'no such route' });
  }

  private async chat({ request, response, signal }: Exchange): Promise<void> {
    const idempotencyKey = request.headers['idempotency-key'];
    const chat = readChatRequest(await readJson(request, BODY_BYTES));
    const datasetIds = await this.datasetsOf(chat);
    if (this.waiting >= MAX_WAITING) throw refuse('RATE_LIMITED', { limit: String(MAX_WAITING) });
    this.waiting++;
    // Seen through to its end, whoever waits: what is paid is kept for who asks the same again.
    const asking = this.ask(chat, datasetIds, idempotencyKey).finally(() => this.waiting--);
    const answer = asking.then((answered) => this.contextOf(chat, answered));
    answer.catch(() => undefined);
    if (chat.stream) return sendStream(response, answer, signal);
    const context = await whileThere(answer, signal);
    for (const [name, value] of Object.entries(answerHeaders(context.answers))) response.setHeader(name, value);
    sendJson(response, 200, toWireJson(completionOf(context)));
  }

  private async ask(
    chat: ChatRequest,
    datasetIds: readonly DatasetId[],
    idempotencyKey: unknown,
  ): Promise<ChatAnswers> {
    const { backend, onAnswered, repeatMs } = this.options;
    const { text, wishes } = chat;
    const purpose = chat.purpose ?? this.options.purpose;
    const isKeyed = typeof idempotencyKey === 'string' && idempotencyKey !== '';
    const [datasetId] = datasetIds as [DatasetId];
    const key = isKeyed ? `given ${idempotencyKey}` : `same ${JSON.stringify([purpose, wishes, text])}`;
    const params = {
      key,
      keepMs: isKeyed ? KEY_KEEP_MS : repeatMs,
      purpose,
      text,
      ...wishes,
    };
    try {
      const answered =
        datasetIds.length === 1
          ? {
              answers: [
                await askKeepingRefusals(backend.asker, { ...params, datasetId, key: keyOfEach(key, datasetId) }),
              ],
              refused: [],
            }
          : answeredOf(await askEachKeepingRefusals(backend.asker, { ...params, datasetIds }));
      answered.answers.forEach((paid) => onAnswered(paid));
      answered.refused.forEach(({ error }) => onAnswered({ error: error.code }));
      return answered;
    } catch (thrown) {
      onAnswered({ error: toUsufructError(thrown).code });
      throw thrown;
    }
  }

  private contextOf(request: ChatRequest, answered: ChatAnswers): AnswerContext {
    const { backend, clock } = this.options;
    const { coin, standIns } = backend;
    return { request, ...answered, coin, standIns, createdS: Math.floor(clock.nowMs() / 1_000) };
  }

  /** `usufruct/<dataset>`; `usufruct` where `rag.datasets` names one or several, or only one is served. At least one. */
  private async datasetsOf({ model, datasetIds }: Pick<ChatRequest, 'model' | 'datasetIds'>): Promise<DatasetId[]> {
    const datasets = await this.datasets();
    const named = model.startsWith(MODEL_PREFIX) ? model.slice(MODEL_PREFIX.length) : null;
    if (named === null && model !== 'usufruct') throw refuse('NOT_FOUND', { object: 'model', field: 'model' });
    if (named !== null && datasetIds.some((one) => one !== named)) {
      throw refuse('INVALID_ARGUMENT', { field: 'rag.datasets', expected: 'the dataset that the model names' });
    }
    const [only] = datasets.length === 1 ? datasets : [];
    const given = datasetIds.length > 0 ? datasetIds : only === undefined ? [] : [only.datasetId];
    const wanted: readonly string[] = named === null ? given : [named];
    if (wanted.length === 0) throw refuse('INVALID_ARGUMENT', { field: 'model', expected: 'usufruct/<dataset>' });
    return wanted.map((one) => {
      const found = datasets.find(({ datasetId }) => datasetId === one);
      if (found === undefined) throw refuse('NOT_FOUND', { object: 'model', field: 'model' });
      return found.datasetId;
    });
  }

  private async datasets(): Promise<readonly ListedDataset[]> {
    return (await this.options.backend.datasets()).filter(({ dao }) => dao.policy.kinds.includes('rag'));
  }

  private async model(id: string): Promise<object> {
    const found = (await this.datasets()).find(({ datasetId }) => `${MODEL_PREFIX}${datasetId}` === id);
    if (found === undefined) throw refuse('NOT_FOUND', { object: 'model', field: 'model' });
    return modelOf(found);
  }

  /** Evidence for a nonce of the caller's, of the runner that has the open session; nothing is paid for looking. */
  private async attestation({ response, url }: Exchange): Promise<void> {
    const { backend, purpose } = this.options;
    const nonce = nonceOf(url.searchParams.get('nonce'));
    const model = url.searchParams.get('model') ?? 'usufruct';
    const [datasetId] = (await this.datasetsOf({ model, datasetIds: [] })) as [DatasetId];
    const jobId = backend.asker.currentSession(datasetId, url.searchParams.get('purpose') ?? purpose);
    if (jobId === null) throw refuse('JOB_STATE', { state: 'no session is open; ask a question first' });
    const { bundle, profile, result, standIn, missing } = await backend.inspect(jobId, nonce);
    const digest = evidenceDigest(bundle);
    response.setHeader('x-attestation-digest', digest);
    const body = {
      object: 'usufruct.attestation',
      job_id: jobId,
      nonce: toBase64(nonce),
      challenge: toBase64(clientChallenge(nonce)),
      digest,
      profile,
      stand_in: standIn,
      ok: result.ok,
      checks: result.checks,
      missing,
      evidence: bundle,
    };
    sendJson(response, 200, toWireJson(body));
  }

  private async receipt(id: string): Promise<object> {
    const { backend } = this.options;
    const known = isHex32(id) ? await backend.asker.receipt(id as Digest) : null;
    if (known === null) throw refuse('NOT_FOUND', { object: 'receipt of this device' });
    const { evidence, verdict } = await backend.judgedReceipt(known);
    return { ...receiptOf(known), ok: verdict.ok, checks: verdict.checks, evidence };
  }

  private async receipts(): Promise<object[]> {
    return (await this.options.backend.asker.receipts()).map(receiptOf);
  }
}

const modelOf = ({ datasetId, title, contributionCount, dao }: ListedDataset) => ({
  id: `${MODEL_PREFIX}${datasetId}`,
  object: 'model',
  created: 0,
  owned_by: dao.daoId,
  usufruct: {
    dataset_id: datasetId,
    title,
    contributions: contributionCount,
    price_units: String(dao.policy.pricePerQuestionUnits),
    purposes: dao.policy.purposes,
    protections: dao.policy.protections,
  },
});

const receiptOf = ({ receiptId, jobId, questionId, datasetId, priceUnits, atMs }: KnownReceipt) => ({
  id: receiptId,
  object: 'usufruct.receipt',
  created: Math.floor(atMs / 1_000),
  dataset_id: datasetId,
  job_id: jobId,
  question_id: questionId,
  price_units: String(priceUnits),
});

/** Refuses what the first one refused where all did. */
function answeredOf({ parts }: SeveralAnswers): ChatAnswers {
  const answers = parts.flatMap(({ paid }) => (paid === null ? [] : [paid]));
  const refused = parts.flatMap(({ datasetId, error }) => (error === null ? [] : [{ datasetId, error }]));
  if (answers.length === 0) throw refused[0]!.error;
  return { answers, refused };
}

const kindOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.name : typeof thrown);

function decoded(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch (cause) {
    throw refuse('MALFORMED_REQUEST', { field: 'path' }, cause);
  }
}

function nonceOf(text: string | null): Uint8Array {
  const bytes = text === null ? null : bytesOf(text);
  if (bytes?.length !== 32)
    throw refuse('INVALID_ARGUMENT', { field: 'nonce', expected: '32 bytes in base64 or base64url' });
  return bytes;
}
function bytesOf(text: string): Uint8Array | null {
  const base64 = text.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '');
  try {
    return fromBase64(base64.padEnd(Math.ceil(base64.length / 4) * 4, '='));
  } catch {
    return null;
  }
}

/** The answer, or a refusal to go on waiting when the client is gone or this process stops. */
function whileThere<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  const gone = new Promise<never>((_, reject) => {
    const leave = (): void => reject(refuse('UPSTREAM_UNAVAILABLE', { upstream: 'this endpoint stops' }));
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
  });
  return Promise.race([answer, gone]);
}
