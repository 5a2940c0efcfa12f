import { asBlobId, CATALOGUE, refuse, UsufructError, type BlobId } from '@usufruct/kernel';
import type { BlobStatus, ByteRange, CallOptions, GetOptions, PatchName, PatchOptions } from './blob-store.js';
import { originOf, pause, request, type Answer, type RequestParams } from './request.js';

export interface Aggregators {
  get(blobId: BlobId, options: GetOptions): Promise<Uint8Array>;
  getPatch(patch: PatchName, options: PatchOptions): Promise<Uint8Array>;
  status(blobId: BlobId, options: CallOptions): Promise<BlobStatus>;
}

export interface AggregatorsParams extends RequestParams {
  /** Asked in this order; whatever one of them answers wrongly, or not, the next one is asked. */
  readonly urls: readonly string[];
  readonly maxBlobBytes: number;
  /** Refuses `BLOB_MISMATCH` for bytes that the id does not name; not asked about a part of a blob. */
  readonly check: (bytes: Uint8Array, blobId: BlobId) => Promise<void>;
}

/** 37 bytes: the quilt's blob id, a version and two columns of 16 bits. */
const PATCH_ID = /^[A-Za-z0-9_-]{50}$/;
const OCTETS = 'application/octet-stream';

/** The reading half of Walrus's HTTP interface, from one aggregator or several. */
export function aggregators(params: AggregatorsParams): Aggregators {
  const { maxBlobBytes, check } = params;
  return {
    get: (blobId, { range, fresh = false, signal, expected }) => {
      const path = `/v1/blobs/${asBlobId(blobId)}`;
      if (range !== undefined) requireRange(range, maxBlobBytes);
      return fromOne(params, signal, async (one, url) => {
        const asked = { url: `${url}${path}`, name: blobId, range, fresh, maxBlobBytes, signal, expected };
        const bytes = await fetchBlob(one, asked);
        if (range === undefined) await check(bytes, blobId);
        return bytes;
      });
    },
    getPatch: (patch, { signal, fresh = false, once = false }) => {
      const { path, name } = patchPath(patch);
      return fromOne(once ? { ...params, tries: 1 } : params, signal, (one, url) =>
        fetchBlob(one, {
          url: `${url}${path}`,
          name,
          range: undefined,
          fresh,
          maxBlobBytes,
          signal,
          expected: undefined,
        }),
      );
    },
    status: (blobId, { signal }) => {
      const path = `/v1/blobs/${asBlobId(blobId)}`;
      return fromOne(params, signal, (one, url) => headBlob(one, `${url}${path}`, blobId, signal)).catch(
        (error: unknown) => {
          if (error instanceof NotThere) return { ...UNSAID, available: false };
          throw error;
        },
      );
    },
  };
}

const UNSAID = { certified: null, sizeBytes: null, endEpoch: null, deletable: null } as const;

/** The server answered that it has no such blob: asking it again changes nothing. */
class NotThere extends UsufructError {
  constructor(name: string) {
    super('BLOB_UNAVAILABLE', { blobId: name });
  }
}

/** One is asked as patiently as the caller said; of several, each gets one try a round, so that a silent one costs little. */
async function fromOne<T>(
  params: AggregatorsParams,
  signal: AbortSignal | undefined,
  ask: (one: RequestParams, url: string) => Promise<T>,
): Promise<T> {
  const { urls, tries, pauseMs } = params;
  if (urls.length === 1) return ask(params, urls[0]!);
  let left = urls;
  let worst: unknown;
  for (let round = 1; round <= tries && left.length > 0; round++) {
    if (round > 1) await pause(pauseMs * 2 ** (round - 2), signal);
    for (const url of left) {
      try {
        return await ask({ ...params, tries: 1 }, url);
      } catch (error) {
        signal?.throwIfAborted();
        if (worst === undefined || weightOf(error) > weightOf(worst)) worst = error;
        if (weightOf(error) > 0) left = left.filter((each) => each !== url);
      }
    }
  }
  throw worst;
}

/** What is said when none of several gave the blob: wrong bytes before no blob, no blob before no answer. */
function weightOf(error: unknown): number {
  if (!(error instanceof UsufructError)) return 4;
  if (error.code === 'BLOB_MISMATCH') return 3;
  if (error.code !== 'BLOB_UNAVAILABLE') return 2;
  return error instanceof NotThere ? 1 : 0;
}

interface FetchParams {
  readonly url: string;
  readonly name: string;
  readonly range: ByteRange | undefined;
  readonly fresh: boolean;
  readonly maxBlobBytes: number;
  readonly signal: AbortSignal | undefined;
  readonly expected: Uint8Array | undefined;
}

