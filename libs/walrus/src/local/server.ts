import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { refuse, toUsufructError, type Logger } from '@usufruct/kernel';
import type { LocalStore } from './local-store.js';

const BLOB_PATH = /^\/v1\/blobs\/([A-Za-z0-9_-]{43})$/;
const CONNECTIONS = 64;
const PREFLIGHT_SECONDS = '600';

/** Walrus's HTTP interface (publisher and aggregator in one) before a local store; every answer says what it is. */
export function createStoreServer(store: LocalStore, logger: Logger): Server {
  const server = createServer((incoming, outgoing) => {
    answer(store, incoming, outgoing).catch((error: unknown) => {
      const failure = toUsufructError(error);
      if (failure.code === 'INTERNAL')
        logger.error('request_failed', { method: incoming.method, cause: causeOf(failure.cause) });
      // What the client still sends is not read: the connection ends with the answer.
      if (!incoming.complete) outgoing.setHeader('connection', 'close');
      sendJson(outgoing, failure.entry.http, failure.toWire());
    });
  });
  server.maxConnections = CONNECTIONS;
  server.requestTimeout = 120_000;
  return server;
}

const causeOf = (cause: unknown): string => (cause instanceof Error ? `${cause.name}: ${cause.message}` : typeof cause);

async function answer(store: LocalStore, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'http://store');
  outgoing.setHeader('x-usufruct-stand-in', `local store, ${store.config.shards} shards`);
  allowOrigin(store, incoming, outgoing);
  const method = incoming.method ?? 'GET';
  if (method === 'OPTIONS') {
    outgoing.writeHead(204, { 'access-control-max-age': PREFLIGHT_SECONDS }).end();
    return;
  }
  if (method === 'PUT' && url.pathname === '/v1/blobs') {
    const lease = readLease(url.searchParams);
    return sendJson(outgoing, 200, await store.put(await readBody(incoming, store.config.maxBlobBytes), lease));
  }
  const blobId = BLOB_PATH.exec(url.pathname)?.[1];
  if (blobId !== undefined && (method === 'GET' || method === 'HEAD')) return sendBlob(store, blobId, method, outgoing);
  if (method === 'GET' && ['/healthz', '/readyz'].includes(url.pathname))
    return sendJson(outgoing, 200, { status: 'ok' });
  if (method === 'GET' && ['/', '/v1/info'].includes(url.pathname))
    return sendJson(outgoing, 200, await store.describe());
  throw refuse('NOT_FOUND', { path: 'unknown' });
}

/** Only the origins that were named; the portal uploads from one of them. */
function allowOrigin(store: LocalStore, incoming: IncomingMessage, outgoing: ServerResponse): void {
  const { origin } = incoming.headers;
  outgoing.setHeader('vary', 'origin');
  if (origin === undefined || !store.config.allowedOrigins.includes(origin)) return;
  outgoing.setHeader('access-control-allow-origin', origin);
  outgoing.setHeader('access-control-allow-methods', 'GET, HEAD, PUT');
  outgoing.setHeader('access-control-allow-headers', 'content-type');
}

function readLease(query: URLSearchParams): { epochs: number; deletable: boolean } {
  const epochs = query.get('epochs') ?? '1';
  const deletable = query.get('deletable') ?? 'false';
  if (!/^\d{1,4}$/.test(epochs)) throw refuse('INVALID_ARGUMENT', { field: 'epochs', expected: 'a positive integer' });
  if (!['true', 'false'].includes(deletable))
    throw refuse('INVALID_ARGUMENT', { field: 'deletable', expected: 'true or false' });
  return { epochs: Number(epochs), deletable: deletable === 'true' };
}

async function readBody(incoming: IncomingMessage, limitBytes: number): Promise<Uint8Array> {
  const tooLarge = refuse('REQUEST_TOO_LARGE', { limitBytes: String(limitBytes) });
  if (Number(incoming.headers['content-length'] ?? 0) > limitBytes) throw tooLarge;
  const pieces: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const piece of incoming) {
      total += piece.length;
      if (total > limitBytes) throw tooLarge;
      pieces.push(piece);
    }
  } catch (error) {
    throw error === tooLarge ? tooLarge : refuse('MALFORMED_REQUEST', { part: 'body' }, error);
  }
  return Buffer.concat(pieces);
}

async function sendBlob(store: LocalStore, blobId: string, method: string, outgoing: ServerResponse): Promise<void> {
  const record = await store.find(blobId);
  if (record === null) throw refuse('NOT_FOUND', { blobId });
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(record.sizeBytes),
    // Named by its content: it can change its lease, never its bytes.
    'cache-control': 'public, max-age=86400, immutable',
    etag: `"${blobId}"`,
  };
  if (method === 'HEAD') {
    outgoing.writeHead(200, headers).end();
    return;
  }
  const bytes = await store.read(blobId, record);
  outgoing.writeHead(200, headers).end(bytes);
}

function sendJson(outgoing: ServerResponse, status: number, body: object): void {
  if (outgoing.headersSent) {
    outgoing.destroy();
    return;
  }
  outgoing
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(JSON.stringify(body));
}
