import { mkdtempSync, rmSync, statSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type DatasetId, type JobId } from '@usufruct/kernel';
import type { RunningServer } from '@usufruct/service';
import { idOf, ManualClock, seededRandom } from '@usufruct/testing';
import OpenAI, { APIError, BadRequestError, AuthenticationError, InternalServerError, NotFoundError } from 'openai';
import type { ChatCompletion, ChatCompletionCreateParamsNonStreaming } from 'openai/resources/chat/completions';
import { AnsweringBackend, DATASET, listed, OTHER_DATASET } from '../testing/answering-backend.js';
import { apiKeyFile } from './api-key-file.js';
import { serveOpenai } from './openai-server.js';

const KEY = `usufruct-${'ab'.repeat(32)}`;
const MODEL = `usufruct/${DATASET}`;
const TEXT = 'why did the fridge get warm?';

let backend: AnsweringBackend;
let running: RunningServer;
let said: string[];
let logged: string[];
async function serve(change: { apiKey?: string | null } = {}): Promise<void> {
  running = await serveOpenai({
    backend,
    host: '127.0.0.1',
    port: 0,
    closeWithinMs: 100,
    apiKey: KEY,
    purpose: 'dpv:ResearchAndDevelopment',
    repeatMs: 600_000,
    clock: new ManualClock(),
    logger: {
      info: () => undefined,
      warn: () => undefined,
      error: (...line) => void logged.push(JSON.stringify(line)),
    },
    onAnswered: (outcome) => void said.push('error' in outcome ? outcome.error : String(outcome.costUnits)),
    ...change,
  });
}
beforeEach(async () => {
  backend = new AnsweringBackend();
  [said, logged] = [[], []];
  await serve();
});
afterEach(() => running.close());

const client = (options: { apiKey?: string; maxRetries?: number } = {}): OpenAI =>
  new OpenAI({ baseURL: `${running.url}/v1`, apiKey: KEY, maxRetries: 0, ...options });
type Chat = ChatCompletionCreateParamsNonStreaming;
const chat = (change: object = {}): Chat => ({ model: MODEL, messages: [{ role: 'user', content: TEXT }], ...change });
const extension = (completion: object): Record<string, unknown> =>
  (completion as { usufruct: Record<string, unknown> }).usufruct;
async function errorOf(asking: Promise<unknown>): Promise<APIError> {
  const error = await asking.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof APIError)) throw new Error('no error of OpenAI’s client');
  return error;
}

