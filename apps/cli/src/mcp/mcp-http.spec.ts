import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { RunningServer } from '@usufruct/service';
import { AnsweringBackend, DATASET } from '../testing/answering-backend.js';
import { MCP_PATH, serveMcpHttp } from './mcp-http.js';
import { mcpServer } from './mcp-server.js';

const KEY = `usufruct-${'ab'.repeat(32)}`;
const QUESTION = 'why did the fridge get warm?';

let backend: AnsweringBackend;
let running: RunningServer;
beforeEach(async () => {
  backend = new AnsweringBackend();
  const quote = () => Promise.reject(new Error('nobody asks for one here'));
  running = await serveMcpHttp({
    host: '127.0.0.1',
    port: 0,
    closeWithinMs: 100,
    apiKey: KEY,
    server: () => mcpServer({ backend, purpose: 'dpv:ResearchAndDevelopment', quote }),
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
});
afterEach(() => running.close());

async function connected(key = KEY): Promise<Client> {
  const client = new Client({ name: 'test', version: '1' });
  const headers = { authorization: `Bearer ${key}` };
  const url = new URL(`${running.url}${MCP_PATH}`);
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }));
  return client;
}

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}
const LIST = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} });
/** As bytes on the wire: `fetch` would not send another host. */
function send({ method = 'POST', path = MCP_PATH, headers = {}, body = LIST }: Sent): Promise<number> {
  const { port } = new URL(running.url);
  const own = {
    authorization: `Bearer ${KEY}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers: { ...own, ...headers } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on('error', reject);
    sent.end(method === 'POST' ? body : undefined);
  });
}

describe('tools for agents over HTTP', () => {
  it('are the same: prices for nothing, an answer for its price, by the client of MCP', async () => {
    const client = await connected();
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['list_datasets', 'quote', 'ask', 'verify_receipt']);
    const listed = await client.callTool({ name: 'list_datasets', arguments: {} });
    expect(listed.structuredContent).toMatchObject({ datasets: [{ dataset: DATASET, price: '1.5 TEST' }, {}] });
    const args = { dataset: DATASET, question: QUESTION, max_price: '2' };
    const asked = await client.callTool({ name: 'ask', arguments: args });
    expect(asked.structuredContent).toMatchObject({ cost: '1.5 TEST', known: true, receipt_verified: true });
    await client.close();
    // Nothing is lost between two connections but the connection.
    const again = await connected();
    const repeated = await again.callTool({ name: 'ask', arguments: args });
    expect(repeated.structuredContent).toMatchObject({ cost: '0 TEST', paid_before: true });
    expect((await again.listResources()).resources).toHaveLength(1);
    await again.close();
    expect(backend.paidUnits).toBe(1_500_000n);
  });

  it('are nobody’s without the key', async () => {
    await expect(connected(`usufruct-${'cd'.repeat(32)}`)).rejects.toThrow();
  });

  it.each<[string, Sent, number]>([
    ['as they are asked for', {}, 200],
    ['without a key', { headers: { authorization: '' } }, 401],
    ['with another key', { headers: { authorization: `Bearer ${KEY}0` } }, 401],
    ['from a page, whatever its origin', { headers: { origin: 'http://127.0.0.1' } }, 403],
    ['under a name that somebody else gave this computer', { headers: { host: 'evil.example:80' } }, 403],
    ['elsewhere', { path: '/' }, 404],
    ['as no JSON', { body: 'x' }, 400],
    ['as no JSON by its type', { headers: { 'content-type': 'text/plain' } }, 415],
    ['too large', { body: 'x'.repeat(1024 ** 2 + 1) }, 413],
    ['for a session', { method: 'GET' }, 405],
    ['to end a session', { method: 'DELETE' }, 405],
    ['by a method that is for other things', { method: 'TRACE' }, 404],
    ['by a method that changes something', { method: 'PUT' }, 404],
    ['as JSON that is no message', { body: '[]' }, 400],
    ['as an answer to nothing', { body: '{"jsonrpc":"2.0","id":1,"result":{}}' }, 202],
    ['as a message of another version', { body: '{"jsonrpc":"1.0","id":1,"method":"tools/list"}' }, 400],
    ['as JSON nested without end', { body: '['.repeat(500_000) }, 400],
    ['under two hosts', { headers: { host: '127.0.0.1, evil.example' } }, 403],
    ['under a name that begins like this computer', { headers: { host: '127.0.0.1.evil.example' } }, 403],
    ['under a name that begins like a word for it', { headers: { host: 'localhost.evil.example:80' } }, 403],
    ['from nowhere', { headers: { origin: 'null' } }, 403],
  ])('asked for %s', async (_how, sent, status) => {
    expect(await send(sent)).toBe(status);
    expect(backend.asked).toEqual([]);
  });
});
