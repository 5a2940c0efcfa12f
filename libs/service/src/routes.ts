import { refuse } from '@usufruct/kernel';
import { toWireJson } from '@usufruct/protocol';
import { readJson, sendJson, sendLines } from './body.js';
import type { Exchange } from './serve-http.js';

export interface RouteRequest {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Parsed JSON, unchecked; `undefined` for GET. */
  readonly body: unknown;
}
/** Gives what is answered, as JSON with bigints as decimal strings. */
type Handle = (request: RouteRequest) => unknown;

/** Gives one line after the other, each as JSON; the signal aborts when the client is gone or the server stops. */
type HandleLines = (request: RouteRequest, signal: AbortSignal) => AsyncIterable<unknown>;

export interface Route {
  readonly method: 'GET' | 'POST';
  /** `/v1/jobs/:jobId`: a segment with a colon matches one segment and names it. */
  readonly pattern: string;
  readonly handle: Handle;
  /** In the place of `handle`. */
  readonly lines?: HandleLines;
}
export const get = (pattern: string, handle: Handle): Route => ({ method: 'GET', pattern, handle });
export const lines = (pattern: string, handle: HandleLines): Route => ({
  method: 'GET',
  pattern,
  handle: () => undefined,
  lines: handle,
});
export const post = (pattern: string, handle: Handle): Route => ({ method: 'POST', pattern, handle });

/** Answers by the first route that fits; refuses `NOT_FOUND` when none does, before it reads a body. */
export const routed =
  (routes: readonly Route[]) =>
  async ({ request, response, url, signal }: Exchange): Promise<void> => {
    for (const { method, pattern, handle, lines: linesOf } of routes) {
      const path = method === request.method ? match(pattern, url.pathname) : null;
      if (path === null) continue;
      const body = method === 'POST' ? await readJson(request) : undefined;
      const asked = { path, query: Object.fromEntries(url.searchParams), body };
      if (linesOf !== undefined) return sendLines(response, linesOf(asked, signal), signal);
      const answer = await handle(asked);
      return sendJson(response, 200, toWireJson(answer));
    }
    throw refuse('NOT_FOUND', { path: 'no such route' });
  };

function match(pattern: string, pathname: string): Record<string, string> | null {
  const [expected, given] = [pattern.split('/'), pathname.split('/')];
  if (expected.length !== given.length) return null;
  const values: Record<string, string> = {};
  for (const [i, segment] of expected.entries()) {
    if (segment.startsWith(':')) values[segment.slice(1)] = given[i]!;
    else if (segment !== given[i]) return null;
  }
  return values;
}
