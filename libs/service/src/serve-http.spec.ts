import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { refuse, toUsufructError } from '@usufruct/kernel';
import { readBytes, readJson, sendJson } from './body.js';
import type { RunningServer } from './listen.js';
import { get, lines as lineRoute, post, routed, type Route } from './routes.js';
import { serveHttp, type ServeOptions } from './serve-http.js';

const PORTAL = 'http://portal.test';
const SECRET = 'the plaintext of a patient file';
const LIMIT_BYTES = 1_000;

const lines: string[] = [];
const note = (event: string, fields: object = {}): void => void lines.push(JSON.stringify({ event, ...fields }));
const logger = { info: note, warn: note, error: note };
let running: RunningServer | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
  lines.length = 0;
});

async function serve(options: Partial<ServeOptions> & { readonly routes?: readonly Route[] } = {}): Promise<string> {
  const { routes = [], ...others } = options;
  const fixed = { host: '127.0.0.1', port: 0, logger, allowedOrigins: [PORTAL] };
  running = await serveHttp({ ...fixed, answer: routed(routes), ...others });
  return running.url;
}
/** Status and code of the refusal. */
async function refusalOf(url: string, init: RequestInit = {}): Promise<string> {
  const response = await fetch(url, init);
  const { code } = (await response.json()) as { code: string };
  return `${response.status} ${code}`;
}
const bounded: ServeOptions['answer'] = async ({ request, response }) =>
  sendJson(response, 200, JSON.stringify(await readJson(request, LIMIT_BYTES)));
/** Everything that the server writes to a connection on which `text` was sent, until it ends. */
async function spoken(text: string): Promise<string> {
  const socket = connect(running!.port, '127.0.0.1');
  let heard = '';
  socket.on('data', (piece) => (heard += String(piece)));
  socket.write(text);
  await once(socket, 'close');
  return heard;
}

