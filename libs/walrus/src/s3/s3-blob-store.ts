import { asBlobId, refuse, toBase64Url, type BlobId, type Clock } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import type { BlobStatus, BlobStore, ByteRange, GetOptions, PutOptions, StoreAbilities } from '../blob-store.js';
import { baseUrl, originOf, request, type Answer, type RequestParams } from '../request.js';
import { sha256 } from '../sha256.js';
import { signingFetch, type S3Credentials } from './signing.js';

export interface S3BlobStoreOptions {
  /** `https://s3.eu-central-1.amazonaws.com`, or that of any store with the same interface; buckets are in the path. */
  readonly endpoint: string;
  readonly region: string;
  readonly bucket: string;
  /** Before each name, with a slash at its end: a region, a DAO. Whoever shares a bucket sees only what is theirs. */
  readonly prefix?: string;
  readonly credentials: S3Credentials;
  readonly clock: Clock;
  readonly fetch?: typeof globalThis.fetch;
  readonly timeoutMs?: number;
  readonly tries?: number;
  readonly pauseMs?: number;
  readonly maxBlobBytes?: number;
}

/**
 * What is stored here stays until somebody deletes it, so its lease ends with an epoch that never comes. The chain's
 * record wants a number: this is the largest one that every part of the system can hold (2³¹ − 1).
 */
export const ENDLESS_EPOCH = 2_147_483_647;

const ANSWER_BYTES = 64 * 1024;
/** One PUT takes no more (S3's own limit). */
const LARGEST_PUT_BYTES = 5 * 1024 ** 3;
const DELETABLE = 'x-amz-meta-usufruct-deletable';

/**
 * The blob port over an S3-compatible object store, for DAOs whose ciphertext must stay in a region. Ciphertext only,
 * as everywhere. What differs from Walrus: a blob id is the SHA-256 of its bytes and no RedStuff id, so nothing that was
 * stored here is found there; nobody but the bucket's operator vouches for a blob; a permanent one is permanent as far
 * as this client goes, and its operator can delete it all the same. Credentials come from settings and are in no error.
 */
export function s3BlobStore(options: S3BlobStoreOptions): BlobStore {
  const maxBlobBytes = Math.min(options.maxBlobBytes ?? LIMITS.partBytes, LARGEST_PUT_BYTES);
  const bucket: Bucket = {
    params: {
      fetch: signingFetch({ ...options, fetch: options.fetch ?? ((...call) => globalThis.fetch(...call)) }),
      timeoutMs: options.timeoutMs ?? 60_000,
      tries: options.tries ?? 4,
      pauseMs: options.pauseMs ?? 250,
    },
    url: `${baseUrl(options.endpoint, 'endpoint')}/${requireBucket(options.bucket)}/${requirePrefix(options.prefix)}`,
    maxBlobBytes,
  };
  return {
    abilities: abilitiesOf(maxBlobBytes),
    put: (bytes, put) => putObject(bucket, bytes, put),
    get: async (blobId, get) => getObject(bucket, asBlobId(blobId), get),
    status: async (blobId, call) => (await headObject(bucket, asBlobId(blobId), call?.signal)) ?? ABSENT,
    async delete({ blobId }, call) {
      const id = asBlobId(blobId);
      const status = await headObject(bucket, id, call?.signal);
      if (status === null) return;
      if (status.deletable !== true) throw refuse('BLOB_PERMANENT', { blobId });
      await exchange(bucket, id, { method: 'DELETE' }, [200, 204, 404], call);
    },
    extend: () => Promise.reject(unsupported('extend')),
    putMany: () => Promise.reject(unsupported('quilts')),
    getPatch: () => Promise.reject(unsupported('quilts')),
  };
}

interface Bucket {
  readonly params: RequestParams;
  /** Up to the name of the object. */
  readonly url: string;
  readonly maxBlobBytes: number;
}

