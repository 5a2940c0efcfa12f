import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import { textFetch } from './text-fetch.js';

let server: Server | undefined;
async function served(answer: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<string> {
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/x?y=1`;
}
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const within = (timeoutMs: number) => ({ timeoutMs });

describe("Node's HTTP client as fetch", () => {
  it('sends what it is given and gives the whole text back, on one connection, like fetch', async () => {
    const ports = new Set<number | undefined>();
    const url = await served(async (request, response) => {
      ports.add(request.socket.remotePort);
      const { method, url: path, headers } = request;
      const seen = { method, path, type: headers['content-type'], length: headers['content-length'] };
      const body = JSON.stringify({ ...seen, body: await textOf(request) });
      // Cut within a character.
      const bytes = Buffer.from(`${body}${'é'.repeat(40_000)}`);
      response.write(bytes.subarray(0, body.length + 1));
      setTimeout(() => response.end(bytes.subarray(body.length + 1)), 5);
    });
    const post = { method: 'POST', body: '{"é":1}', headers: { 'content-type': 'application/json' } };
    for (const init of [{}, post]) {
      const [own, theirs] = [await textFetch(url, { ...init, ...within(5_000) }), await fetch(url, init)];
      expect(own.ok).toBe(true);
      expect(await own.text()).toBe(await theirs.text());
    }
    // Two of ours, two of fetch's.
    expect(ports.size).toBe(2);
  });

  it.each([
    [200, true],
    [204, true],
    [302, false],
    [404, false],
    [500, false],
  ])('says of status %s that it is ok: %s', async (status, ok) => {
    const url = await served((_request, response) => response.writeHead(status, { location: '/' }).end());
    expect((await textFetch(url, within(5_000))).ok).toBe(ok);
  });

  it.each<[string, (request: IncomingMessage, response: ServerResponse) => unknown]>([
    ['the connection breaks off before the answer', (_request, response) => response.destroy()],
    [
      'the connection breaks off within the answer',
      (_request, response) => response.writeHead(200, { 'content-length': '5' }).write('ab', () => response.destroy()),
    ],
    ['nothing comes in time', () => undefined],
    ['the rest does not come in time', (_request, response) => response.writeHead(200).write('ab')],
    ['what comes is no HTTP', (request) => request.socket.end('what?\r\n\r\n')],
  ])('rejects where %s', async (_what, answer) => {
    await expect(textFetch(await served(answer), within(200))).rejects.toBeDefined();
  });

  describe('on a connection that was kept', () => {
    /** Answers the first request of each connection, and does to a later one what is said. */
    async function keeping(later: (request: IncomingMessage, response: ServerResponse) => unknown) {
      const seen: string[] = [];
      const known = new Set<unknown>();
      const url = await served(async (request, response) => {
        seen.push(await textOf(request));
        if (known.has(request.socket)) return later(request, response);
        known.add(request.socket);
        return response.end('told');
      });
      const ask = (body: string) => textFetch(url, { method: 'POST', body, ...within(5_000) });
      expect(await (await ask('first')).text()).toBe('told');
      return { ask, seen };
    }

    it.each<[string, (request: IncomingMessage) => unknown]>([
      ['resets', ({ socket }) => socket.resetAndDestroy()],
      ['closes', ({ socket }) => socket.end()],
    ])('asks again over a new one where the server %s it instead of an answer', async (_how, close) => {
      const { ask, seen } = await keeping(close);
      expect(await (await ask('second')).text()).toBe('told');
      expect(seen).toEqual(['first', 'second', 'second']);
    });

    it('does not ask again once an answer has begun', async () => {
      const { ask, seen } = await keeping((request, response) =>
        response.writeHead(200, { 'content-length': '5' }).write('ab', () => request.socket.resetAndDestroy()),
      );
      await expect(ask('second')).rejects.toBeDefined();
      expect(seen).toEqual(['first', 'second']);
    });
  });

  it('asks once over a new connection, however it ends', async () => {
    let asked = 0;
    const url = await served(({ socket }) => (asked++, socket.resetAndDestroy()));
    await expect(textFetch(url, within(5_000))).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(asked).toBe(1);
  });

  it('ends with its caller, and says why', async () => {
    const stop = new AbortController();
    const url = await served(() => stop.abort());
    await expect(textFetch(url, { ...within(5_000), signal: stop.signal })).rejects.toMatchObject({
      code: 'ABORT_ERR',
    });
  });

  it('rejects where nobody listens, and for an address that is none', async () => {
    const url = await served(() => undefined);
    await new Promise((resolve) => server!.close(resolve));
    await expect(textFetch(url, within(5_000))).rejects.toBeDefined();
    await expect((async () => textFetch('http://', within(5_000)))()).rejects.toBeDefined();
  });
});
