import type { ServerResponse } from 'node:http';
import { refuse, type Logger } from '@usufruct/kernel';
import { readBytes, sendJson, serveHttp, type Exchange, type RunningServer } from '@usufruct/service';
import type { LocalStore } from './local-store.js';

const BLOB_PATH = /^\/v1\/blobs\/([A-Za-z0-9_-]{43})$/;
const CONNECTIONS = 64;
/** A part of a few MiB over a slow line. */
const UPLOAD_TIMEOUT_MS = 120_000;

/** Walrus's HTTP interface (publisher and aggregator in one) before a local store; every answer says what it is. */
export const serveStore = (store: LocalStore, logger: Logger): Promise<RunningServer> =>
  serveHttp({
    host: store.config.host,
    port: store.config.port,
    logger,
    // The portal uploads from one of them.
    allowedOrigins: store.config.allowedOrigins,
    allowedMethods: 'GET, HEAD, PUT',
    headers: { 'x-usufruct-stand-in': `local store, ${store.config.shards} shards` },
    requestTimeoutMs: UPLOAD_TIMEOUT_MS,
    maxConnections: CONNECTIONS,
    answer: (exchange) => answer(store, exchange),
  });

async function answer(store: LocalStore, { request, response, url }: Exchange): Promise<void> {
  const { method } = request;
  if (method === 'PUT' && url.pathname === '/v1/blobs') {
    const lease = readLease(url.searchParams);
    const stored = await store.put(await readBytes(request, store.config.maxBlobBytes), lease);
    return sendJson(response, 200, JSON.stringify(stored));
  }
  const blobId = BLOB_PATH.exec(url.pathname)?.[1];
  if (blobId !== undefined && (method === 'GET' || method === 'HEAD')) return sendBlob(store, blobId, method, response);
  if (method === 'GET' && ['/', '/v1/info'].includes(url.pathname))
    return sendJson(response, 200, JSON.stringify(await store.describe()));
  throw refuse('NOT_FOUND', { path: 'unknown' });
}

function readLease(query: URLSearchParams): { epochs: number; deletable: boolean } {
  const epochs = query.get('epochs') ?? '1';
  const deletable = query.get('deletable') ?? 'false';
  if (!/^\d{1,4}$/.test(epochs)) throw refuse('INVALID_ARGUMENT', { field: 'epochs', expected: 'a positive integer' });
  if (!['true', 'false'].includes(deletable))
    throw refuse('INVALID_ARGUMENT', { field: 'deletable', expected: 'true or false' });
  return { epochs: Number(epochs), deletable: deletable === 'true' };
}

async function sendBlob(store: LocalStore, blobId: string, method: string, response: ServerResponse): Promise<void> {
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
    response.writeHead(200, headers).end();
    return;
  }
  const bytes = await store.read(blobId, record);
  response.writeHead(200, headers).end(bytes);
}
