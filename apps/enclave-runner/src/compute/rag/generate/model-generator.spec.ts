import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { systemRandom, utf8, type ContributionId, type Digest } from '@usufruct/kernel';
import { LIMITS, NO_ANSWER_RULES } from '@usufruct/protocol';
import { FakeModelServer, modelEvent } from '@usufruct/testing';
import type { ServerResponse } from 'node:http';
import { NO_ANSWER } from '../answer/answer-question.js';
import { chooseGenerator, EXTRACTIVE } from '../answer/generator.js';
import { ingestDocument } from '../ingest/ingest-document.js';
import { AnswerReview } from '../guard/review.js';
import { Corpus, wordsOnly, type CorpusDocument, type PassageSource } from '../retrieve/corpus.js';
import { modelGenerator } from './model-generator.js';
import { modelServerWriter } from './model-server-writer.js';

const id = (digit: string) => `0x${digit.repeat(64)}` as ContributionId;
const MODEL = { name: 'small-7b', sha256: id('9') as string as Digest };
const TEXTS = [
  ['bees.txt', 'Oxalic acid is trickled over the bees in December, when there is no brood.'],
  ['copy.txt', 'Oxalic acid is trickled over the bees in December, when there is no brood.'],
  ['acid.txt', 'A dose of oxalic acid is 5 ml for each frame of bees. Gloves are worn with acid.'],
  ['clay.txt', 'Stoneware clay matures at 1280 degrees.'],
] as const;

let server: FakeModelServer;
let corpus: Corpus;
beforeAll(async () => {
  server = await FakeModelServer.start();
  const documents: CorpusDocument[] = [];
  for (const [fileName, text] of TEXTS) {
    const document = await ingestDocument({ fileName, bytes: utf8(text) }, { sketchKey: new Uint8Array(8) });
    documents.push({ contributionId: id('abcd'[documents.length]!), fileName, document });
  }
  corpus = new Corpus(documents);
});
afterAll(() => server.close());
beforeEach(() => {
  server.asked.length = 0;
});

const generator = (timeoutMs = 5_000) =>
  modelGenerator(
    modelServerWriter({
      address: { kind: 'unix', socketPath: server.socketPath, path: '/v1' },
      model: MODEL,
      timeoutMs,
      maxTokens: 256,
    }),
    systemRandom,
  );
const ask = (question: string, signal = new AbortController().signal, timeoutMs?: number) =>
  generator(timeoutMs).answer({ corpus, question, topK: 8, options: {}, signal });
const QUESTION = 'When is oxalic acid trickled over the bees, and what is the dose?';

