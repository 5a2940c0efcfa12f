import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../main.js';

const CORPUS = ['The queen lays eggs.', 'Wax comes from glands.', 'Smoke calms the bees.', 'Honey is stored in comb.'];
let home: string;
let folder: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'usufruct-eval-'));
  folder = join(home, 'beir');
  mkdirSync(join(folder, 'qrels'), { recursive: true });
  write('corpus.jsonl', CORPUS.map((text, i) => JSON.stringify({ _id: `d${i}`, title: '', text })).join('\n')); // prettier-ignore
  // q1 finds d3 first; q2 names d0 after d2 ("bees" and "queen" in one); q3 has no judgement, q7 no question.
  write(
    'queries.jsonl',
    ['{"_id":"q1","text":"stored honey"}', '{"_id":"q2","text":"wax glands"}', '{"_id":"q3","text":"smoke"}', ''].join(
      '\r\n',
    ),
  );
  write('qrels/test.tsv', 'query-id\tcorpus-id\tscore\nq1\td3\t1\nq2\td0\t1\nq2\td1\t0\nq7\td1\t1\n');
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
async function run(...args: string[]) {
  const said = { out: '', err: '' };
  const code = await main(['node', 'usufruct', 'eval', ...args], {
    environment: {},
    homeDirectory: home,
    streams: { out: (text) => (said.out += text), err: (text) => (said.err += text), bars: null, ask: null },
  });
  return { code, ...said };
}

