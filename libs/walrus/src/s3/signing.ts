import { SignatureV4 } from '@smithy/signature-v4';
import type { HttpRequest } from '@smithy/types';
import { asTimestampMs, toHex, utf8, type Clock } from '@usufruct/kernel';
import { sha256 } from '../sha256.js';

export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
}
export interface SigningParams {
  readonly credentials: S3Credentials;
  readonly region: string;
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
}

/** A store refuses what was signed more than fifteen minutes off its own clock. */
const SKEW_MS = 5 * 60_000;

/**
 * A fetch that signs each request anew (AWS Signature Version 4, whole payload), so that a repeated one is not too old.
 * Where the store's own clock is far from ours and it refuses for it, its time is taken and the request is sent once
 * more; only from a server that the connection authenticates.
 */
export function signingFetch({ credentials, region, clock, fetch }: SigningParams): typeof globalThis.fetch {
  const signer = new SignatureV4({
    // A copy with exactly these fields; the library keeps it, and nothing here ever prints it.
    credentials: { ...credentials },
    region,
    service: 's3',
    // S3 alone signs the path as it is sent.
    uriEscapePath: false,
    sha256: Sha256,
  });
  let offsetMs = 0;
  const once = async (url: URL, init: RequestInit): Promise<Response> => {
    const signingDate = new Date(clock.nowMs() + offsetMs);
    const signed = await signer.sign(await unsigned(url, init), { signingDate });
    // `host` is signed, and fetch writes it itself.
    const headers = Object.entries(signed.headers).filter(([name]) => name !== 'host');
    return fetch(url.href, { ...init, headers, redirect: 'error' });
  };
  return async (input, init = {}) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const response = await once(url, init);
    if (response.status !== 403 || url.protocol !== 'https:') return response;
    const theirs = Date.parse(response.headers.get('date') ?? '');
    const seen = theirs - clock.nowMs();
    if (!Number.isFinite(theirs) || Math.abs(seen - offsetMs) < SKEW_MS) return response;
    await response.body?.cancel();
    offsetMs = asTimestampMs(theirs) - clock.nowMs();
    return once(url, init);
  };
}

async function unsigned(url: URL, init: RequestInit): Promise<HttpRequest> {
  const body = init.body instanceof Uint8Array ? init.body : new Uint8Array();
  const query: Record<string, string> = Object.fromEntries(url.searchParams);
  return {
    method: init.method ?? 'GET',
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port !== '' && { port: Number(url.port) }),
    path: url.pathname,
    query,
    headers: {
      ...Object.fromEntries(new Headers(init.headers)),
      host: url.host,
      // The store compares what arrives with it: bytes that were changed on the way are refused there.
      'x-amz-content-sha256': toHex(await sha256(body)),
    },
  };
}

type Source = string | ArrayBuffer | ArrayBufferView;

/** SHA-256, or HMAC-SHA256 with a secret, by WebCrypto: the same in a browser and in Node. */
class Sha256 {
  private pieces: Uint8Array[] = [];
  constructor(private readonly secret?: Source) {}

  update(data: Source): void {
    this.pieces.push(bytesOf(data));
  }
  async digest(): Promise<Uint8Array> {
    const data = new Uint8Array(this.pieces.reduce((total, { length }) => total + length, 0));
    let offset = 0;
    for (const piece of this.pieces) {
      data.set(piece, offset);
      offset += piece.length;
    }
    if (this.secret === undefined) return sha256(data);
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    const key = await crypto.subtle.importKey('raw', bytesOf(this.secret), algorithm, false, ['sign']);
    return new Uint8Array(await crypto.subtle.sign('HMAC', key, data));
  }
  reset(): void {
    this.pieces = [];
  }
}

function bytesOf(source: Source): Uint8Array<ArrayBuffer> {
  if (typeof source === 'string') return new Uint8Array(utf8(source));
  if (source instanceof ArrayBuffer) return new Uint8Array(source.slice(0));
  return new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice() as Uint8Array<ArrayBuffer>;
}