async function fetchBlob(
  params: RequestParams,
  { url, name, range, fresh, ...rest }: FetchParams,
): Promise<Uint8Array> {
  const init: RequestInit = {
    ...(fresh && { cache: 'no-store' }),
    ...(range !== undefined && { headers: { range: `bytes=${range.offsetBytes}-${lastOf(range)}` } }),
  };
  const maxAnswerBytes = range?.lengthBytes ?? rest.maxBlobBytes;
  const { signal, expected } = rest;
  const answer = await request(params, {
    url,
    init,
    maxAnswerBytes,
    signal,
    expected,
    unavailable: 'BLOB_UNAVAILABLE',
  });
  const upstream = originOf(url);
  // 451: what storage nodes and aggregators were told not to give out.
  if (answer.status === 404 || answer.status === 451) throw new NotThere(name);
  // What a store answers that looked at its bytes before it gave them out, as the local one does.
  if (answer.status === CATALOGUE.BLOB_MISMATCH.http) throw refuse('BLOB_MISMATCH', { blobId: name });
  if (answer.status === 416) throw refuse('INVALID_ARGUMENT', { field: 'range', expected: 'a range inside the blob' });
  if (answer.status !== (range === undefined ? 200 : 206))
    throw refuse('UPSTREAM_INVALID', { upstream, status: String(answer.status) });
  requireBytes(answer, upstream);
  if (range !== undefined) requireTheRange(answer, range, upstream);
  return answer.bytes;
}

/** A proxy's error page comes with status 200 too, and must not become somebody's document. */
function requireBytes({ contentType, bytes }: Answer, upstream: string): void {
  const type = contentType.split(';')[0]!.trim().toLowerCase();
  if (/^(text\/|application\/(json|xhtml|problem))/.test(type) && type !== OCTETS)
    throw refuse('UPSTREAM_INVALID', { upstream, field: 'content-type' });
  if (bytes.length === 0) throw refuse('UPSTREAM_INVALID', { upstream, field: 'size' });
}

/** The header and the body both say that it is what was asked for: no shorter, and from nowhere else (RFC 9110 §14.4). */
function requireTheRange({ contentRange, bytes }: Answer, range: ByteRange, upstream: string): void {
  const [, first, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(contentRange) ?? [];
  const isRight =
    Number(first) === range.offsetBytes &&
    Number(last) === lastOf(range) &&
    (total === '*' || Number(total) > lastOf(range)) &&
    bytes.length === range.lengthBytes;
  if (!isRight) throw refuse('UPSTREAM_INVALID', { upstream, field: 'content-range' });
}

const lastOf = ({ offsetBytes, lengthBytes }: ByteRange): number => offsetBytes + lengthBytes - 1;

async function headBlob(
  params: RequestParams,
  url: string,
  blobId: BlobId,
  signal: AbortSignal | undefined,
): Promise<BlobStatus> {
  const init: RequestInit = { method: 'HEAD', cache: 'no-store' };
  const answer = await request(params, { url, init, maxAnswerBytes: 0, signal, unavailable: 'BLOB_UNAVAILABLE' });
  if (answer.status === 404 || answer.status === 451) throw new NotThere(blobId);
  if (answer.status !== 200)
    throw refuse('UPSTREAM_INVALID', { upstream: originOf(url), status: String(answer.status) });
  return { ...UNSAID, available: true, sizeBytes: answer.contentLengthBytes };
}

/** Refuses `INVALID_ARGUMENT` for a range that is empty, negative, not of whole bytes, or beyond what a blob may be. */
export function requireRange({ offsetBytes, lengthBytes }: ByteRange, maxBlobBytes: number): void {
  const isRange = Number.isSafeInteger(offsetBytes) && offsetBytes >= 0 && Number.isSafeInteger(lengthBytes);
  if (!isRange || lengthBytes < 1 || offsetBytes + lengthBytes > maxBlobBytes)
    throw refuse('INVALID_ARGUMENT', { field: 'range', expected: 'a range inside the blob' });
}

function patchPath(patch: PatchName): { path: string; name: string } {
  if (!('patchId' in patch)) {
    const quiltId = asBlobId(patch.quiltId);
    return { path: `/v1/blobs/by-quilt-id/${quiltId}/${encodeURIComponent(patch.identifier)}`, name: quiltId };
  }
  if (!PATCH_ID.test(patch.patchId))
    throw refuse('INVALID_ARGUMENT', { field: 'patchId', expected: '50 base64url characters' });
  return { path: `/v1/blobs/by-quilt-patch-id/${patch.patchId}`, name: patch.patchId };
}