describe('an answer in the words of a model', () => {
  it('cites for each sentence who holds what carries it, and weighs them', async () => {
    server.script = () => 'Oxalic acid is trickled over bees in December [1]. The dose is 5 ml for each frame. [2]';
    const answer = await ask(QUESTION);
    expect(answer.text).toBe(
      'Oxalic acid is trickled over bees in December. [1][2] The dose is 5 ml for each frame. [3]',
    );
    expect(answer).toMatchObject({ generator: 'model', model: MODEL, isKnown: true });
    expect(answer.citations).toEqual([
      { contributionId: id('a'), fileName: 'bees.txt', locator: expect.any(String), ordinal: 0, quote: TEXTS[0][1] },
      { contributionId: id('b'), fileName: 'copy.txt', locator: expect.any(String), ordinal: 0, quote: TEXTS[1][1] },
      {
        contributionId: id('c'),
        fileName: 'acid.txt',
        locator: expect.any(String),
        ordinal: 0,
        quote: 'A dose of oxalic acid is 5 ml for each frame of bees.',
      },
    ]);
    // The copy shares what its passage gets, to the unit; clay was not cited.
    const [bees, copy, acid, ...rest] = answer.weights;
    expect([bees, copy, acid].map((weight) => weight?.contributionId)).toEqual([id('a'), id('b'), id('c')]);
    expect(bees!.weight - copy!.weight).toBeLessThanOrEqual(1n);
    expect(rest).toEqual([]);
  });

  it('sends the model what was found and no more: no tools, no file names, no words of its own invention', async () => {
    server.script = () => 'NO ANSWER';
    await ask(QUESTION);
    const { body, user, url } = server.asked[0]!;
    expect(url).toBe('/v1/chat/completions');
    expect(Object.keys(body).sort()).toEqual(['max_tokens', 'messages', 'model', 'seed', 'stream', 'temperature']);
    expect(user).not.toMatch(/\.txt|Stoneware/);
    expect(user).toContain('| Oxalic acid is trickled over the bees');
  });

  it('does not ask the model when nothing was found', async () => {
    server.script = () => 'Anything [1].';
    const answer = await ask('Quantum chromodynamics?');
    expect(answer).toMatchObject({ text: NO_ANSWER, generator: 'model', isKnown: false, weights: [], sentences: [] });
    expect(server.asked).toEqual([]);
  });

  it.each([
    ['says that it does not know', 'NO ANSWER'],
    ['writes nothing', ''],
    ['cites nothing', 'Oxalic acid is trickled over the bees in December.'],
    ['makes a number up', 'Oxalic acid is trickled over 7000 bees in December [1].'],
    ['makes a thing up', 'Oxalic acid cures influenza, measles and toothache in children [1].'],
  ])('does not know when the model %s', async (_what, output) => {
    server.script = () => output;
    expect(await ask(QUESTION)).toMatchObject({ text: NO_ANSWER, isKnown: false, citations: [], weights: [] });
  });

  it.each<[string, (response: ServerResponse) => void]>([
    ['dies', (r) => r.destroy()],
    ['dies in the middle of a sentence', (r) => r.write(modelEvent('Oxalic acid'), () => r.destroy())],
    ['ends without saying so', (r) => r.end(modelEvent('Oxalic acid is trickled in December [1].'))],
    ['reports an error', (r) => r.end('data: {"error":{"message":"out of memory"}}\n\n')],
    ['is loading', (r) => r.writeHead(503).end('{}')],
    ['sends no events', (r) => r.end('data: <html>\n\n')],
    ['is too slow', () => undefined],
  ])('refuses, and lets nobody else answer, when the server %s', async (_what, answer) => {
    server.script = () => answer;
    await expect(ask(QUESTION, undefined, 400)).rejects.toMatchObject({
      code: 'GENERATOR_UNAVAILABLE',
      details: { model: 'small-7b' },
    });
  });

  // As llama.cpp sends it (0.5.0, recorded but for its words and ids): no text first and last, more fields than are read.
  const chunk = (delta: object, more: object = {}): string =>
    `data: ${JSON.stringify({ choices: [{ finish_reason: null, index: 0, delta, ...more }], created: 1795328212, id: 'chatcmpl-c', model: 'chat.gguf', system_fingerprint: 'b1-0c1e570', object: 'chat.completion.chunk' })}\n\n`; // prettier-ignore
  const words = [chunk({ content: 'Gloves are worn' }), chunk({ content: ' with acid [2].' })];
  it.each([
    ['whole', [chunk({ role: 'assistant', content: null }), ...words, chunk({}, { finish_reason: 'stop' })]],
    ['with pings', [chunk({ role: 'assistant', content: null }), ':\n\n', words[0]!, ': ping\n\n', words[1]!]],
    ['with thoughts beside it', [chunk({ reasoning_content: 'Gloves? [1]' }), ...words]],
    ['and nothing but how much it was', [...words, 'data: {"choices":[],"usage":{"total_tokens":9}}\n\n']],
    ['cut at its limit', [...words, chunk({ content: ' And oxalic acid is' }), chunk({}, { finish_reason: 'length' })]],
  ])('reads the stream of a real server, %s', async (_what, chunks) => {
    server.script = () => (response) => response.end(`${chunks.join('')}data: [DONE]\n\n`);
    expect(await ask(QUESTION)).toMatchObject({ isKnown: true, sentences: [{ text: 'Gloves are worn with acid.' }] });
  });

  it('gives it less, down to the first passage, where the prompt is too long for it', async () => {
    const passages = (text: string): number => text.match(/^\[document /gm)?.length ?? 0;
    const long = (word: string): string => `Oxalic acid of ${word}. ${`More about ${word}. `.repeat(110)}`;
    const documents = await Promise.all(
      ['one', 'two', 'three', 'four'].map(async (word, i): Promise<CorpusDocument> => {
        const document = await ingestDocument({ fileName: 'a.txt', bytes: utf8(long(word)) }, { sketchKey: new Uint8Array(8) }); // prettier-ignore
        return { contributionId: id('abcd'[i]!), fileName: 'a.txt', document };
      }),
    );
    const most = 3_600;
    server.script = ({ system, user }) =>
      system.length + user.length <= most ? 'Oxalic acid is of one [1].' : (r) => r.writeHead(400).end('{}');
    const task = { question: 'What of oxalic acid?', topK: 8, options: {}, signal: new AbortController().signal };
    const answer = await generator().answer({ ...task, corpus: new Corpus(documents) });
    expect(answer.sentences).toHaveLength(1);
    const counts = server.asked.map(({ user }) => passages(user));
    expect(counts.slice(0, -1).every((count, i) => count >= counts[i + 1]!)).toBe(true);
    expect(counts[0]).toBeGreaterThan(counts.at(-1)!);

    // Less than the first one takes, and than the marks and the question take beside it.
    const room = 700;
    server.script = ({ user }) =>
      user.length <= room ? 'Oxalic acid is of one [1].' : (r) => r.writeHead(400).end('{}');
    expect((await generator().answer({ ...task, corpus: new Corpus(documents) })).sentences).toHaveLength(1);
    expect(server.asked.at(-1)!.user).toContain('| Oxalic acid of one. More about one.');

    server.asked.length = 0;
    server.script = () => (r) => r.writeHead(400).end('{}');
    await expect(generator().answer({ ...task, corpus: new Corpus(documents) })).rejects.toMatchObject({
      code: 'GENERATOR_UNAVAILABLE',
      details: { reason: 'prompt refused' },
    });
    expect(passages(server.asked.at(-1)!.user)).toBe(1);
    expect(server.asked.length).toBeLessThan(10);
  });

  it('is never longer than what an asker takes, however long the sentences are that carry it, and who holds them', async () => {
    // Twelve sentences of three bytes a letter, each in a passage of its own, in sixteen contributions of one text.
    const topics = Array.from({ length: 12 }, (_, i) => `topic${String.fromCharCode(97 + i)}`);
    const text = topics.map((word) => `Acid ${word} ${'क'.repeat(1_860)}`).join('\n\n');
    const documents = await Promise.all(
      Array.from({ length: 16 }, async (_, i): Promise<CorpusDocument> => {
        const fileName = `${'ก'.repeat(80)}.txt`;
        const document = await ingestDocument({ fileName, bytes: utf8(text) }, { sketchKey: new Uint8Array(8) });
        return { contributionId: `0x${i.toString(16).repeat(64)}` as ContributionId, fileName, document };
      }),
    );
    const question = `What acid of ${topics.join(' ')}?`;
    server.script = ({ user }) => {
      const numberOf = (word: string) => [...user.matchAll(/\[document (\d+) [^[]*/g)].find(([all]) => all.includes(word))?.[1]; // prettier-ignore
      return topics.map((word) => `Acid ${word} [${numberOf(word)}].`).join(' ');
    };
    const task = { question, topK: 32, options: {}, signal: new AbortController().signal };
    const answer = await generator().answer({ ...task, corpus: new Corpus(documents) });
    expect([answer.sentences.length, answer.citations.length]).toEqual([12, 192]);
    expect(answer.citations.every(({ quote }) => quote.startsWith('Acid topic'))).toBe(true);
    expect(utf8(JSON.stringify(answer.citations)).length).toBeLessThan(LIMITS.sealedAnswerBytes / 2);
  });

  it('stops reading what never ends', async () => {
    server.script = () => (response) => {
      const write = (): void => {
        if (!response.destroyed)
          response.write(modelEvent('Acid is worn with gloves [2]. '.repeat(50)), () => setImmediate(write));
      };
      write();
    };
    expect(await ask(QUESTION)).toMatchObject({ isKnown: true, sentences: [{ text: 'Acid is worn with gloves.' }] });
  });

  it('is given up with its session', async () => {
    const session = new AbortController();
    server.script = () => () => session.abort();
    await expect(ask(QUESTION, session.signal)).rejects.toMatchObject({ code: 'GENERATOR_UNAVAILABLE' });
  });
});

describe('a dataset that asks for two contributors', () => {
  const around = (word: string): string => Array.from({ length: 40 }, (_, i) => `${word}${i}`).join(' ');
  const clinic = async (...texts: string[]): Promise<Corpus> =>
    new Corpus(
      await Promise.all(
        texts.map(async (text, i): Promise<CorpusDocument> => {
          const source = { fileName: 'a.txt', bytes: utf8(`${around(`word${i}x`)}. ${text}`) };
          const document = await ingestDocument(source, { sketchKey: new Uint8Array(8) });
          return { contributionId: id('abcd'[i]!), fileName: 'a.txt', document };
        }),
      ),
    );
  const asked = async (of: Corpus, output: string): Promise<string> => {
    server.script = () => output;
    const review = (seen: readonly PassageSource[]) =>
      new AnswerReview({
        rules: { ...NO_ANSWER_RULES, minContributors: 2 },
        seen,
        ownerOf: (contribution) => contribution,
        passages: of.passages.length,
        before: { spansOf: () => [], has: () => false, passages: 0 },
        wordsOf: ({ chunk }) => wordsOnly(chunk.text),
      });
    const { signal } = new AbortController();
    const question = 'What of the clinic?';
    return (await generator().answer({ corpus: of, question, topK: 8, options: { review }, signal })).text;
  };
  const WITHHELD = 'Withheld: 1 that rest on fewer contributors than this dataset asks for.';
  const PATIENT = 'Anna Muster of the clinic was treated for gout in March.';
  const BEDS = 'The clinic has forty beds.';

  it.each([
    ['what one says, with what another one says', [PATIENT, `${BEDS} Many were treated.`], 'Anna Muster was treated at the clinic for gout, which has forty beds [1][2].'], // prettier-ignore
    ['what one says, with what both say', [`${BEDS} ${PATIENT}`, BEDS], 'The clinic has forty beds, and Anna Muster was treated there [1].'], // prettier-ignore
    ['a number of one', ['The clinic has 41 beds.', 'The clinic has beds.'], 'The clinic has 41 beds [1][2].'],
    ['a word of one, citing the other', [BEDS, PATIENT], 'The clinic has forty beds for Anna [1].'],
  ])('is not told %s', async (_what, texts, output) => {
    expect(await asked(await clinic(...texts), output)).toBe(WITHHELD);
  });

  it('is told what two say, in other words too', async () => {
    const corpus = await clinic('Forty beds: that is what the clinic has.', 'At our clinic there are forty beds.');
    expect(await asked(corpus, 'Overall, the clinic has forty beds [1].')).toContain('the clinic has forty beds.');
  });
});

describe('who answers', () => {
  it('is the first, or whom the asker demands', () => {
    const model = generator();
    expect(chooseGenerator([model, EXTRACTIVE], undefined)).toBe(model);
    expect(chooseGenerator([model, EXTRACTIVE], 'extractive')).toBe(EXTRACTIVE);
    expect(chooseGenerator([EXTRACTIVE], undefined)).toBe(EXTRACTIVE);
  });

  it('is nobody else than who was demanded', () => {
    expect(() => chooseGenerator([EXTRACTIVE], 'model')).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: { field: 'generator', expected: 'extractive' } }),
    );
  });
});