describe('answers in lines', () => {
  it('come as they are made, one JSON a line, with exact bigints', async () => {
    let go = (): void => undefined;
    const second = new Promise<void>((resolve) => (go = resolve));
    const made = lineRoute('/v1/:name', async function* ({ path, query }) {
      yield { path, query };
      await second;
      yield { units: 2n ** 64n };
    });
    const response = await fetch(`${await serve({ routes: [made] })}/v1/x?after=3`);
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    const reader = response.body!.getReader();
    const text = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
    expect(await text()).toBe('{"path":{"name":"x"},"query":{"after":"3"}}\n');
    go();
    expect(await text()).toBe('{"units":"18446744073709551616"}\n');
    expect((await reader.read()).done).toBe(true);
  });

  it('are refused as all answers before the first line, and cut off after it', async () => {
    const refused = lineRoute('/refused', async function* () {
      if (Date.now() > 0) throw refuse('NOT_FOUND');
      yield 1;
    });
    const cut = lineRoute('/cut', async function* () {
      yield 1;
      throw refuse('NOT_FOUND');
    });
    const url = await serve({ routes: [refused, cut] });
    expect(await refusalOf(`${url}/refused`)).toBe('404 NOT_FOUND');
    await expect(fetch(`${url}/cut`).then((response) => response.text())).rejects.toThrow();
  });

  it('end when their reader has gone', async () => {
    let end = (_how: string): void => undefined;
    const ended = new Promise<string>((resolve) => (end = resolve));
    const endless = lineRoute('/endless', async function* (_request, signal) {
      try {
        for (;;) {
          yield 'x'.repeat(64 * 1024);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      } finally {
        end(signal.aborted ? 'aborted' : 'not told');
      }
    });
    const reader = new AbortController();
    const response = await fetch(`${await serve({ routes: [endless] })}/endless`, { signal: reader.signal });
    await response.body!.getReader().read();
    reader.abort();
    expect(await ended).toBe('aborted');
  });
});

describe('routes', () => {
  const routes = [
    get('/v1/jobs/:jobId/questions/:questionId', ({ path, query, body }) => ({ path, query, body, units: 2n ** 64n })),
    post('/v1/jobs', ({ body }) => body),
  ];

  it('give path, query and body, and answer in JSON with exact bigints', async () => {
    const url = await serve({ routes });
    const response = await fetch(`${url}/v1/jobs/7/questions/8?after=3`);
    expect(await response.json()).toEqual({
      path: { jobId: '7', questionId: '8' },
      query: { after: '3' },
      units: '18446744073709551616',
    });
    expect(response.headers.get('cache-control')).toBe('no-store');
    const posted = await fetch(`${url}/v1/jobs`, { method: 'POST', body: '{"a":[1]}' });
    expect(await posted.json()).toEqual({ a: [1] });
  });

  it.each([
    ['a path that nobody serves', 'GET', '/v2/jobs'],
    ['a path that goes on', 'POST', '/v1/jobs/7'],
    ['another method', 'GET', '/v1/jobs'],
    ['a method of no route', 'DELETE', '/v1/jobs'],
    ['a probe that is posted', 'POST', '/healthz'],
  ])('refuse %s', async (_name, method, path) => {
    const url = await serve({ routes });
    expect(await refusalOf(`${url}${path}`, { method })).toBe('404 NOT_FOUND');
  });
});

describe('bodies', () => {
  it.each([
    ['no JSON', '{', '400 MALFORMED_REQUEST'],
    ['nothing', '', '400 MALFORMED_REQUEST'],
    ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), '400 MALFORMED_REQUEST'],
    ['a byte too much', 'x'.repeat(LIMIT_BYTES + 1), '413 REQUEST_TOO_LARGE'],
    ['far too much', 'x'.repeat(1_000 * LIMIT_BYTES), '413 REQUEST_TOO_LARGE'],
  ])('of %s are refused', async (_name, body, expected) => {
    const url = await serve({ answer: bounded });
    expect(await refusalOf(url, { method: 'POST', body })).toBe(expected);
    expect(lines).toEqual([]);
  });

  it('are taken up to the last byte of the limit', async () => {
    const url = await serve({ answer: bounded });
    const body = JSON.stringify('x'.repeat(LIMIT_BYTES - 2));
    expect((await fetch(url, { method: 'POST', body })).status).toBe(200);
  });

  it('that do not say how long they are, are cut off at the limit, with the connection', async () => {
    await serve({ answer: bounded });
    const chunk = `400\r\n${'x'.repeat(0x400)}\r\n`;
    const answer = await spoken(`POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n${chunk}`);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer.toLowerCase()).toContain('connection: close');
  });

  it('that break off are the fault of the client', async () => {
    let thrown: unknown;
    const read = Promise.withResolvers<void>();
    await serve({
      answer: async ({ request }) => {
        await readBytes(request, LIMIT_BYTES).catch((error: unknown) => (thrown = error));
        read.resolve();
      },
    });
    const socket = connect(running!.port, '127.0.0.1');
    socket.end('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nhalf');
    await read.promise;
    expect(toUsufructError(thrown).code).toBe('MALFORMED_REQUEST');
  });
});

describe('what a handler throws', () => {
  it('reaches the client as the refusal that it is', async () => {
    const refusing = get('/', () => {
      throw refuse('GRANT_REVOKED', { grantId: '7' }, new Error(SECRET));
    });
    const response = await fetch(await serve({ routes: [refusing] }));
    const body = await response.text();
    expect([response.status, JSON.parse(body)]).toEqual([403, refuse('GRANT_REVOKED', { grantId: '7' }).toWire()]);
    expect(body + lines.join('')).not.toContain(SECRET);
  });

  it.each<[string, unknown]>([
    ['an error', new TypeError(SECRET)],
    ['an error within another', new Error(`outer: ${SECRET}`, { cause: new Error(SECRET) })],
    ['an error that looks like a stack', new Error(`a\n    at ${SECRET} (secret.js:1:1)`)],
    ['an error with a secret as its code', Object.assign(new Error('x'), { code: SECRET })],
    ['a text', SECRET],
    ['an object', { secret: SECRET }],
    ['nothing', undefined],
  ])('as %s is INTERNAL, and its words are neither on the wire nor in the log', async (_name, thrown) => {
    const throwing = get('/fail', () => {
      throw thrown;
    });
    const response = await fetch(`${await serve({ routes: [throwing] })}/fail?q=${encodeURIComponent(SECRET)}`);
    const body = await response.text();
    expect([response.status, JSON.parse(body)]).toEqual([500, refuse('INTERNAL').toWire()]);
    expect(lines).toHaveLength(1);
    expect(body + decodeURIComponent(lines.join(''))).not.toMatch(/patient|secret/i);
  });

  it('is logged with its class, its place and the code of the system', async () => {
    const throwing = get('/', () => {
      throw Object.assign(new RangeError(SECRET), { code: 'ENOSPC' });
    });
    await fetch(await serve({ routes: [throwing] }));
    expect(JSON.parse(lines[0]!)).toEqual({
      event: 'request.failed',
      method: 'GET',
      kind: 'RangeError',
      where: expect.stringMatching(/^service\/src\/serve-http\.spec\.ts:\d+$/),
      cause: 'ENOSPC',
    });
  });

  it('after the answer has begun cuts it off, so that half of it is not taken for all', async () => {
    const url = await serve({
      answer: async ({ response }) => {
        response.writeHead(200).write('half');
        throw new Error(SECRET);
      },
    });
    await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
  });
});

