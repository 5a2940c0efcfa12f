import { refuse, type ErrorCode } from '@usufruct/kernel';
import { Gathering } from './gathering.js';

export interface RequestParams {
  readonly fetch: typeof globalThis.fetch;
  /** For one try, the reading of its answer included. */
  readonly timeoutMs: number;
  /** Tries in all, the first included. */
  readonly tries: number;
  /** The pause before the second try; doubled before each further one. */
  readonly pauseMs: number;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly contentLengthBytes: number | null;
  readonly contentRange: string;
  /** Empty where the status says that it is not what was asked for. */
  readonly bytes: Uint8Array;
}

export interface RequestOptions {
  readonly url: string;
  readonly init: RequestInit;
  readonly maxAnswerBytes: number;
  readonly signal: AbortSignal | undefined;
  /** The code for "no answer, or only answers that say: not now". */
  readonly unavailable: ErrorCode;
  /**
   * When to try again. `always`: the request does the same once or often. `untouched`: only when the server says that
   * it did not begin; after silence nobody knows what it has done, and the caller has to look.
   */
  readonly repeat?: 'always' | 'untouched';
  /** What a good answer probably says: one that does is this array, and takes no memory of its own. */
  readonly expected?: Uint8Array | undefined;
}

/** The most that a server may ask us to wait; beyond it the caller decides. */
const LONGEST_PAUSE_MS = 10_000;
/** Of an answer that does not say how long it is. */
const FIRST_BUFFER_BYTES = 64 * 1024;
/** What may pass by itself. */
const ASK_LATER = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Of these, what a server says before it has done anything. */
const NOT_BEGUN = new Set([425, 429, 503]);

/**
 * One HTTP exchange with repeats. Only what may pass by itself is repeated: no answer, a timeout, and the statuses that
 * say so. The caller's abort is passed on at once. Redirects of what is sent are not followed: it goes where it was
 * configured to go, or nowhere.
 */
export async function request(params: RequestParams, options: RequestOptions): Promise<Answer> {
  const { url, signal, unavailable, repeat = 'always' } = options;
  let cause: unknown;
  for (let attempt = 1; attempt <= params.tries; attempt++) {
    let askedPauseMs = 0;
    try {
      const response = await send(params, options);
      if (!ASK_LATER.has(response.status)) return await readAnswer(response, options);
      askedPauseMs = retryAfterMs(response.headers.get('retry-after'));
      cause = new Error(`status ${response.status}`);
      await response.body?.cancel();
      if (repeat === 'untouched' && !NOT_BEGUN.has(response.status)) break;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof AnswerTooLarge) throw refuse('UPSTREAM_INVALID', { upstream: originOf(url), field: 'size' });
      cause = error;
      if (repeat === 'untouched') break;
    }
    if (attempt < params.tries) await pause(Math.max(askedPauseMs, params.pauseMs * 2 ** (attempt - 1)), signal);
  }
  throw refuse(unavailable, { upstream: originOf(url) }, cause);
}

class AnswerTooLarge extends Error {}

function send({ fetch, timeoutMs }: RequestParams, { url, init, signal }: RequestOptions): Promise<Response> {
  const limit = AbortSignal.timeout(timeoutMs);
  const redirect = ['GET', 'HEAD', undefined].includes(init.method) ? 'follow' : 'error';
  return fetch(url, { redirect, ...init, signal: signal === undefined ? limit : AbortSignal.any([signal, limit]) });
}

async function readAnswer(response: Response, { maxAnswerBytes, expected }: RequestOptions): Promise<Answer> {
  const length = response.headers.get('content-length');
  const about = {
    status: response.status,
    contentType: response.headers.get('content-type') ?? '',
    contentLengthBytes: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null,
    contentRange: response.headers.get('content-range') ?? '',
  };
  if (response.ok) {
    const gathering = new Gathering(about.contentLengthBytes ?? FIRST_BUFFER_BYTES, maxAnswerBytes, expected);
    return { ...about, bytes: await readBody(response, gathering) };
  }
  await response.body?.cancel();
  return { ...about, bytes: new Uint8Array() };
}

async function readBody(response: Response, gathering: Gathering): Promise<Uint8Array> {
  const reader = response.body?.getReader();
  for (let next = await reader?.read(); next !== undefined && !next.done; next = await reader?.read()) {
    if (gathering.add(next.value)) continue;
    await reader?.cancel();
    throw new AnswerTooLarge();
  }
  return gathering.whole();
}

/** RFC 9110 §10.2.3, the form in seconds only. */
const retryAfterMs = (header: string | null): number =>
  header !== null && /^\d{1,6}$/.test(header) ? Math.min(Number(header) * 1_000, LONGEST_PAUSE_MS) : 0;

/** Never the path or the query: an operator's URL may carry a token there. */
export const originOf = (url: string): string => new URL(url).origin;

/** The address of a server, without a slash at its end. Refuses `INVALID_ARGUMENT` with the field's name. */
export function baseUrl(text: string, field: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    throw refuse('INVALID_ARGUMENT', { field, expected: 'an http(s) URL without query' });
  }
  return url.href.replace(/\/$/, '');
}

export function pause(durationMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((done, fail) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      fail(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      done();
    }, durationMs);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
  });
}
