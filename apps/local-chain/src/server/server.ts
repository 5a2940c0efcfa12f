import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fromUtf8, refuse, toUsufructError, type Logger } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import type { LocalChain } from '../local-chain.js';
import { read, submit } from './routes.js';

/** What goes wrong between a client and a chain, on demand. For tests: there is no setting that turns it on. */
export interface Faults {
  /** Before a transaction is looked at. */
  readonly delayMs?: number;
  /** The transaction arrives twice at once. */
  readonly deliverTwice?: boolean;
  /** Asked after each transaction was executed: whether its answer is lost on the way back. */
  readonly loseReply?: () => boolean;
}
export interface ServerOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Browser origins that may call; everybody else's browser is told no. */
  readonly allowedOrigins: readonly string[];
  readonly logger: Logger;
  readonly faults?: Faults;
}
export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** Answer what was asked, then stop. */
  close(): Promise<void>;
}

/** Base64 of the largest transaction, its signature and the JSON around them. */
const BODY_BYTES = Math.ceil((LIMITS.transactionBytes * 4) / 3) + 4_096;
const REQUEST_TIMEOUT_MS = 15_000;

/** Serve the chain's HTTP interface (docs/ARCHITECTURE.md). Refuses `CONFIG_INVALID` when the port is taken. */
export async function serve(chain: LocalChain, options: ServerOptions): Promise<RunningServer> {
  const stopping = new AbortController();
  const server = createServer((request, response) => {
    void answer(chain, options, { request, response, stopping: stopping.signal });
  });
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    port,
    url: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        stopping.abort();
        server.closeIdleConnections();
      }),
  };
}

function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(refuse('CONFIG_INVALID', { setting: 'PORT', reason: `cannot listen on ${host}:${port}` }, error)),
    );
    server.listen(port, host, resolve);
  });
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly stopping: AbortSignal;
}

async function answer(chain: LocalChain, options: ServerOptions, exchange: Exchange): Promise<void> {
  const { request, response } = exchange;
  allowOrigin(options.allowedOrigins, request, response);
  try {
    const text = await route(chain, options, exchange);
    if (text === null) response.destroy();
    else send(exchange, text === '' ? 204 : 200, text);
  } catch (thrown) {
    const error = toUsufructError(thrown);
    if (error.code === 'INTERNAL') {
      const cause = error.cause instanceof Error ? error.cause.message : 'unknown';
      options.logger.error('request.failed', { method: request.method, cause });
    }
    // A body that was not read to its end leaves the connection unusable.
    if (error.code === 'REQUEST_TOO_LARGE') response.setHeader('connection', 'close');
    send(exchange, error.entry.http, JSON.stringify(error.toWire()));
  }
}

/** The answer's JSON text, empty for an answer without a body, null for an answer that is lost. */
async function route(chain: LocalChain, options: ServerOptions, exchange: Exchange): Promise<string | null> {
  const { request, response, stopping } = exchange;
  const url = URL.parse(`http://chain${request.url ?? '/'}`);
  if (url === null) throw refuse('MALFORMED_REQUEST', { field: 'url' });
  if (request.method === 'OPTIONS') return '';
  if (request.method === 'GET') {
    if (url.pathname === '/healthz' || url.pathname === '/readyz') return '{"status":"ok"}';
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    return read(chain, url, AbortSignal.any([gone.signal, stopping]));
  }
  if (request.method !== 'POST' || url.pathname !== '/v1/transactions') throw refuse('NOT_FOUND');
  const body = await readJson(request);
  const { delayMs, deliverTwice, loseReply } = options.faults ?? {};
  if (delayMs !== undefined) await new Promise((resolve) => setTimeout(resolve, delayMs));
  const [outcome] = await Promise.all([submit(chain, body), deliverTwice === true ? submit(chain, body) : undefined]);
  return loseReply?.() === true ? null : outcome;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_BYTES) throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(BODY_BYTES) });
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

function send({ response, stopping }: Exchange, status: number, text: string): void {
  if (response.destroyed) return;
  // A connection kept alive would keep a stopping server alive, too.
  if (stopping.aborted) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(text);
}