const abilitiesOf = (maxBlobBytes: number): StoreAbilities => ({
  deletable: true,
  extendable: false,
  quilts: false,
  ranges: true,
  ownable: false,
  leaseEpochs: null,
  paidBy: 'operator',
  maxBlobBytes,
  maxQuiltFiles: 0,
  shards: null,
});
const ABSENT: BlobStatus = { available: false, certified: null, sizeBytes: null, endEpoch: null, deletable: null };
const unsupported = (ability: string): Error => refuse('STORE_UNSUPPORTED', { ability });

/** Content-addressed: equal bytes are one object, and nobody can be given other bytes for an id without noticing. */
const blobIdOf = async (bytes: Uint8Array): Promise<BlobId> => asBlobId(toBase64Url(await sha256(bytes)));

async function putObject(bucket: Bucket, bytes: Uint8Array, put: PutOptions = {}) {
  const { deletable = false, owner } = put;
  if (owner !== undefined) throw unsupported('ownable');
  if (bytes.length === 0) throw refuse('FILE_EMPTY');
  if (bytes.length > bucket.maxBlobBytes)
    throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(bucket.maxBlobBytes) });
  const blobId = await blobIdOf(bytes);
  const stored = { blobId, sizeBytes: bytes.length, endEpoch: ENDLESS_EPOCH, objectId: null };
  const write = (condition: Record<string, string>): Promise<Answer> => {
    const headers = {
      'content-type': 'application/octet-stream',
      [DELETABLE]: String(deletable),
      ...condition,
    };
    const init = { method: 'PUT', body: bytes as Uint8Array<ArrayBuffer>, headers };
    return exchange(bucket, blobId, init, [200, 409, 412, 501], put);
  };
  const first = await write({ 'if-none-match': '*' });
  if (first.status === 200) return stored;
  if (first.status !== 501) {
    const known = await headObject(bucket, blobId, put.signal);
    if (known !== null && (known.sizeBytes ?? bytes.length) !== bytes.length) throw refuse('BLOB_MISMATCH', { blobId });
    // Whoever wanted it to stay wins, in whichever order they came.
    if (known !== null && (deletable || known.deletable === false)) return stored;
  }
  // There is none after all, it becomes permanent, or the store knows no conditions: the bytes are the same anyway.
  const again = await write({});
  if (again.status !== 200) throw badStatus(bucket, again.status);
  return stored;
}

async function getObject(bucket: Bucket, blobId: BlobId, get: GetOptions = {}) {
  const { range, fresh } = get;
  if (range !== undefined) requireRange(range);
  const headers = {
    ...(range !== undefined && { range: `bytes=${range.offsetBytes}-${range.offsetBytes + range.lengthBytes - 1}` }),
    ...(fresh === true && { 'cache-control': 'no-cache' }),
  };
  const statuses = range === undefined ? [200, 404] : [200, 206, 404, 416];
  const answer = await exchange(bucket, blobId, { headers }, statuses, get, 'BLOB_UNAVAILABLE');
  if (answer.status === 404) throw refuse('BLOB_UNAVAILABLE', { blobId });
  if (answer.status === 416) throw refuse('INVALID_ARGUMENT', { field: 'range', expected: 'a range inside the blob' });
  if (range !== undefined && answer.status === 206) return rangeOf(bucket, answer, range);
  if ((await blobIdOf(answer.bytes)) !== blobId) throw refuse('BLOB_MISMATCH', { blobId });
  if (range === undefined) return answer.bytes;
  // It answered with all of it, which at least can be checked.
  const end = range.offsetBytes + range.lengthBytes;
  if (end > answer.bytes.length)
    throw refuse('INVALID_ARGUMENT', { field: 'range', expected: 'a range inside the blob' });
  return answer.bytes.slice(range.offsetBytes, end);
}

