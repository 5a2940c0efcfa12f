/** One request to a vendor. */
export interface VendorRequest {
  readonly url: string;
  readonly accept: string;
  /** The answer's body at most, after decompression. */
  readonly bytesAtMost: number;
  /** A POST with this body; a GET without. */
  readonly post?: { readonly contentType: string; readonly body: Uint8Array };
  readonly etag?: string;
}

export interface HttpOptions {
  readonly fetch: typeof globalThis.fetch;
  /** From the first byte sent to the last byte read. */
  readonly timeoutMs: number;
}

export interface VendorAnswer {
  /** 200, or 304 where an ETag was sent. */
  readonly status: 200 | 304;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** Why there is no answer, in words for an operator; never a part of what was received. */
export interface NoAnswer {
  readonly reason: string;
}

/**
 * Ask once, never longer than the limit and never for more bytes. A redirection is refused: the operator named whom to
 * ask. Nothing is retried here, and nothing throws for what the other side does.
 */
export async function ask(request: VendorRequest, { fetch, timeoutMs }: HttpOptions): Promise<VendorAnswer | NoAnswer> {
  const enough = new AbortController();
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(request.url, { ...initOf(request), signal: AbortSignal.any([enough.signal, limit]) });
    if (response.status >= 300 && response.status < 400 && response.status !== 304)
      return { reason: 'it redirects elsewhere' };
    if (response.status === 304) {
      const isAsked = request.etag !== undefined;
      return isAsked
        ? answerOf(304, response, new Uint8Array())
        : { reason: 'it says that nothing changed, of nothing' };
    }
    if (response.status !== 200) return { reason: `it answers with status ${response.status}` };
    const bytes = await readAtMost(response, request.bytesAtMost);
    return bytes === null
      ? { reason: `its answer is larger than ${request.bytesAtMost} bytes` }
      : answerOf(200, response, bytes);
  } catch {
    // What fetch throws may name addresses and ports, which are nobody's business; the two cases differ for an operator.
    return { reason: limit.aborted ? `it takes longer than ${timeoutMs} ms` : 'it cannot be reached' };
  } finally {
    enough.abort(); // whatever was not read is not waited for
  }
}

const initOf = ({ accept, etag, post }: VendorRequest): RequestInit => ({
  method: post === undefined ? 'GET' : 'POST',
  redirect: 'manual',
  credentials: 'omit',
  headers: {
    accept,
    ...(etag === undefined ? {} : { 'if-none-match': etag }),
    ...(post === undefined ? {} : { 'content-type': post.contentType }),
  },
  ...(post === undefined ? {} : { body: Uint8Array.from(post.body) }),
});

const answerOf = (status: 200 | 304, { headers }: Response, bytes: Uint8Array): VendorAnswer => ({
  status,
  headers,
  bytes,
});

/** Null as soon as there is more than the limit; a length that is announced is not relied on. */
async function readAtMost(response: Response, bytesAtMost: number): Promise<Uint8Array | null> {
  const parts: Uint8Array[] = [];
  let length = 0;
  if (response.body === null) return new Uint8Array();
  for await (const part of response.body) {
    length += part.length;
    if (length > bytesAtMost) return null;
    parts.push(part);
  }
  return Uint8Array.from(Buffer.concat(parts));
}

const HOUR_MS = 60 * 60_000;
/** A list that revokes something is to be noticed within a day, whatever a proxy says of how long it keeps. */
const FRESH_AT_MOST_MS = 24 * HOUR_MS;
/** An answer that may not be kept would be asked for with every appraisal. */
const FRESH_AT_LEAST_MS = 60_000;

/** How long an answer is fresh (RFC 9111 §4.2.1, §5.2.2), within limits of ours. */
export function freshForMs(headers: Headers, whereSilentMs = HOUR_MS): number {
  const directives = (headers.get('cache-control') ?? '').toLowerCase();
  if (/(^|[\s,])no-(store|cache)\b/.test(directives)) return FRESH_AT_LEAST_MS;
  const [, maxAge] = /(?:^|[\s,])max-age=(\d{1,9})\b/.exec(directives) ?? [];
  if (maxAge === undefined) return whereSilentMs;
  const [, age = '0'] = /^\s*(\d{1,9})\s*$/.exec(headers.get('age') ?? '') ?? [];
  return Math.min(FRESH_AT_MOST_MS, Math.max(FRESH_AT_LEAST_MS, (Number(maxAge) - Number(age)) * 1000));
}