describe("OpenAI's own client before the endpoint", () => {
  it('lists datasets as models, with prices and purposes', async () => {
    const models = [];
    for await (const model of client().models.list()) models.push(model);
    expect(models.map(({ id }) => id)).toEqual([MODEL, `usufruct/${OTHER_DATASET}`]);
    expect(extension(models[0]!)).toMatchObject({ price_units: '1500000', purposes: ['dpv:ResearchAndDevelopment'] });
    expect(await client().models.retrieve(MODEL)).toMatchObject({ id: MODEL, object: 'model' });
    expect(await errorOf(client().models.retrieve('usufruct/0x00'))).toBeInstanceOf(NotFoundError);
  });

  it('gets an answer with citations, cost, receipt and what only stands in', async () => {
    const asking = client().chat.completions.create(chat());
    const { data, response } = await asking.withResponse();
    expect(data.choices).toEqual([
      {
        index: 0,
        message: {
          role: 'assistant',
          content: `About ${TEXT}: three dark days. [1] The battery was low. [1][2]`,
          refusal: null,
        },
        logprobs: null,
        finish_reason: 'stop',
      },
    ]);
    // 28 and 84 characters, at four a token.
    expect(data.usage).toEqual({ prompt_tokens: 7, completion_tokens: 21, total_tokens: 28 });
    expect(extension(data)).toMatchObject({
      receipt_id: response.headers.get('x-receipt-id'),
      attestation_digest: response.headers.get('x-attestation-digest'),
      cost_units: '1500000',
      cost: '1.5 TEST',
      repeated: false,
      known: true,
      generator: 'extractive',
      citations: [{ number: 1, file_name: 'log.txt', locator: 'Day 3', quote: 'three dark days.' }, { number: 2 }],
      sent: 'the last user message',
      ignored: [],
      stand_ins: ['local chain', 'software TEE'],
    });
    expect(said).toEqual(['1500000']);
  });

  it('asks several datasets, each with its own receipt; one that refuses is told', async () => {
    const three = idOf<DatasetId>('third');
    backend.listedDatasets = [...backend.listedDatasets, listed(three, 'Thirds')];
    const several = chat({ model: 'usufruct', rag: { datasets: [OTHER_DATASET, three, DATASET] } });
    const answered = `About ${TEXT}: three dark days. [1] The battery was low. [1][2]`;
    backend.refusing.set(three, 'PURPOSE_DENIED');
    const { data, response } = await client().chat.completions.create(several).withResponse();
    const ids = backend.asked.map(({ datasetId }) => datasetId);
    expect(ids).toEqual([OTHER_DATASET, three, DATASET]);
    expect(data.choices[0]!.message.content).toBe(
      `Dataset ${OTHER_DATASET}:\n${answered}\n\nDataset ${DATASET}:\n${answered}`,
    );
    const { parts, refused, cost_units: cost } = extension(data) as { parts: { receipt_id: string; dataset_id: string }[]; refused: object[]; cost_units: string }; // prettier-ignore
    expect(parts.map(({ dataset_id: id }) => id)).toEqual([OTHER_DATASET, DATASET]);
    expect(refused).toEqual([
      { dataset_id: three, code: 'PURPOSE_DENIED', refusal: 'cmVmdXNhbA==', signature: 'c2lnbmVk' },
    ]);
    expect([cost, backend.paidUnits]).toEqual(['3000000', 3_000_000n]);
    expect(response.headers.get('x-receipt-id')).toBe(parts.map(({ receipt_id: id }) => id).join(', '));
    expect(said).toEqual(['1500000', '1500000', 'PURPOSE_DENIED']);

    // Again: what is paid is not paid twice, in chunks, too.
    backend.refusing.clear();
    let text = '';
    const chunks = await client().chat.completions.create({ ...several, stream: true });
    for await (const { choices } of chunks) text += choices[0]?.delta.content ?? '';
    expect(text).toContain(`\n\nDataset ${three}:\n${answered}\n\nDataset ${DATASET}:\n`);
    expect(backend.paidUnits).toBe(4_500_000n);
  });

  it('gets it in chunks, a sentence each, with usage and the receipt at the end', async () => {
    const asking = client().chat.completions.create({
      ...chat(),
      stream: true,
      stream_options: { include_usage: true },
    });
    const { data: stream, response } = await asking.withResponse();
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    const contents = chunks.map(({ choices }) => choices[0]?.delta.content ?? null);
    expect(contents).toEqual(['', `About ${TEXT}: three dark days. [1]`, ' The battery was low. [1][2]', null, null]);
    expect(chunks[3]!.choices[0]!.finish_reason).toBe('stop');
    expect(extension(chunks[3]!)).toMatchObject({ receipt_id: response.headers.get('x-receipt-id'), cost: '1.5 TEST' });
    expect(chunks[4]).toMatchObject({ choices: [], usage: { total_tokens: 28 } });
  });

  it("puts chunks together with the client's own helper", async () => {
    const stream = client().chat.completions.stream({ ...chat(), stream: true } as never);
    const completion = (await stream.finalChatCompletion()) as ChatCompletion;
    expect(completion.choices[0]!.message.content).toBe(
      `About ${TEXT}: three dark days. [1] The battery was low. [1][2]`,
    );
  });

  it('is told honestly when nothing is known', async () => {
    backend.isKnown = false;
    const completion = await client().chat.completions.create(chat());
    expect(completion.choices[0]!.message.content).toBe("I don't know.");
    expect(extension(completion)).toMatchObject({ known: false, citations: [] });
    const chunks = [];
    for await (const chunk of await client().chat.completions.create({ ...chat(), stream: true })) chunks.push(chunk);
    expect(chunks.map(({ choices }) => choices[0]?.delta.content)).toEqual(['', "I don't know.", undefined]);
  });

  it('gets nothing that a client which shows Markdown would fetch by itself: who wrote a document is not told when it is read', async () => {
    const beacon = 'https://evil.example/b.png';
    const content = `![x](${beacon}) \\![x](${beacon}) <img src="${beacon}"> \\<IMG src=${beacon}> </video><video poster=${beacon}> a<b < c`;
    const asked = chat({ messages: [{ role: 'user', content }] });
    const shown =
      `About !\\[x](${beacon}) \\!\\[x](${beacon}) &lt;img src="${beacon}"> \\&lt;IMG src=${beacon}> ` +
      `&lt;/video>&lt;video poster=${beacon}> a&lt;b < c: three dark days. [1] The battery was low. [1][2]`;
    expect((await client().chat.completions.create(asked)).choices[0]!.message.content).toBe(shown);
    let text = '';
    for await (const { choices } of await client().chat.completions.create({ ...asked, stream: true }))
      text += choices[0]?.delta.content ?? '';
    expect(text).toBe(shown);
  });

  it('sends only the last user message, and says so', async () => {
    const messages = [
      { role: 'system', content: 'You are a pirate.' },
      { role: 'user', content: 'secret earlier words' },
      { role: 'assistant', content: 'Arr.' },
      { role: 'user', content: [{ type: 'text', text: TEXT }] },
    ];
    const completion = await client().chat.completions.create(chat({ messages, temperature: 0.2, user: 'me' }));
    expect(backend.asked.map(({ text }) => text)).toEqual([TEXT]);
    expect(JSON.stringify(backend.asked)).not.toMatch(/pirate|secret|Arr/);
    expect(extension(completion)['ignored']).toEqual([
      'messages[0] (system)',
      'messages[1] (user)',
      'messages[2] (assistant)',
      'temperature',
      'user',
    ]);
  });

  it('passes on what `rag` asks for', async () => {
    const rag = {
      datasets: [DATASET],
      purpose: 'dpv:Marketing',
      topK: 3,
      generator: 'extractive',
      filter: { author: 'Ada' },
    };
    await client().chat.completions.create(chat({ model: 'usufruct', rag }));
    expect(backend.asked[0]).toMatchObject({
      datasetId: DATASET,
      purpose: 'dpv:Marketing',
      topK: 3,
      generator: 'extractive',
      filter: { author: 'Ada' },
    });
  });

  it('may leave the dataset out where there is only one', async () => {
    expect((await errorOf(client().chat.completions.create(chat({ model: 'usufruct' })))).param).toBe('model');
    backend.listedDatasets = [listed(DATASET, 'Reports')];
    await client().chat.completions.create(chat({ model: 'usufruct' }));
    expect(backend.asked[0]).toMatchObject({ datasetId: DATASET });
  });
});

