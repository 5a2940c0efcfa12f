import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { createMcpHandler, type McpServer } from '@modelcontextprotocol/server';
import { refuse, type Logger } from '@usufruct/kernel';
import { readBytes, serveHttp, type Exchange, type RunningServer } from '@usufruct/service';
import { admitLocal } from '../local-callers.js';

export interface McpHttpOptions {
  readonly host: string;
  readonly port: number;
  readonly closeWithinMs?: number;
  readonly apiKey: string;
  /** For each request one of its own: nothing is kept between two. */
  readonly server: () => McpServer;
  readonly logger: Logger;
}

export const MCP_PATH = '/mcp';
/** Of the others no web request can be made. */
const METHODS: readonly string[] = ['POST', 'GET', 'DELETE'];
const BODY_BYTES = 1024 ** 2;
const MAX_CONNECTIONS = 100;

/**
 * The tools over MCP's streamable HTTP, on the user's own computer: what comes in is in the clear, so it is for loopback.
 * Without sessions: a client that comes back is a client that comes. Every request has to bring the key; see `admitLocal`.
 */
export async function serveMcpHttp(options: McpHttpOptions): Promise<RunningServer> {
  const { logger } = options;
  const onerror = (): void => logger.warn('a message that is not of the protocol');
  const handler = createMcpHandler(options.server, { maxRequestBodySize: BODY_BYTES, onerror });
  const answer = async (exchange: Exchange): Promise<void> => {
    admitLocal(exchange.request, options);
    if (exchange.url.pathname !== MCP_PATH) throw refuse('NOT_FOUND', { path: `only ${MCP_PATH} is here` });
    if (!METHODS.includes(exchange.request.method ?? ''))
      throw refuse('NOT_FOUND', { method: `only ${METHODS.join(', ')}` });
    await send(await handler.fetch(await requestOf(exchange)), exchange);
  };
  const running = await serveHttp({ ...options, allowedOrigins: [], maxConnections: MAX_CONNECTIONS, answer });
  return {
    ...running,
    close: async () => {
      await handler.close();
      await running.close();
    },
  };
}

async function requestOf({ request, signal }: Exchange): Promise<Request> {
  const headers = new Headers();
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const { method = 'GET' } = request;
  const body = method === 'POST' ? new Uint8Array(await readBytes(request, BODY_BYTES)) : null;
  return new Request(`http://localhost${MCP_PATH}`, { method, headers, body, signal });
}

/** A client that goes away in the middle ends it, and is no error. */
async function send({ status, headers, body }: Response, { response, signal }: Exchange): Promise<void> {
  if (response.destroyed) return;
  response.writeHead(status, Object.fromEntries(headers));
  if (body === null) return void response.end();
  await pipeline(Readable.fromWeb(body as ReadableStream), response).catch((error: unknown) => {
    if (!signal.aborted && !response.destroyed) throw error;
  });
}