describe('usufruct eval', () => {
  it('measures what it says', async () => {
    const { code, out } = await run(folder, '--json');
    expect(code).toBe(0);
    // q1: 1 in all three; q2: its one relevant passage has none of its words: 0. The mean of both is a half.
    const half = { ndcgAt10: 0.5, mrrAt10: 0.5, recallAt100: 0.5 };
    const none = { ndcgAt10: 0, mrrAt10: 0, recallAt100: 0 };
    expect(JSON.parse(out)).toMatchObject({ ok: true, passages: 4, queries: 2 });
    // Too few passages for LSA.
    expect((JSON.parse(out) as { quality: object }).quality).toEqual({ bm25: half, lsa: none, fused: half });
    expect((await run(folder)).out).toMatch(/bm25 +0\.5000 +0\.5000 +0\.5000\n/);
  });

  it('measures vectors where an embedder is named', async () => {
    let isOther = false;
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += String(part)));
      request.on('end', () => {
        // Questions and answers of one pair lie together: q1 and d3, q2 and d0.
        const at = (text: string): number => [/honey/i, /queen|glands\?*$/].findIndex((pattern) => pattern.test(text));
        const { input } = JSON.parse(body) as { input: string[] };
        const width = (text: string): number[] => (isOther && CORPUS.includes(text) ? [0, 1, 2] : [0, 1]);
        const data = input.map((text, index) => ({ index, embedding: width(text).map((k) => Number(k === at(text))) }));
        response.end(JSON.stringify({ data }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/`;
      const { out } = await run(folder, '--json', '--embedder', url, '--model', 'any');
      expect((JSON.parse(out) as { quality: { dense: object } }).quality.dense).toEqual({
        ndcgAt10: 1,
        mrrAt10: 1,
        recallAt100: 1,
      });
      // Passages of another width than questions.
      isOther = true;
      expect((await run(folder, '--json', '--embedder', url, '--model', 'any')).out).toContain('UPSTREAM_INVALID');
    } finally {
      server.close();
    }
    const gone = await run(folder, '--embedder', 'http://127.0.0.1:9', '--model', 'any');
    expect([gone.code, gone.err]).toEqual([4, expect.stringContaining('UPSTREAM_UNAVAILABLE')]);
    expect((await run(folder, '--embedder', 'http://127.0.0.1:9')).code).toBe(2);
  });

  it('measures what a reranker makes of it, and says before each text what its model wants to read', async () => {
    const read = { questions: new Set<string>(), passages: 0 };
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += String(part)));
      request.on('end', () => {
        const { input = [], query, documents = [] } = JSON.parse(body) as { input?: string[]; query?: string; documents?: string[] }; // prettier-ignore
        if (request.url === '/v1/rerank') {
          // Only it knows that the queen is asked for.
          const scores = documents.map((text, index) => ({ index, relevance_score: Number(/queen/.test(text)) }));
          return response.writeHead(query === 'wax glands' ? 200 : 404).end(JSON.stringify({ results: scores }));
        }
        for (const text of input) {
          if (text.startsWith('q: ')) read.questions.add(text);
          else if (text.startsWith('p: ')) read.passages += 1;
        }
        return response.end(JSON.stringify({ data: input.map((_text, index) => ({ index, embedding: [1] })) }));
      });
    });
    write('queries.jsonl', '{"_id":"q2","text":"wax glands"}');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    const models = ['--embedder', url, '--model', 'e', '--reranker', url, '--reranker-model', 'r'];
    try {
      const { out } = await run(folder, '--json', ...models, '--question-prefix', 'q: ', '--passage-prefix', 'p: ');
      const measured = JSON.parse(out) as { dimensions: number; quality: Record<string, { mrrAt10: number }> };
      expect(measured.dimensions).toBe(1);
      // By words the queen is not found; all vectors are alike, so the first passage comes second; the reranker knows.
      const { words, fused, reranked } = measured.quality;
      expect([words, fused, reranked].map((one) => one?.mrrAt10)).toEqual([0, 0.5, 1]);
      expect(read).toEqual({ questions: new Set(['q: wax glands']), passages: CORPUS.length });
      expect((await run(folder, '--reranker', url)).code).toBe(2);
    } finally {
      server.close();
    }
  });

  it('measures a folder with empty passages by servers that refuse those, as some of BEIR are and do', async () => {
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => (body += String(part)));
      request.on('end', () => {
        const { input = [], documents = [] } = JSON.parse(body) as { input?: string[]; documents?: string[] };
        if ([...input, ...documents].some((text) => text.trim() === '')) return response.writeHead(400).end('{}');
        const results = documents.map((_text, index) => ({ index, relevance_score: 1 }));
        return response.end(
          JSON.stringify({ results, data: input.map((_text, index) => ({ index, embedding: [1] })) }),
        );
      });
    });
    write('corpus.jsonl', '{"_id":"d3","title":"","text":"stored honey"}\n{"_id":"none","title":"","text":" "}');
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
    try {
      const models = ['--embedder', url, '--model', 'e', '--reranker', url, '--reranker-model', 'r'];
      const { code, out } = await run(folder, '--json', ...models);
      expect([code, out]).toEqual([0, expect.stringContaining('"dimensions":1')]);
    } finally {
      server.close();
    }
  });

  it.each([
    ['corpus.jsonl', '{"_id":"a","text":"x"}\n{"_id":"a","text":"y"}', /corpus\.jsonl.*2|2.*corpus\.jsonl/s],
    ['corpus.jsonl', 'no json', /corpus\.jsonl/],
    ['queries.jsonl', '{"_id":"q1"}', /queries\.jsonl/],
    ['qrels/test.tsv', 'q1\td3\t1\nq1 d3 1', /test\.tsv/],
    ['qrels/test.tsv', 'query-id\tcorpus-id\tscore\nq9\td3\t1', /test\.tsv/],
    ['qrels/test.tsv', 'query-id\tcorpus-id\tscore\nq1\td3\t', /test\.tsv/],
    ['qrels/test.tsv', 'query-id\tcorpus-id\tscore\nq1\td3\t0x1', /test\.tsv/],
    ['corpus.jsonl', '', /corpus\.jsonl/],
  ])('refuses %s with %j', async (name, text, said) => {
    write(name, text);
    const { code, out } = await run(folder, '--json');
    expect([code, out]).toEqual([2, expect.stringMatching(said)]);
  });

  it('says which file is not there', async () => {
    rmSync(join(folder, 'queries.jsonl'));
    expect((await run(folder, '--json')).out).toMatch(/NOT_FOUND.*queries\.jsonl/);
  });
});
