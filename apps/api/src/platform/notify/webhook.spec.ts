import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { asTimestampMs, fromBase64 } from '@usufruct/kernel';
import { sendWebhook, webhookHeaders, webhookSecret } from './webhook.js';

describe('webhooks', () => {
  /** The published example of Standard Webhooks (its reference libraries' tests). */
  it('are signed as Standard Webhooks says', () => {
    const key = fromBase64('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
    const message = {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      atMs: asTimestampMs(1_614_265_330_000),
      body: '{"test": 2432232314}',
    };
    expect(webhookHeaders(key, message)).toEqual({
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    });
    expect(webhookSecret(key)).toBe('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  });

  describe('to a receiver', () => {
    let server: Server;
    let url: string;
    let answer: (request: IncomingMessage, response: ServerResponse) => void;
    let hits: number;
    const key = new Uint8Array(32).fill(7);
    const message = { id: 'm1', atMs: asTimestampMs(1_800_000_000_000), body: '{"a":1}' };
    const send = (target = url, timeoutMs = 10_000) => sendWebhook(target, key, message, { anywhere: true, timeoutMs });

    beforeEach(async () => {
      hits = 0;
      server = createServer((request, response) => {
        hits++;
        answer(request, response);
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    });
    afterEach(async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    });

    it('arrive with body and signature', async () => {
      let got = '';
      let headers: IncomingMessage['headers'] = {};
      answer = (request, response) => {
        headers = request.headers;
        request.on('data', (chunk: Buffer) => (got += chunk.toString()));
        request.on('end', () => response.writeHead(204).end());
      };
      await send();
      expect(got).toBe('{"a":1}');
      expect(headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': 'm1' });
    });

    it.each([
      ['500', (response: ServerResponse) => void response.writeHead(500).end()],
      ['404', (response: ServerResponse) => void response.writeHead(404).end()],
      ['a redirect', (response: ServerResponse) => void response.writeHead(302, { location: url }).end()],
      ['a cut', (response: ServerResponse) => void response.destroy()],
    ])('are refused for %s, and nothing is followed', async (_, say) => {
      answer = (__, response) => say(response);
      await expect(send()).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
      expect(hits).toBe(1);
    });

    it('are given up when no answer comes in time', async () => {
      answer = () => undefined;
      await expect(send(url, 100)).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    });

    it('do not read an answer that has no end', async () => {
      answer = (_, response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write('x'.repeat(65_536)), 1);
        response.on('close', () => clearInterval(timer));
      };
      await send();
    });

    it('never leave for an address that is not public', async () => {
      answer = (_, response) => void response.writeHead(200).end();
      const { port } = new URL(url);
      // A name that resolves to this machine, and that machine by its number.
      const lookup = ((_host: string, _options: object, done: (...args: unknown[]) => void) =>
        done(null, [{ address: '127.0.0.1', family: 4 }])) as never;
      const target = `https://hooks.example:${port}/`;
      await expect(sendWebhook(target, key, message, { anywhere: false, lookup })).rejects.toMatchObject({
        code: 'UPSTREAM_UNAVAILABLE',
      });
      const literal = `https://127.0.0.1:${port}/`;
      await expect(sendWebhook(literal, key, message, { anywhere: false })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
      expect(hits).toBe(0);
    });
  });
});
