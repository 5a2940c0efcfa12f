import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fromUtf8, refuse, toUsufructError } from '@usufruct/kernel';
import { LIMITS, toWireJson } from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { RateLimiter } from '../rate-limit.js';
import { handlerOf } from './routes.js';

export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Browser origins that may call: contributors deposit their shares directly. */
  readonly allowedOrigins: readonly string[];
}
export interface RunningServer {
  readonly url: string;
  /** Answer what was asked, then stop. */
  close(): Promise<void>;
}

const REQUEST_TIMEOUT_MS = 30_000;
/** Each costs signatures or a row; a folder of thousands of files must still pass. */
const POSTS_PER_MINUTE_AND_ADDRESS = 6_000;

/** Serve the holder's HTTP interface. Refuses `CONFIG_INVALID` when the port is taken. */
export async function serve(holder: Holder, options: ServerOptions): Promise<RunningServer> {
  const posts = new RateLimiter(POSTS_PER_MINUTE_AND_ADDRESS, holder.clock);
  const stopping = new AbortController();
  const server = createServer((request, response) => {
    void answer(
      { holder, posts, allowedOrigins: options.allowedOrigins, stopping: stopping.signal },
      request,
      response,
    );
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return { url: `http://${host}:${port}`, close: () => close(server, stopping) };
}

interface Serving {
  readonly holder: Holder;
  readonly posts: RateLimiter;
  readonly allowedOrigins: readonly string[];
  readonly stopping: AbortSignal;
}

async function answer(serving: Serving, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { holder, posts, allowedOrigins, stopping } = serving;
  // A connection kept alive would keep a stopping server alive, too.
  if (stopping.aborted) response.setHeader('connection', 'close');
  allowOrigin(allowedOrigins, request, response);
  try {
    if (request.method === 'OPTIONS') return send(response, 204, '');
    const url = URL.parse(`http://holder${request.url ?? '/'}`);
    if (url === null) throw refuse('MALFORMED_REQUEST', { field: 'url' });
    const handler = handlerOf(request.method, url.pathname);
    const isPost = request.method === 'POST';
    if (isPost) posts.take(request.socket.remoteAddress ?? '', 'requests of one address');
    const input = isPost ? await readJson(request) : Object.fromEntries(url.searchParams);
    send(response, 200, toWireJson(await handler(holder, input)));
  } catch (thrown) {
    const error = toUsufructError(thrown);
    if (error.code === 'INTERNAL') {
      const cause = error.cause instanceof Error ? error.cause.message : 'unknown';
      holder.logger.error('request.failed', { path: request.url?.split('?')[0], cause });
    }
    // A body that was not read to its end leaves the connection unusable.
    if (error.code === 'REQUEST_TOO_LARGE') response.setHeader('connection', 'close');
    send(response, error.entry.http, JSON.stringify(error.toWire()));
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > LIMITS.httpBodyBytes) {
      throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(LIMITS.httpBodyBytes) });
    }
    chunks.push(chunk);
  }
  try {
    return JSON.parse(fromUtf8(Buffer.concat(chunks)));
  } catch {
    throw refuse('MALFORMED_REQUEST', { expected: 'JSON' });
  }
}

function allowOrigin(allowed: readonly string[], { headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('vary', 'origin');
  const { origin } = headers;
  if (origin === undefined || !allowed.includes(origin)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-methods', 'GET, POST');
  response.setHeader('access-control-allow-headers', 'content-type');
  response.setHeader('access-control-max-age', '600');
}

function send(response: ServerResponse, status: number, text: string): void {
  if (response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(text);
}

const listen = (server: Server, { host, port }: ServerOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (cause) =>
      reject(refuse('CONFIG_INVALID', { setting: 'PORT', reason: `cannot listen on ${host}:${port}` }, cause)),
    );
    server.listen(port, host, resolve);
  });

const close = (server: Server, stopping: AbortController): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    stopping.abort();
    server.closeIdleConnections();
  });
