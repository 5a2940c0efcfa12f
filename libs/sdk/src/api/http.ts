import { fromWire, parseJson, refuse } from '@usufruct/kernel';
import { toWireJson } from '@usufruct/protocol';

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

export interface JsonRequest {
  readonly fetch: Fetch;
  readonly url: string;
  /** Which part of the system is asked, for errors: `API`, `key holder 2`. */
  readonly upstream: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Read the body of an error status as an answer too (GraphQL over HTTP does that). */
  readonly acceptErrorStatus?: boolean;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 16 * 1024 ** 2;

/**
 * GET, or POST where there is a body. The parsed JSON is unchecked: the caller parses it with zod. Refuses with the
 * catalogue error that the other side sent, `UPSTREAM_UNAVAILABLE` when no answer came and `UPSTREAM_INVALID` when
 * the answer is not JSON or larger than 16 MiB.
 */
export async function requestJson(request: JsonRequest): Promise<unknown> {
  const response = await exchange(request);
  const body = parseJson(await readText(response, request.upstream));
  if (!response.ok && request.acceptErrorStatus !== true) {
    throw body === undefined
      ? refuse('UPSTREAM_UNAVAILABLE', { upstream: request.upstream, status: String(response.status) })
      : fromWire(body, request.upstream);
  }
  if (body === undefined) throw refuse('UPSTREAM_INVALID', { upstream: request.upstream });
  return body;
}

async function exchange({ fetch, url, upstream, body, headers, timeoutMs, signal }: JsonRequest): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs ?? DEFAULT_TIMEOUT_MS);
  try {
    return await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: toWireJson(body) }),
      signal: signal === undefined ? timeout : AbortSignal.any([timeout, signal]),
    });
  } catch (cause) {
    throw refuse('UPSTREAM_UNAVAILABLE', { upstream }, cause);
  }
}

async function readText(response: Response, upstream: string): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let text = '';
  let sizeBytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text + decoder.decode();
      sizeBytes += value.length;
      if (sizeBytes > MAX_ANSWER_BYTES) break;
      text += decoder.decode(value, { stream: true });
    }
  } catch (cause) {
    throw refuse('UPSTREAM_UNAVAILABLE', { upstream }, cause);
  }
  await reader.cancel();
  throw refuse('UPSTREAM_INVALID', { upstream, field: 'size' });
}
