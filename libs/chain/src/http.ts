import { fromWire, refuse } from '@usufruct/kernel';
import type { TextFetch } from './text-fetch.js';

export interface HttpParams {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly fetch: TextFetch;
  readonly timeoutMs: number;
}
export interface HttpRequest {
  readonly path: string;
  readonly body?: string;
  readonly signal?: AbortSignal | undefined;
  /** Added to the timeout, for a server that is asked to wait. */
  readonly waitMs?: number;
}

const UPSTREAM = 'local chain';

/**
 * One request to the local chain: the parsed JSON of a good answer, the chain's own refusal of a bad one, and
 * `CHAIN_UNAVAILABLE` when no answer came. A caller's abort is passed on as the signal's reason.
 */
export async function requestJson(
  { baseUrl, fetch, timeoutMs }: HttpParams,
  { path, body, signal, waitMs = 0 }: HttpRequest,
): Promise<unknown> {
  const init = {
    timeoutMs: timeoutMs + waitMs,
    signal,
    ...(body !== undefined && { method: 'POST', body, headers: { 'content-type': 'application/json' } }),
  };
  let ok: boolean;
  let text: string;
  try {
    const response = await fetch(`${baseUrl}${path}`, init);
    ok = response.ok;
    text = await response.text();
  } catch (error) {
    signal?.throwIfAborted();
    throw refuse('CHAIN_UNAVAILABLE', { url: baseUrl }, error);
  }
  const answer = parseJson(text, UPSTREAM);
  if (!ok) throw fromWire(answer, UPSTREAM);
  return answer;
}

/** Refuses `UPSTREAM_INVALID` for what is no JSON. */
export function parseJson(text: string, upstream: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refuse('UPSTREAM_INVALID', { upstream }, error);
  }
}