describe('browsers', () => {
  const headersFor = async (origin: string, method = 'OPTIONS'): Promise<Headers> =>
    (await fetch(`${running!.url}/healthz`, { method, headers: { origin } })).headers;

  it('of the named origins may call, and no other', async () => {
    await serve({ allowedMethods: 'GET, PUT' });
    const granted = await headersFor(PORTAL);
    expect(granted.get('access-control-allow-origin')).toBe(PORTAL);
    expect(granted.get('access-control-allow-methods')).toBe('GET, PUT');
    for (const origin of ['http://evil.test', `${PORTAL}.evil.test`, 'http://portal', 'null', '*']) {
      for (const method of ['OPTIONS', 'GET']) {
        const headers = await headersFor(origin, method);
        expect([origin, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([
          origin,
          null,
          'origin',
        ]);
      }
    }
  });
});

describe('probes', () => {
  it('are healthy while the process runs, and ready while it can work; the fixed headers are in every answer', async () => {
    let isReady = false;
    const url = await serve({
      headers: { 'x-stand-in': 'a test' },
      checkReady: async () => {
        if (!isReady) throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'chain' });
      },
    });
    const answers: unknown[] = [];
    for (const path of ['/healthz', '/readyz', '/none']) {
      const { status, headers } = await fetch(`${url}${path}`);
      answers.push([status, headers.get('x-stand-in')]);
    }
    expect(answers).toEqual([
      [200, 'a test'],
      [503, 'a test'],
      [404, 'a test'],
    ]);
    isReady = true;
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ok' });
  });
});

describe('start and stop', () => {
  it('refuses a port that is taken and a host that is not its own, by name', async () => {
    await serve();
    const { port } = running!;
    const start = (options: Partial<ServeOptions>): Promise<unknown> =>
      serveHttp({ host: '127.0.0.1', port: 0, logger, allowedOrigins: [], answer: bounded, ...options });
    await expect(start({ port })).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'PORT' } });
    // 192.0.2.0/24 is for documentation (RFC 5737): no machine has it.
    await expect(start({ host: '192.0.2.1' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      details: { setting: 'HOST' },
    });
  });

  it('names an IPv6 address as URLs do', async () => {
    expect(await serve({ host: '::1' })).toMatch(/^http:\/\/\[::1\]:\d+$/);
  });

  it('answers what was asked before it stops; who only waits is told to end', async () => {
    const begun = Promise.withResolvers<void>();
    const url = await serve({
      answer: async ({ response, signal }) => {
        begun.resolve();
        if (!signal.aborted) await once(signal, 'abort');
        sendJson(response, 200, '{"events":[]}');
      },
    });
    const waiting = fetch(url);
    await begun.promise;
    const closing = running!.close();
    const answer = await waiting;
    expect([await answer.json(), answer.headers.get('connection')]).toEqual([{ events: [] }, 'close']);
    await closing;
    await running!.close();
    await expect(fetch(url)).rejects.toThrow();
  });

  it('tells a handler that its client is gone', async () => {
    const gone = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const url = await serve({
      answer: async ({ signal }) => {
        signal.addEventListener('abort', () => gone.resolve());
        begun.resolve();
      },
    });
    const client = new AbortController();
    const asking = fetch(url, { signal: client.signal }).catch(() => undefined);
    await begun.promise;
    client.abort();
    await gone.promise;
    await asking;
  });

  it('is not kept from stopping by a connection without a request, nor by an answer that never comes', async () => {
    const url = await serve({ closeWithinMs: 50, answer: () => new Promise(() => undefined) });
    const idle = connect(running!.port, '127.0.0.1');
    await once(idle, 'connect');
    const waiting = fetch(url).then(
      () => 'answered',
      () => 'cut off',
    );
    await fetch(`${url}/healthz`);
    await running!.close();
    expect(await waiting).toBe('cut off');
    idle.destroy();
  });
});
