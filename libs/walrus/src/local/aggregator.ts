import type { IncomingMessage, ServerResponse } from 'node:http';
import { asId, refuse, type BlobId, type Hex32 } from '@usufruct/kernel';
import { sendJson, type Exchange } from '@usufruct/service';
import { refusalBody } from './answers.js';
import type { LocalStore } from './local-store.js';
import { decodePatchId, encodePatchId, readPatch, readPatches, type Patch } from './quilt.js';
import { parseByteRange, parseRange, type Slice } from './ranges.js';

const ID = '([A-Za-z0-9_-]{43})';
const BLOB = new RegExp(`^/v1/blobs/${ID}$`);
const BYTE_RANGE = new RegExp(`^/v1/blobs/${ID}/byte-range$`);
const BY_OBJECT = /^\/v1\/blobs\/by-object-id\/([^/]+)$/;
const BY_QUILT = new RegExp(`^/v1/blobs/by-quilt-id/${ID}/([^/]+)$`);
const BY_PATCH = /^\/v1\/blobs\/by-quilt-patch-id\/([^/]+)$/;
const PATCHES = new RegExp(`^/v1/quilts/${ID}/patches$`);

/** What Walrus's aggregator answers (MystenLabs/walrus, crates/walrus-service/aggregator_openapi.yaml). */
export async function answerAggregator(store: LocalStore, exchange: Exchange): Promise<boolean> {
  const { request, response, url } = exchange;
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const { pathname } = url;
  const blobId = BLOB.exec(pathname)?.[1];
  if (blobId !== undefined) return sendBlob(store, exchange, blobId as BlobId);
  const objectId = BY_OBJECT.exec(pathname)?.[1];
  if (objectId !== undefined) return sendBlob(store, exchange, blobOf(store, objectId));
  const ranged = BYTE_RANGE.exec(pathname)?.[1];
  if (ranged !== undefined) return sendByteRange(store, exchange, ranged as BlobId);
  const quilted = BY_QUILT.exec(pathname);
  if (quilted !== null) return sendPatch(store, exchange, patchByName(quilted[1] as BlobId, quilted[2] ?? ''));
  const patchId = BY_PATCH.exec(pathname)?.[1];
  if (patchId !== undefined) return sendPatch(store, exchange, patchById(patchId));
  const listed = PATCHES.exec(pathname)?.[1];
  if (listed !== undefined) return sendPatches(store, response, listed as BlobId);
  if (pathname === '/status') {
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' }).end('OK');
    return true;
  }
  return false;
}

async function sendBlob(store: LocalStore, { request, response }: Exchange, blobId: BlobId): Promise<boolean> {
  const { record } = found(store, blobId);
  const { range } = request.headers;
  const whole: Slice = { start: 0, end: record.sizeBytes };
  const slice = range === undefined ? whole : parseRange(range, record.sizeBytes);
  if (slice === null) {
    const error = refuse('INVALID_ARGUMENT', { field: 'range', expected: 'bytes=first-last, inside the blob' });
    response.setHeader('content-range', `bytes */${record.sizeBytes}`);
    sendJson(response, 416, JSON.stringify(refusalBody(error, 416)));
    return true;
  }
  const { start, end } = slice;
  const headers = {
    ...headersFor(blobId, end - start),
    'accept-ranges': 'bytes',
    ...(range !== undefined && { 'content-range': `bytes ${start}-${end - 1}/${record.sizeBytes}` }),
  };
  return send(request, response, range === undefined ? 200 : 206, headers, () =>
    store.read(blobId, record, start, end),
  );
}

/** With status 200: so that caches keep it, says Walrus. */
async function sendByteRange(store: LocalStore, exchange: Exchange, blobId: BlobId): Promise<boolean> {
  const { request, response, url } = exchange;
  const { record } = found(store, blobId);
  const { start, end } = parseByteRange(url.searchParams, record.sizeBytes);
  const headers = headersFor(`${blobId}-${start}-${end - start}`, end - start);
  return send(request, response, 200, headers, () => store.read(blobId, record, start, end));
}

/** Which quilt a request means, and which file of it. */
interface Wanted {
  readonly quiltId: BlobId;
  readonly matches: (patch: Patch) => boolean;
}

function patchByName(quiltId: BlobId, encoded: string): Wanted {
  const identifier = decoded(encoded);
  return { quiltId, matches: (patch) => patch.identifier === identifier };
}

function patchById(text: string): Wanted {
  const id = decodePatchId(text);
  if (id === null) throw refuse('INVALID_ARGUMENT', { field: 'patchId', expected: 'a quilt patch id' });
  const { quiltId, startIndex, endIndex } = id;
  return { quiltId, matches: (patch) => patch.startIndex === startIndex && patch.endIndex === endIndex };
}

async function sendPatch(store: LocalStore, { request, response }: Exchange, wanted: Wanted): Promise<boolean> {
  const { quiltId, matches } = wanted;
  const quilt = await readWhole(store, quiltId);
  const patch = readPatches(quilt, store.config.shards)?.find(matches);
  const bytes = patch === undefined ? null : readPatch(quilt, patch, store.config.shards);
  if (patch === undefined || bytes === null) throw refuse('NOT_FOUND', { quiltId, patch: 'unknown' });
  const headers = {
    ...headersFor(quiltId, bytes.length),
    // A header holds no other characters; Walrus leaves it out then, too.
    ...(/^[\x20-\x7e]+$/.test(patch.identifier) && { 'x-quilt-patch-identifier': patch.identifier }),
  };
  return send(request, response, 200, headers, () => Promise.resolve(bytes));
}

async function sendPatches(store: LocalStore, response: ServerResponse, quiltId: BlobId): Promise<boolean> {
  const patches = readPatches(await readWhole(store, quiltId), store.config.shards);
  if (patches === null) throw refuse('NOT_FOUND', { quiltId, patch: 'unknown' });
  const items = patches.map((patch) => ({
    identifier: patch.identifier,
    patch_id: encodePatchId(quiltId, patch),
    tags: patch.tags,
  }));
  sendJson(response, 200, JSON.stringify(items));
  return true;
}

async function readWhole(store: LocalStore, blobId: BlobId): Promise<Uint8Array> {
  return store.read(blobId, found(store, blobId).record);
}

function found(store: LocalStore, blobId: BlobId): NonNullable<ReturnType<LocalStore['find']>> {
  const blob = store.find(blobId);
  if (blob === null) throw refuse('NOT_FOUND', { blobId });
  return blob;
}

function blobOf(store: LocalStore, text: string): BlobId {
  const objectId = asId<Hex32>(text, 'objectId');
  const lease = store.lease(objectId);
  if (lease === null) throw refuse('NOT_FOUND', { objectId });
  return lease.blobId;
}

/** Named by its content: it can change its leases, never its bytes. */
const headersFor = (etag: string, lengthBytes: number): Record<string, string> => ({
  'content-type': 'application/octet-stream',
  'content-length': String(lengthBytes),
  'x-content-type-options': 'nosniff',
  'cache-control': 'public, max-age=86400, stale-while-revalidate=3600',
  etag: `"${etag}"`,
});

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  read: () => Promise<Uint8Array>,
): Promise<boolean> {
  if (request.method === 'HEAD') {
    response.writeHead(status, headers).end();
    return true;
  }
  const bytes = await read();
  response.writeHead(status, headers).end(bytes);
  return true;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refuse('INVALID_ARGUMENT', { field: 'identifier', expected: 'percent-encoded UTF-8' });
  }
}