describe('a question is paid once', () => {
  it('where the client repeats it by itself', async () => {
    backend.failures.push('UPSTREAM_UNAVAILABLE');
    const completion = await client({ maxRetries: 2 }).chat.completions.create(chat());
    expect(extension(completion)).toMatchObject({ repeated: false });
    expect(new Set(backend.asked.map(({ key }) => key)).size).toBe(1);
    expect([backend.asked.length, backend.paidUnits]).toEqual([2, 1_500_000n]);
  });

  it('where the client gave up waiting and asks again', async () => {
    const open = Promise.withResolvers<void>();
    backend.gate = open.promise;
    const gone = new AbortController();
    const asking = client().chat.completions.create(chat(), { signal: gone.signal });
    while (backend.asked.length === 0) await new Promise((done) => setTimeout(done, 5));
    gone.abort();
    await expect(asking).rejects.toThrow('aborted');
    open.resolve();
    const completion = await client().chat.completions.create(chat());
    expect(extension(completion)).toMatchObject({ repeated: true, cost_units: '0' });
    expect(backend.paidUnits).toBe(1_500_000n);
  });

  it('where the stream was left, and it is asked for whole', async () => {
    for await (const chunk of await client().chat.completions.create({ ...chat(), stream: true })) {
      expect(chunk.object).toBe('chat.completion.chunk');
      break;
    }
    expect(extension(await client().chat.completions.create(chat()))).toMatchObject({ repeated: true });
    expect(backend.paidUnits).toBe(1_500_000n);
  });

  it('by its Idempotency-Key, and with another one it is another question', async () => {
    const asked = (key: string) => client().chat.completions.create(chat(), { headers: { 'Idempotency-Key': key } });
    const [one, same, other] = [await asked('a'), await asked('a'), await asked('b')];
    expect([one, same, other].map((completion) => extension(completion)['repeated'])).toEqual([false, true, false]);
    expect(backend.asked[0]!.keepMs).toBe(86_400_000);
    expect(backend.paidUnits).toBe(3_000_000n);
  });

  it.each<[string, object]>([
    ['text', { messages: [{ role: 'user', content: 'other' }] }],
    ['model', { model: `usufruct/${OTHER_DATASET}` }],
    ['purpose', { rag: { purpose: 'dpv:Marketing' } }],
    ['topK', { rag: { topK: 2 } }],
    ['generator', { rag: { generator: 'model' } }],
    ['filter', { rag: { filter: { author: 'Ada' } } }],
  ])('and with another %s it is another question', async (_name, change) => {
    await client().chat.completions.create(chat());
    expect(extension(await client().chat.completions.create(chat(change)))).toMatchObject({ repeated: false });
  });

  it('of each dataset that is asked with others, before or after it is asked by itself', async () => {
    const both = chat({ model: 'usufruct', rag: { datasets: [DATASET, OTHER_DATASET] } });
    await client().chat.completions.create(both);
    expect(extension(await client().chat.completions.create(chat()))).toMatchObject({ repeated: true });
    expect(backend.paidUnits).toBe(3_000_000n);
    const other = { messages: [{ role: 'user', content: 'other' }] };
    await client().chat.completions.create(chat(other));
    await client().chat.completions.create({ ...both, ...other } as Chat);
    expect(backend.paidUnits).toBe(6_000_000n);
  });

  it('among twenty at once', async () => {
    const texts = [...Array(20).keys()].map((n) => `question ${n % 10}`);
    const completions = await Promise.all(
      texts.map((content) => client().chat.completions.create(chat({ messages: [{ role: 'user', content }] }))),
    );
    for (const [i, { choices }] of completions.entries()) expect(choices[0]!.message.content).toContain(texts[i]!);
    expect(backend.paidUnits).toBe(15_000_000n);
  });
});

