import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { refuse, toUsufructError, type Logger } from '@usufruct/kernel';
import { sendJson } from './body.js';
import { describeFault } from './fault.js';
import { listen, type ListenOptions, type RunningServer } from './listen.js';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** Aborted when the client is gone or the server stops: what only waits answers then with what it has. */
  readonly signal: AbortSignal;
}
export interface ServeOptions extends ListenOptions {
  /** Browser origins that may call; everybody else's browser is told no. */
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods?: string;
  /** Sent with every answer. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long a client may take to send its request. */
  readonly requestTimeoutMs?: number;
  readonly maxConnections?: number;
  /** Rejects while the process cannot do its work; `/readyz` answers with that refusal. */
  readonly checkReady?: () => Promise<unknown>;
  /** Answers one request or throws; whatever is thrown goes to the client as a refusal of the catalogue. */
  readonly answer: (exchange: Exchange) => Promise<void>;
}

const REQUEST_TIMEOUT_MS = 30_000;
const HEADERS_TIMEOUT_MS = 10_000;

/**
 * Serve HTTP: `/healthz`, `/readyz`, preflights, and for the rest `answer`. Refuses `CONFIG_INVALID` when the port is
 * taken. An unexpected error is `INTERNAL` to the client; the log gets its class and place, never its message.
 */
export async function serveHttp(options: ServeOptions): Promise<RunningServer> {
  const open = new Map<ServerResponse, AbortController>();
  let isStopping = false;
  const timeouts = {
    requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
  };
  const server = createServer(timeouts, (request, response) => {
    const ending = new AbortController();
    open.set(response, ending);
    response.once('close', () => {
      open.delete(response);
      // After a whole answer nobody waits for anything any more.
      if (!response.writableFinished) ending.abort();
    });
    if (isStopping) endSoon(response, ending);
    void answer(options, { request, response, signal: ending.signal });
  });
  if (options.maxConnections !== undefined) server.maxConnections = options.maxConnections;
  const running = await listen(server, options);
  return {
    ...running,
    close: () => {
      isStopping = true;
      for (const [response, ending] of open) endSoon(response, ending);
      return running.close();
    },
  };
}

function endSoon(response: ServerResponse, ending: AbortController): void {
  // A connection kept alive would keep a stopping server alive, too.
  if (!response.headersSent) response.setHeader('connection', 'close');
  ending.abort();
}

async function answer(options: ServeOptions, exchange: Omit<Exchange, 'url'>): Promise<void> {
  const { request, response } = exchange;
  try {
    for (const [name, value] of Object.entries(options.headers ?? {})) response.setHeader(name, value);
    allowOrigin(options, request, response);
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    const url = URL.parse(`http://service${request.url ?? '/'}`);
    if (url === null) throw refuse('MALFORMED_REQUEST', { field: 'url' });
    const isProbe = request.method === 'GET' && (url.pathname === '/healthz' || url.pathname === '/readyz');
    if (!isProbe) return await options.answer({ ...exchange, url });
    if (url.pathname === '/readyz') await options.checkReady?.();
    sendJson(response, 200, '{"status":"ok"}');
  } catch (thrown) {
    sendRefusal(options.logger, exchange, thrown);
  }
}

function allowOrigin(options: ServeOptions, { headers }: IncomingMessage, response: ServerResponse): void {
  response.setHeader('vary', 'origin');
  const { origin } = headers;
  if (origin === undefined || !options.allowedOrigins.includes(origin)) return;
  response.setHeader('access-control-allow-origin', origin);
  response.setHeader('access-control-allow-methods', options.allowedMethods ?? 'GET, POST');
  response.setHeader('access-control-allow-headers', 'content-type');
  response.setHeader('access-control-max-age', '600');
}

function sendRefusal(logger: Logger, { request, response }: Omit<Exchange, 'url'>, thrown: unknown): void {
  const error = toUsufructError(thrown);
  if (error.code === 'INTERNAL') logger.error('request.failed', { method: request.method, ...describeFault(thrown) });
  if (response.headersSent) return void response.destroy();
  // What the client still sends is not read: the connection ends with the answer.
  if (!request.complete) response.setHeader('connection', 'close');
  sendJson(response, error.entry.http, JSON.stringify(error.toWire()));
}
