import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The key of the examples in AWS's documentation. */
export const S3_TEST_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
export const S3_TEST_SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

export interface SignedRequest {
  readonly method: string;
  /** As it was sent. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

const hash = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex');
const mac = (key: string | Uint8Array, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/**
 * The signature of a request by AWS's published description of Signature Version 4, written apart from the library
 * that the adapter signs with ("Authenticating Requests: Using the Authorization Header", Amazon S3 API Reference).
 */
export function s3SignatureOf(request: SignedRequest, secret: string): string | null {
  const authorization = request.headers['authorization'] ?? '';
  const parts = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
    authorization,
  );
  if (parts === null) return null;
  const [keyId, day = '', region = '', service = '', end] = parts[1]!.split('/');
  if (keyId !== S3_TEST_KEY_ID || end !== 'aws4_request') return null;
  const names = parts[2]!.split(';');
  const canonical = [
    request.method,
    request.path,
    [...request.query]
      .map(([k, v]) => `${encodeURIComponent(k)}=${encodeURIComponent(v)}`)
      .sort()
      .join('&'),
    ...names.map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    names.join(';'),
    request.headers['x-amz-content-sha256'] ?? '',
  ].join('\n');
  const toSign = [
    'AWS4-HMAC-SHA256',
    request.headers['x-amz-date'] ?? '',
    `${day}/${region}/${service}/aws4_request`,
    hash(canonical),
  ].join('\n');
  const key = ['aws4_request'].reduce((k, part) => mac(k, part), mac(mac(mac(`AWS4${secret}`, day), region), service));
  return mac(key, toSign).toString('hex');
}

interface Kept {
  readonly bytes: Buffer;
  readonly deletable: string | undefined;
}

const SKEW_MS = 15 * 60_000;

/** An S3-compatible store, as much of it as a blob store needs; it lets in nobody whose signature it cannot recompute. */
export class S3Server {
  readonly objects = new Map<string, Kept>();
  /** Method and path of what was let in. */
  readonly requests: string[] = [];
  refusedSignatures = 0;
  /** A store that knows no conditional writes. */
  knowsConditions = true;
  /** A bucket that anybody may read. */
  publicReads = false;
  nowMs: () => number = () => Date.now();
  /** Answers instead of the store, when it says so. */
  instead: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async start(): Promise<S3Server> {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const store = new S3Server(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void store.take(request, response));
    return store;
  }
  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    if (this.instead(request, response)) return;
    const { pathname, searchParams } = new URL(request.url ?? '', this.url);
    const headers = request.headers as Record<string, string | undefined>;
    const { method = '' } = request;
    const isOpen =
      this.publicReads && (method === 'GET' || method === 'HEAD') && headers['authorization'] === undefined;
    const signed = { method, path: pathname, query: searchParams, headers };
    if (!isOpen && (!this.isSigned(signed) || this.isSkewed(headers))) {
      this.refusedSignatures++;
      response.writeHead(403, { date: new Date(this.nowMs()).toUTCString() }).end();
      return;
    }
    if (!isOpen && hash(body) !== headers['x-amz-content-sha256']) {
      response.writeHead(400).end('<Error><Code>XAmzContentSHA256Mismatch</Code></Error>');
      return;
    }
    this.requests.push(`${method} ${pathname}`);
    this.answer(method, pathname, headers, body, response);
  }

  private answer(
    method: string,
    path: string,
    headers: Record<string, string | undefined>,
    body: Buffer,
    response: ServerResponse,
  ): void {
    const known = this.objects.get(path);
    if (method === 'PUT') {
      if (headers['if-none-match'] !== undefined && !this.knowsConditions) return void response.writeHead(501).end();
      if (headers['if-none-match'] === '*' && known !== undefined) return void response.writeHead(412).end();
      this.objects.set(path, { bytes: body, deletable: headers['x-amz-meta-usufruct-deletable'] });
      return void response.writeHead(200).end();
    }
    if (method === 'DELETE') {
      this.objects.delete(path);
      return void response.writeHead(204).end();
    }
    if (known === undefined) return void response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
    const { bytes, deletable } = known;
    const meta = { 'content-type': 'application/octet-stream', 'x-amz-meta-usufruct-deletable': deletable ?? '' };
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '');
    if (range === null) {
      response.writeHead(200, { ...meta, 'content-length': bytes.length }).end(method === 'HEAD' ? undefined : bytes);
      return;
    }
    const [from, to] = [Number(range[1]), Math.min(Number(range[2]), bytes.length - 1)];
    if (from >= bytes.length) return void response.writeHead(416).end();
    const piece = bytes.subarray(from, to + 1);
    response.writeHead(206, { ...meta, 'content-range': `bytes ${from}-${to}/${bytes.length}` }).end(piece);
  }

  private isSigned(request: SignedRequest): boolean {
    const expected = Buffer.from(s3SignatureOf(request, S3_TEST_SECRET) ?? '');
    const given = Buffer.from(/Signature=([0-9a-f]+)$/.exec(request.headers['authorization'] ?? '')?.[1] ?? '');
    return expected.length > 0 && expected.length === given.length && timingSafeEqual(expected, given);
  }
  private isSkewed(headers: Record<string, string | undefined>): boolean {
    const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(headers['x-amz-date'] ?? '') ?? [];
    const atMs = Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
    return !(Math.abs(atMs - this.nowMs()) <= SKEW_MS);
  }
}
