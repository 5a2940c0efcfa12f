import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Digest } from '@usufruct/kernel';
import { serverEmbedder } from '../compute/model-server/embedder.js';
import { openEmbedder, openReranker, readEmbedderConfig, readRerankerConfig } from './embedder-config.js';

let folder: string;
let server: Server;
let answer: (input: string[]) => string;
/** So much it takes of one text. */
let mostChars = Infinity;
let status = (): number => 200;
afterEach(() => {
  mostChars = Infinity;
  status = () => 200;
});
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'usufruct-embedder-'));
  writeFileSync(join(folder, 'model.onnx'), 'weights');
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += String(part)));
    request.on('end', () => {
      const { model, input, documents } = JSON.parse(body) as { model: string; input?: string[]; documents: string[] };
      const isAsked = request.url === (input === undefined ? '/v1/rerank' : '/v1/embeddings') && model === 'small';
      if (!isAsked) response.statusCode = 404;
      if ((input ?? documents).some((text) => text.length > mostChars)) return response.writeHead(413).end('{}');
      if (isAsked) response.statusCode = status();
      return response.end(answer(input ?? documents));
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, 'model.sock'), resolve));
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});
const whole = () => ({
  EMBEDDER_URL: `unix:${join(folder, 'model.sock')}`,
  EMBEDDER_MODEL: 'small',
  EMBEDDER_MODEL_PATH: join(folder, 'model.onnx'),
});

describe('an embedder', () => {
  it('is measured by the hash of its files, and asked over its socket', async () => {
    const opened = await openEmbedder(readEmbedderConfig(whole()));
    const sha256 = createHash('sha256').update('weights').digest();
    expect(opened!.measured).toEqual({ role: 'embedder', sha256: new Uint8Array(sha256) });
    expect(opened!.model.modelHash).toBe(`0x${sha256.toString('hex')}`);
    answer = (input) => JSON.stringify({ data: input.map((text, index) => ({ index, embedding: [text.length, 1] })) });
    expect(await opened!.model.embed(['a', 'bcd'], 'passage')).toEqual([Float32Array.of(1, 1), Float32Array.of(3, 1)]);
    for (const said of ['{"data":[]}', '{"data":[{"index":0,"embedding":["x"]}]}', 'no json']) {
      answer = () => said;
      await expect(opened!.model.embed(['a'], 'question')).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
    }
  });

  it('reads what its model wants to read before questions and passages, and texts of any length', async () => {
    const prefixed = { ...whole(), EMBEDDER_QUESTION_PREFIX: 'query: ', EMBEDDER_PASSAGE_PREFIX: 'passage: ' };
    const { model } = (await openEmbedder(readEmbedderConfig(prefixed)))!;
    const read: string[] = [];
    answer = (input) => {
      read.push(...input);
      return JSON.stringify({ data: input.map((text, index) => ({ index, embedding: [text.length, 1] })) });
    };
    await model.embed(['a'], 'question');
    mostChars = 120;
    const [vector] = await model.embed([`${'b'.repeat(100)} ${'c'.repeat(99)}`], 'passage');
    expect(read).toEqual(['query: a', `passage: ${'b'.repeat(100)}`, `passage: ${'c'.repeat(99)}`]);
    expect(vector).toHaveLength(2);
    // Vectors of passages with other words before them are others; what stands before a question changes none.
    const plain = (await openEmbedder(readEmbedderConfig(whole())))!.model;
    const asked = (await openEmbedder(readEmbedderConfig({ ...whole(), EMBEDDER_QUESTION_PREFIX: 'query: ' })))!.model;
    expect(asked.modelHash).toBe(plain.modelHash);
    expect(model.modelHash).not.toBe(plain.modelHash);
  });

  it('waits for its server with passages, not with questions, and not for one that answers otherwise', async () => {
    const { address, name } = readEmbedderConfig(whole())!;
    const model = { name, sha256: `0x${'0'.repeat(64)}` as Digest };
    const embedder = serverEmbedder({ address, model, prefixes: { question: '', passage: '' }, pauseMs: 1 });
    const statuses = [503, 429, 200];
    answer = (input) => JSON.stringify({ data: input.map((_text, index) => ({ index, embedding: [1] })) });
    status = () => statuses.shift() ?? 503;
    expect(await embedder.embed(['a'], 'passage')).toEqual([Float32Array.of(1)]);
    let asked = 0;
    status = () => ((asked += 1), 503);
    await expect(embedder.embed(['a'], 'question')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(asked).toBe(1);
    await expect(embedder.embed(['a'], 'passage')).rejects.toMatchObject({ code: 'UPSTREAM_UNAVAILABLE' });
    expect(asked).toBe(1 + 6);
    status = () => ((asked += 1), 404);
    await expect(embedder.embed(['a'], 'passage')).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
    expect(asked).toBe(1 + 6 + 1);
  });

  it('and a reranker the same', async () => {
    const { EMBEDDER_URL, EMBEDDER_MODEL, EMBEDDER_MODEL_PATH } = whole();
    const settings = { RERANKER_URL: EMBEDDER_URL, RERANKER_MODEL: EMBEDDER_MODEL };
    expect(() => readRerankerConfig(settings)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ setting: 'RERANKER_MODEL_PATH' }) }),
    );
    const config = readRerankerConfig({ ...settings, RERANKER_MODEL_PATH: EMBEDDER_MODEL_PATH });
    const { model, measured } = (await openReranker(config))!;
    expect(measured.role).toBe('reranker');
    answer = (texts) => JSON.stringify({ results: texts.map((_, index) => ({ index, relevance_score: index / 2 })) });
    expect(await model.rerank('q', ['a', 'b', 'c'])).toEqual([0, 0.5, 1]);
    answer = () => '{"results":[]}';
    await expect(model.rerank('q', ['a'])).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
  });

  it('is none where nothing is set', async () => {
    expect(readEmbedderConfig({})).toBeNull();
    expect(await openEmbedder(null)).toBeNull();
  });

  it.each([
    ['an address elsewhere', { EMBEDDER_URL: 'https://api.openai.com/v1' }, 'EMBEDDER_URL'],
    ['a name', { EMBEDDER_URL: 'http://localhost:8080' }, 'EMBEDDER_URL'],
    ['no address', { EMBEDDER_URL: undefined }, 'EMBEDDER_URL'],
    ['no model', { EMBEDDER_MODEL: undefined }, 'EMBEDDER_MODEL'],
    ['no files', { EMBEDDER_MODEL_PATH: undefined }, 'EMBEDDER_MODEL_PATH'],
    ['a prefix without a model', { EMBEDDER_URL: undefined, EMBEDDER_MODEL: undefined, EMBEDDER_MODEL_PATH: undefined, EMBEDDER_PASSAGE_PREFIX: 'p: ' }, 'EMBEDDER_URL'], // prettier-ignore
    ['a prefix that is a book', { EMBEDDER_QUESTION_PREFIX: 'x'.repeat(1_001) }, 'EMBEDDER_QUESTION_PREFIX'],
    ['files without a path', { EMBEDDER_MODEL_PATH: 'model.onnx' }, 'EMBEDDER_MODEL_PATH'],
  ])('with %s is refused', (_name, changes, setting) => {
    expect(() => readEmbedderConfig({ ...whole(), ...changes })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID', details: expect.objectContaining({ setting }) }),
    );
  });

  it('whose files are not there is refused', async () => {
    const config = readEmbedderConfig({ ...whole(), EMBEDDER_MODEL_PATH: join(folder, 'none') });
    await expect(openEmbedder(config)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
