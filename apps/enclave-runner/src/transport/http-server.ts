import { fromUtf8, refuse, toUsufructError, type Logger } from '@usufruct/kernel';
import { LIMITS, toWireJson } from '@usufruct/protocol';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface HttpRequest {
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON, unchecked; `undefined` for GET. */
  readonly body: unknown;
}
export interface Route {
  readonly method: 'GET' | 'POST';
  /** `/v1/jobs/:jobId`: a segment with a colon matches one segment and names it. */
  readonly pattern: string;
  handle(request: HttpRequest): Promise<unknown> | unknown;
}

/** JSON over HTTP: routes, bounded bodies, errors of the catalogue with their status. */
export function jsonServer(routes: readonly Route[], logger: Logger): Server {
  const server = createServer((request, response) => {
    answer(routes, request)
      .then((body) => send(response, 200, body))
      .catch((cause: unknown) => {
        const error = toUsufructError(cause);
        if (error.code === 'INTERNAL') logger.error('request.failed', { route: request.method, cause: nameOf(cause) });
        send(response, error.entry.http, error.toWire());
      });
  });
  server.requestTimeout = 60_000;
  server.headersTimeout = 10_000;
  return server;
}

async function answer(routes: readonly Route[], request: IncomingMessage): Promise<unknown> {
  const url = URL.parse(request.url ?? '', 'http://localhost');
  if (url === null) throw refuse('MALFORMED_REQUEST');
  for (const route of routes) {
    const path = route.method === request.method ? match(route.pattern, url.pathname) : null;
    if (path === null) continue;
    const body = route.method === 'POST' ? await readJson(request) : undefined;
    return route.handle({ path, query: url.searchParams, body });
  }
  throw refuse('NOT_FOUND');
}

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

async function readJson(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    sizeBytes += piece.length;
    if (sizeBytes > LIMITS.httpBodyBytes)
      throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(LIMITS.httpBodyBytes) });
    pieces.push(piece);
  }
  try {
    return JSON.parse(fromUtf8(Buffer.concat(pieces))) as unknown;
  } catch {
    throw refuse('MALFORMED_REQUEST');
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.destroyed) return;
  const text = toWireJson(body);
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(text);
}

/** The class of an unexpected error: its message may quote what must not be logged. */
const nameOf = (cause: unknown): string => (cause instanceof Error ? cause.name : typeof cause);