describe('what is refused', () => {
  it.each<[string, object, string]>([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools'],
    ['several choices', { n: 2 }, 'n'],
    ['log probabilities', { logprobs: true }, 'logprobs'],
    ['a schema', { response_format: { type: 'json_schema', json_schema: { name: 'x' } } }, 'response_format'],
    ['JSON mode', { response_format: { type: 'json_object' } }, 'response_format'],
    ['a stop word', { stop: 'X' }, 'stop'],
    ['a parameter that nobody knows', { surprise: 1 }, 'surprise'],
    ['a parameter with a strange name', { 'a b': 1 }, 'body'],
    ['a name that every object has', { __defineGetter__: 1 }, 'body'],
    ['another one, which says yes', { hasOwnProperty: 'n' }, 'body'],
    ['sound', { modalities: ['audio'] }, 'modalities'],
    ['storing', { store: true }, 'store'],
    ['an image', { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] }, 'messages'],
    ['an empty question', { messages: [{ role: 'user', content: '  ' }] }, 'messages'],
    ['a question that is too long', { messages: [{ role: 'user', content: 'x'.repeat(4_001) }] }, 'messages'],
    ['no messages', { messages: [] }, 'messages'],
    ['an answer at the end', { messages: [{ role: 'assistant', content: 'x' }] }, 'messages'],
    ['another dataset beside that of the model', { rag: { datasets: [DATASET, OTHER_DATASET] } }, 'rag.datasets'],
    ['one dataset twice', { model: 'usufruct', rag: { datasets: [DATASET, DATASET] } }, 'rag.datasets'],
    ['another dataset than the model', { rag: { datasets: [OTHER_DATASET] } }, 'rag.datasets'],
    ['a filter that is none', { rag: { filter: { where: 'x' } } }, 'rag.filter'],
    ['an unknown part of rag', { rag: { where: 'x' } }, 'rag'],
    ['too many chunks', { rag: { topK: 99 } }, 'rag.topK'],
  ])('%s', async (_name, change, field) => {
    const error = await errorOf(client().chat.completions.create(chat(change)));
    expect(error).toBeInstanceOf(BadRequestError);
    expect([error.code, error.param, error.type]).toEqual(['INVALID_ARGUMENT', field, 'invalid_request_error']);
    expect(backend.asked).toEqual([]);
  });

  it('parameters that ask for nothing are not', async () => {
    const change = {
      n: 1,
      logprobs: false,
      tools: [],
      tool_choice: 'none',
      response_format: { type: 'text' },
      stop: null,
    };
    await client().chat.completions.create(chat(change));
    expect(backend.asked).toHaveLength(1);
  });

  it.each([
    ['SPENDING_LIMIT', 402, 'insufficient_quota'],
    ['PURPOSE_DENIED', 403, 'permission_error'],
    ['RATE_LIMITED', 429, 'rate_limit_error'],
    ['RECEIPT_INVALID', 422, 'invalid_request_error'],
    ['UPSTREAM_UNAVAILABLE', 503, 'server_error'],
    ['INSUFFICIENT_BALANCE', 402, 'insufficient_quota'],
  ] as const)('%s, with its status, also where it would have been a stream', async (code, status, type) => {
    for (const stream of [false, true]) {
      backend.failures.push(code);
      const error = await errorOf(client().chat.completions.create({ ...chat(), stream } as Chat));
      expect([error.status, error.code, error.type, error.param]).toEqual([status, code, type, 'detail']);
    }
    expect(said).toEqual([code, code]);
  });

  it('with what the runner has signed about it', async () => {
    backend.failures.push('PURPOSE_DENIED', 'JOB_STATE');
    const signed = async () => (await errorOf(client().chat.completions.create(chat()))).error;
    expect(await signed()).toMatchObject({ signed_refusal: { refusal: 'cmVmdXNhbA==', signature: 'c2lnbmVk' } });
    expect(await signed()).toMatchObject({ code: 'JOB_STATE', signed_refusal: null });
  });

  it('is not repeated by the client where that is in vain, whatever its status', async () => {
    backend.failures.push('JOB_STATE', 'JOB_STATE', 'JOB_STATE'); // 409, which the client takes for a lock
    await errorOf(client({ maxRetries: 2 }).chat.completions.create(chat()));
    expect(backend.asked).toHaveLength(1);
  });

  it('what went wrong inside, without a word about it', async () => {
    backend.failures.push(new Error('the secret text'));
    const error = await errorOf(client().chat.completions.create(chat()));
    expect(error).toBeInstanceOf(InternalServerError);
    expect(JSON.stringify([error.error, logged, said])).not.toContain('secret');
    expect(logged).toHaveLength(1);
  });

  it('embeddings and the other interfaces, as not offered', async () => {
    const error = await errorOf(client({ maxRetries: 2 }).embeddings.create({ model: MODEL, input: 'x' }));
    expect([error.status, error.code]).toEqual([501, 'UNSUPPORTED']);
    expect((await errorOf(client().responses.create({ model: MODEL, input: 'x' }))).status).toBe(501);
    expect((await errorOf(client().files.list().asResponse())).status).toBe(404);
  });

  it.each([['gpt-5'], ['usufruct/'], [`usufruct/${idOf<DatasetId>('nowhere')}`], ['usufruct/../x']])(
    'the model %s',
    async (model) => {
      const error = await errorOf(client().chat.completions.create(chat({ model })));
      expect([error.status, error.code, error.param]).toEqual([404, 'NOT_FOUND', 'model']);
    },
  );

  it.each([
    ['no JSON', '{', 400],
    ['a list', '[]', 400],
    ['too much', JSON.stringify({ x: 'x'.repeat(1024 ** 2) }), 413],
  ])('a body that is %s', async (_name, body, status) => {
    const headers = { authorization: `Bearer ${KEY}` };
    const response = await fetch(`${running.url}/v1/chat/completions`, { method: 'POST', body, headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
  });

  it('a body that is far too much, time after time, and what comes after it is answered', async () => {
    for (const size of [2, 30, 2]) {
      const messages = [{ role: 'user', content: 'x'.repeat(size * 1024 ** 2) }];
      const error = await errorOf(client().chat.completions.create(chat({ messages })));
      expect([error.status, error.code]).toEqual([413, 'REQUEST_TOO_LARGE']);
      expect((await client().models.list()).data).toHaveLength(2);
    }
  });
});

describe('who may ask', () => {
  it('only who has the key', async () => {
    for (const apiKey of ['wrong', `${KEY}x`, KEY.slice(0, -1)]) {
      expect(await errorOf(client({ apiKey }).chat.completions.create(chat()))).toBeInstanceOf(AuthenticationError);
    }
    const response = await fetch(`${running.url}/v1/models`);
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(backend.asked).toEqual([]);
  });

  it('no page of a browser, not even one whose name was pointed here', async () => {
    await running.close();
    await serve({ apiKey: null });
    const ask = async (headers: Record<string, string>): Promise<number> => {
      const { request } = await import('node:http');
      return new Promise((done) => {
        const sent = request(`${running.url}/v1/models`, { headers }, (response) => {
          response.resume();
          done(response.statusCode ?? 0);
        });
        sent.end();
      });
    };
    expect(await ask({ origin: 'http://evil.test' })).toBe(403);
    expect(await ask({ origin: 'null' })).toBe(403);
    expect(await ask({ host: 'evil.test' })).toBe(403);
    expect(await ask({ host: `127.0.0.1.evil.test:${running.port}` })).toBe(403);
    expect(await ask({ host: `localhost:${running.port}` })).toBe(200);
  });

  it('with a key that is made once and that only its owner may read', () => {
    const folder = mkdtempSync(join(tmpdir(), 'usufruct-key-'));
    const path = join(folder, 'key');
    const key = apiKeyFile(path, seededRandom('key'));
    expect(apiKeyFile(path, seededRandom('other'))).toBe(key);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    chmodSync(path, 0o640);
    expect(() => apiKeyFile(path, seededRandom('key'))).toThrow('others may read it');
    writeFileSync(path, 'short');
    expect(() => apiKeyFile(path, seededRandom('key'))).toThrow('not a key of ours');
    rmSync(folder, { recursive: true });
  });
});

describe('receipts and evidence', () => {
  const got = async (path: string): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(`${running.url}${path}`, { headers: { authorization: `Bearer ${KEY}` } });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('a receipt is judged anew by its id', async () => {
    const completion = await client().chat.completions.create(chat());
    const id = String(extension(completion)['receipt_id']);
    expect(await got(`/v1/receipts/${id}`)).toMatchObject({
      status: 200,
      body: { id, ok: true, checks: [{ name: 'SIGNATURE' }] },
    });
    expect((await got('/v1/receipts')).body).toMatchObject({ data: [{ id, price_units: '1500000' }] });
    expect((await got(`/v1/receipts/${idOf('none')}`)).status).toBe(404);
    expect((await got('/v1/receipts/%zz')).status).toBe(400);
  });

  it('evidence is had for a nonce of 32 bytes, of the session that is open', async () => {
    const nonce = Buffer.alloc(32, 7).toString('base64url');
    const model = `model=${encodeURIComponent(MODEL)}`;
    expect((await got(`/v1/attestation?${model}`)).status).toBe(400);
    expect((await got(`/v1/attestation?${model}&nonce=AAAA`)).status).toBe(400);
    expect(await got(`/v1/attestation?${model}&nonce=${nonce}`)).toMatchObject({
      status: 409,
      body: { error: { code: 'JOB_STATE' } },
    });
    backend.openJob = idOf<JobId>('job');
    expect((await got(`/v1/attestation?${model}&nonce=${nonce}`)).status).toBe(503); // asked, and no runner is there
    expect(backend.asked).toEqual([]);
  });
});
