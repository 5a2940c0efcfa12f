import { fromWire, parseJson, refuse, UsufructError } from '@usufruct/kernel';
import { toWireJson } from '@usufruct/protocol';
import { readAtMost } from './read-at-most.js';

export interface HttpOptions {
  readonly fetch: (input: string, init?: RequestInit) => Promise<Response>;
  readonly timeoutMs: number;
}
export interface JsonRequest {
  readonly url: string;
  /** Who is asked, for errors. */
  readonly upstream: string;
  /** POST where there is one, else GET. */
  readonly body?: unknown;
}

const MAX_ANSWER_BYTES = 64 * 1024 ** 2;

/**
 * Ask another process. The parsed JSON is unchecked: the caller parses it. Refuses with the catalogue error that it
 * sent, `UPSTREAM_UNAVAILABLE` when no answer came in time, `UPSTREAM_INVALID` when the answer is no JSON or too large.
 */
export async function requestJson(
  { url, upstream, body }: JsonRequest,
  { fetch, timeoutMs }: HttpOptions,
): Promise<unknown> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: toWireJson(body) };
  let response: Response;
  let text: string;
  try {
    const init = { ...(body !== undefined && post), signal: AbortSignal.timeout(timeoutMs) };
    response = await fetch(url, init);
    text = await readText(response, upstream);
  } catch (cause) {
    throw cause instanceof UsufructError ? cause : refuse('UPSTREAM_UNAVAILABLE', { upstream }, cause);
  }
  const json = parseJson(text);
  if (!response.ok) {
    throw json === undefined ? refuse('UPSTREAM_UNAVAILABLE', { upstream }) : fromWire(json, upstream);
  }
  if (json === undefined) throw refuse('UPSTREAM_INVALID', { upstream });
  return json;
}

async function readText(response: Response, upstream: string): Promise<string> {
  const bytes = await readAtMost(response, MAX_ANSWER_BYTES);
  if (bytes === null) throw refuse('UPSTREAM_INVALID', { upstream, field: 'size' });
  return new TextDecoder().decode(bytes);
}