/** A part of a blob cannot be checked by the blob's hash: only that it is the part that was asked for. */
function rangeOf(bucket: Bucket, answer: Answer, { offsetBytes, lengthBytes }: ByteRange): Uint8Array {
  const said = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(answer.contentRange);
  const last = offsetBytes + lengthBytes - 1;
  const upstream = originOf(bucket.url);
  if (said === null || Number(said[1]) !== offsetBytes) throw refuse('UPSTREAM_INVALID', { upstream, field: 'range' });
  // A store shortens a range that leaves the blob.
  if (Number(said[2]) < last && Number(said[3]) === Number(said[2]) + 1)
    throw refuse('INVALID_ARGUMENT', { field: 'range', expected: 'a range inside the blob' });
  if (Number(said[2]) !== last || answer.bytes.length !== lengthBytes)
    throw refuse('UPSTREAM_INVALID', { upstream, field: 'range' });
  return answer.bytes;
}

/** `null`: there is none. */
async function headObject(
  bucket: Bucket,
  blobId: BlobId,
  signal: AbortSignal | undefined,
): Promise<(BlobStatus & { readonly deletable: boolean }) | null> {
  const answer = await exchange(bucket, blobId, { method: 'HEAD' }, [200, 404], { signal }, 'BLOB_UNAVAILABLE');
  if (answer.status === 404) return null;
  const deletable = answer.headers?.get(DELETABLE) === 'true';
  return { available: true, certified: null, sizeBytes: answer.contentLengthBytes, endEpoch: null, deletable };
}

type WithHeaders = Answer & { readonly headers?: Headers };
type Exchanged = { readonly signal?: AbortSignal | undefined; readonly expected?: Uint8Array };

async function exchange(
  bucket: Bucket,
  blobId: BlobId,
  init: RequestInit,
  statuses: readonly number[],
  { signal, expected }: Exchanged = {},
  unavailable: 'UPSTREAM_UNAVAILABLE' | 'BLOB_UNAVAILABLE' = 'UPSTREAM_UNAVAILABLE',
): Promise<WithHeaders> {
  let headers: Headers | undefined;
  const fetch: typeof globalThis.fetch = async (...call) => {
    const response = await bucket.params.fetch(...call);
    headers = response.headers;
    return response;
  };
  const isRead = init.method === undefined;
  const answer = await request(
    { ...bucket.params, fetch },
    {
      url: `${bucket.url}${blobId}`,
      init,
      maxAnswerBytes: isRead ? bucket.maxBlobBytes : ANSWER_BYTES,
      signal,
      expected,
      unavailable,
    },
  );
  if (!statuses.includes(answer.status)) throw badStatus(bucket, answer.status);
  return { ...answer, ...(headers !== undefined && { headers }) };
}

/** By class. Wrong credentials and a wrong bucket are the operator's to mend: nothing of the answer's text is repeated. */
function badStatus(bucket: Bucket, status: number): Error {
  const upstream = originOf(bucket.url);
  if (status === 413) return refuse('REQUEST_TOO_LARGE', { upstream });
  if (status === 507) return refuse('STORE_FULL', { upstream });
  return refuse('UPSTREAM_INVALID', { upstream, status: String(status) });
}

function requireRange({ offsetBytes, lengthBytes }: ByteRange): void {
  const whole = Number.isSafeInteger(offsetBytes) && Number.isSafeInteger(offsetBytes + lengthBytes);
  if (!whole || offsetBytes < 0 || lengthBytes < 1)
    throw refuse('INVALID_ARGUMENT', { field: 'range', expected: 'a range inside the blob' });
}

/** S3's own rules for names, without dots: those break its certificates. */
function requireBucket(bucket: string): string {
  if (!/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(bucket))
    throw refuse('INVALID_ARGUMENT', { field: 'bucket', expected: '3 to 63 lower-case letters, digits and hyphens' });
  return bucket;
}

function requirePrefix(prefix = ''): string {
  const isPath = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,63}\/){0,8}$/.test(prefix);
  if (!isPath) throw refuse('INVALID_ARGUMENT', { field: 'prefix', expected: 'names, each with a slash at its end' });
  return prefix;
}
