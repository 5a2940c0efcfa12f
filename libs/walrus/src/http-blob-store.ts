import { CATALOGUE, asBlobId, fromUtf8, refuse, type BlobId } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import type { BlobStatus, BlobStore, PutOptions, StoreAbilities, StoredBlob } from './blob-store.js';
import { parsePutAnswer } from './http-answers.js';
import { originOf, request, type RequestParams } from './request.js';

export interface HttpBlobStoreOptions {
  readonly publisherUrl: string;
  readonly aggregatorUrl: string;
  readonly fetch?: typeof globalThis.fetch;
  /** For one try of one request. A publisher answers only when the blob is certified, which takes seconds. */
  readonly timeoutMs?: number;
  readonly tries?: number;
  readonly pauseMs?: number;
  readonly maxBlobBytes?: number;
  readonly defaultEpochs?: number;
  /** The id that bytes must have, when the network's shard number is known; see `@usufruct/walrus/blob-id`. */
  readonly blobIdOf?: (bytes: Uint8Array) => Promise<BlobId>;
}

/** A year on Walrus's mainnet. */
const DEFAULT_EPOCHS = 26;
const ANSWER_BYTES = 64 * 1024;
/** Walrus's own limit on how far ahead a lease may be bought. */
const MOST_EPOCHS = 53;

/** The blob port over a Walrus publisher and aggregator, or over anything that speaks their HTTP interface. */
export function httpBlobStore(options: HttpBlobStoreOptions): BlobStore {
  const publisher = baseUrl(options.publisherUrl, 'publisherUrl');
  const aggregator = baseUrl(options.aggregatorUrl, 'aggregatorUrl');
  const maxBlobBytes = options.maxBlobBytes ?? LIMITS.partBytes;
  const params: RequestParams = {
    fetch: options.fetch ?? ((...call) => globalThis.fetch(...call)),
    timeoutMs: options.timeoutMs ?? 60_000,
    tries: options.tries ?? 4,
    pauseMs: options.pauseMs ?? 250,
  };
  const check = async (bytes: Uint8Array, blobId: string): Promise<void> => {
    if (options.blobIdOf !== undefined && (await options.blobIdOf(bytes)) !== blobId)
      throw refuse('BLOB_MISMATCH', { blobId });
  };
  const abilities: StoreAbilities = {
    deletable: false,
    extendable: false,
    quilts: false,
    ranges: false,
    ownable: false,
    leaseEpochs: { least: 1, most: MOST_EPOCHS },
    paidBy: 'operator',
    maxBlobBytes,
    maxQuiltFiles: 0,
  };
  const unsupported = (ability: string): Promise<never> => Promise.reject(refuse('STORE_UNSUPPORTED', { ability }));
  return {
    abilities,
    delete: () => unsupported('delete'),
    extend: () => unsupported('extend'),
    putMany: () => unsupported('quilts'),
    getPatch: () => unsupported('quilts'),
    async put(
      bytes: Uint8Array,
      { epochs = options.defaultEpochs ?? DEFAULT_EPOCHS, deletable = false, signal }: PutOptions = {},
    ) {
      if (bytes.length === 0) throw refuse('FILE_EMPTY');
      if (bytes.length > maxBlobBytes) throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(maxBlobBytes) });
      if (!Number.isInteger(epochs) || epochs < 1 || epochs > MOST_EPOCHS) {
        throw refuse('INVALID_ARGUMENT', { field: 'epochs', expected: `an integer from 1 to ${MOST_EPOCHS}` });
      }
      const lease = `epochs=${epochs}&${deletable ? 'deletable' : 'permanent'}=true`;
      const stored = await sendBlob(params, `${publisher}/v1/blobs?${lease}`, bytes, signal);
      await check(bytes, stored.blobId);
      return stored;
    },
    async get(blobId, { signal } = {}) {
      const bytes = await fetchBlob(params, `${aggregator}/v1/blobs/${asBlobId(blobId)}`, blobId, maxBlobBytes, signal);
      await check(bytes, blobId);
      return bytes;
    },
    status: (blobId) => headBlob(params, `${aggregator}/v1/blobs/${asBlobId(blobId)}`),
  };
}

async function sendBlob(
  params: RequestParams,
  url: string,
  bytes: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<StoredBlob> {
  const init = { method: 'PUT', body: new Uint8Array(bytes), headers: { 'content-type': 'application/octet-stream' } };
  const answer = await request(params, {
    url,
    init,
    maxAnswerBytes: ANSWER_BYTES,
    signal,
    unavailable: 'UPSTREAM_UNAVAILABLE',
  });
  const upstream = originOf(url);
  if (answer.status === 413) throw refuse('REQUEST_TOO_LARGE', { upstream });
  if (answer.status !== 200) throw refuse('UPSTREAM_INVALID', { upstream, status: String(answer.status) });
  const parsed = parsePutAnswer(fromUtf8(answer.bytes, 'answer'));
  if (parsed === null) throw refuse('UPSTREAM_INVALID', { upstream, field: 'answer to PUT /v1/blobs' });
  if (parsed.sizeBytes !== null && parsed.sizeBytes !== bytes.length)
    throw refuse('BLOB_MISMATCH', { blobId: parsed.blobId });
  const { endEpoch, objectId } = parsed;
  return { blobId: asBlobId(parsed.blobId), sizeBytes: bytes.length, endEpoch, objectId };
}

async function fetchBlob(
  params: RequestParams,
  url: string,
  blobId: string,
  maxBlobBytes: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const answer = await request(params, {
    url,
    init: {},
    maxAnswerBytes: maxBlobBytes,
    signal,
    unavailable: 'BLOB_UNAVAILABLE',
  });
  if (answer.status === 404) throw refuse('BLOB_UNAVAILABLE', { blobId });
  // What a store answers that looked at its bytes before it gave them out, as the local one does.
  if (answer.status === CATALOGUE.BLOB_MISMATCH.http) throw refuse('BLOB_MISMATCH', { blobId });
  const upstream = originOf(url);
  if (answer.status !== 200) throw refuse('UPSTREAM_INVALID', { upstream, status: String(answer.status) });
  // A proxy's error page comes with status 200 too, and must not become somebody's document.
  if (/^(text\/|application\/(json|xhtml))/i.test(answer.contentType))
    throw refuse('UPSTREAM_INVALID', { upstream, field: 'content-type' });
  if (answer.bytes.length === 0) throw refuse('UPSTREAM_INVALID', { upstream, field: 'size' });
  return answer.bytes;
}

async function headBlob(params: RequestParams, url: string): Promise<BlobStatus> {
  const init = { method: 'HEAD' };
  const answer = await request(params, {
    url,
    init,
    maxAnswerBytes: 0,
    signal: undefined,
    unavailable: 'BLOB_UNAVAILABLE',
  });
  const unsaid = { certified: null, endEpoch: null, deletable: null };
  if (answer.status === 404) return { ...unsaid, available: false, sizeBytes: null };
  if (answer.status !== 200)
    throw refuse('UPSTREAM_INVALID', { upstream: originOf(url), status: String(answer.status) });
  return { ...unsaid, available: true, sizeBytes: answer.contentLengthBytes };
}

function baseUrl(text: string, field: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    throw refuse('INVALID_ARGUMENT', { field, expected: 'an http(s) URL without query' });
  }
  return url.href.replace(/\/$/, '');
}
