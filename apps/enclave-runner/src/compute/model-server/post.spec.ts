import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { UsufructError } from '@usufruct/kernel';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelServerAddress } from './address.js';
import { postForJson, postToModel, type ModelRequest } from './post.js';

const directory = mkdtempSync(join(tmpdir(), 'post-'));
const socketPath = join(directory, 'model.sock');
let server: Server;
let elsewhere: Server;
let handle: (request: IncomingMessage, response: ServerResponse) => void;
const reached: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => handle(request, response));
  elsewhere = createServer((request, response) => {
    reached.push(request.url ?? '');
    response.end('{}');
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  for (const one of [server, elsewhere]) {
    one.closeAllConnections();
    one.close();
  }
  rmSync(directory, { recursive: true, force: true });
});
afterEach(() => {
  reached.length = 0;
  delete process.env['HTTP_PROXY'];
  delete process.env['http_proxy'];
});

const unix = (path: string): ModelServerAddress => ({ kind: 'unix', socketPath: path, path: '/v1' });
const port = (): number => (elsewhere.address() as AddressInfo).port;
const request = (changes: Partial<ModelRequest> = {}): ModelRequest => ({
  endpoint: 'chat/completions',
  body: { a: 1 },
  signal: new AbortController().signal,
  timeoutMs: 10_000,
  bytesAtMost: 1_000,
  ...changes,
});
const outcome = (address: ModelServerAddress, changes: Partial<ModelRequest> = {}): Promise<unknown> =>
  postForJson(address, request(changes)).catch((error: unknown) =>
    error instanceof UsufructError ? { code: error.code, ...error.details } : error,
  );

describe('asking a model server', () => {
  it('posts JSON to its socket, under its path', async () => {
    handle = (incoming, response) => {
      let body = '';
      incoming.on('data', (piece: Buffer) => (body += piece.toString()));
      incoming.on('end', () => response.end(JSON.stringify({ url: incoming.url, body: JSON.parse(body) })));
    };
    expect(await outcome(unix(socketPath))).toEqual({ url: '/v1/chat/completions', body: { a: 1 } });
  });

  it('asks nobody but its literal address, whatever proxy the environment names', async () => {
    process.env['HTTP_PROXY'] = process.env['http_proxy'] = `http://127.0.0.1:${port()}`;
    handle = (_incoming, response) => response.end('{"own":true}');
    expect(await outcome(unix(socketPath))).toEqual({ own: true });
    expect(reached).toEqual([]);
  });

  it('follows no redirect', async () => {
    handle = (_incoming, response) => response.writeHead(307, { location: `http://127.0.0.1:${port()}/stolen` }).end();
    expect(await outcome(unix(socketPath))).toMatchObject({ code: 'UPSTREAM_INVALID', status: '307' });
    expect(reached).toEqual([]);
  });

  it('looks no name up, should one ever get here', async () => {
    const named = { kind: 'loopback', host: 'localhost', port: port(), path: '/v1' } as unknown as ModelServerAddress;
    expect(await outcome(named)).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE', reason: 'connection' });
    expect(reached).toEqual([]);
  });

  it.each([
    ['a link to a socket', () => symlinkSync(socketPath, join(directory, 'link.sock')), 'link.sock'],
    ['a file', () => writeFileSync(join(directory, 'file.sock'), ''), 'file.sock'],
    ['nothing', () => undefined, 'none.sock'],
  ])('takes %s for no socket', async (_what, make, name) => {
    make();
    expect(await outcome(unix(join(directory, name)))).toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
  });

  it.each<[string, (response: ServerResponse) => void, object]>([
    ['an error', (r) => r.writeHead(500).end('{}'), { code: 'UPSTREAM_INVALID', status: '500' }],
    ['nothing yet', (r) => r.writeHead(503).end('{}'), { code: 'UPSTREAM_UNAVAILABLE', status: '503' }],
    ['too much to do', (r) => r.writeHead(429).end('{}'), { code: 'UPSTREAM_UNAVAILABLE', status: '429' }],
    ['no JSON', (r) => r.end('hello'), { code: 'UPSTREAM_INVALID', field: 'json' }],
    ['too much', (r) => r.end('x'.repeat(1_001)), { code: 'UPSTREAM_INVALID', field: 'size' }],
    ['half of what it announced', (r) => cutOff(r), { code: 'UPSTREAM_UNAVAILABLE' }],
    ['nothing at all', (r) => r.destroy(), { code: 'UPSTREAM_UNAVAILABLE', reason: 'connection' }],
    ['nothing in time', () => undefined, { code: 'UPSTREAM_UNAVAILABLE', reason: 'timeout' }],
  ])('refuses %s', async (_what, answer, expected) => {
    handle = (_incoming, response) => answer(response);
    // Who waits for nothing waits briefly; others' patience is for a busy machine.
    const isAwaited = !('reason' in expected) || expected.reason !== 'timeout';
    const changes = isAwaited ? {} : { timeoutMs: 300 };
    expect(await outcome(unix(socketPath), changes)).toMatchObject(expected);
  });

  it('leaves the server alone at once when nobody waits any more', async () => {
    const ended = new AbortController();
    const isLeft = new Promise((resolve) => {
      handle = (_incoming, response) => {
        response.once('close', () => resolve('left'));
        response.write('a');
      };
    });
    const reading = (async () => {
      for await (const _bytes of postToModel(unix(socketPath), request({ signal: ended.signal }))) ended.abort();
    })();
    await expect(reading).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(await isLeft).toBe('left');
  });
});

function cutOff(response: ServerResponse): void {
  response.writeHead(200, { 'content-length': '100' });
  response.write('{', () => response.destroy());
}
