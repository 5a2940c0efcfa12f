import { describe, expect, it } from '@jest/globals';
import type { ContributionId } from '@usufruct/kernel';
import fc from 'fast-check';
import { chunkDocument } from '../chunk/chunk.js';
import { Sketcher } from '../ingest/sketch.js';
import { Bm25Index } from './bm25.js';
import { Corpus, type IndexedDocument } from './corpus.js';
import type { SourceFilter } from './source-filter.js';
import { stemEnglish } from './stem.js';
import { termsOf } from './terms.js';

describe('terms', () => {
  // From the step tables of Porter's paper (1980), steps 1a, 1b and 1c.
  it.each(
    'caresses:caress ponies:poni ties:ti caress:caress cats:cat feed:feed agreed:agree plastered:plaster bled:bled motoring:motor sing:sing conflated:conflate troubled:trouble sized:size hopping:hop tanned:tan falling:fall hissing:hiss fizzed:fizz failing:fail filing:file happy:happi sky:sky'
      .split(' ')
      .map((pair) => pair.split(':')),
  )('stems %s to %s', (word, stem) => expect(stemEnglish(word!)).toBe(stem));

  it.each([
    ['The Bees’ honey — and the bee’s wings', ['bee', 'honei', 'bee', 'wing']],
    ['Café CAFE ﬁsh', ['cafe', 'cafe', 'fish']],
    ['1,000 kg at 3.5 %', ['1000', 'kg', '3.5']],
    ['Пчёлы и мёд', ['пчёлы', 'и', 'мёд']],
    ['蜂蜜の味', ['蜂蜜', '蜜の', 'の味']],
    ['नमस्ते', ['नमस्ते']],
    ['x'.repeat(65), []],
    ['what is the', []],
  ])('%j', (text, expected) => expect(termsOf(text)).toEqual(expected));
});

describe('BM25', () => {
  it('scores as the formula says', () => {
    // 3 passages of 3, 1 and 2 terms: average 2. "wax" is in two of them: idf = ln(1 + 1.5/2.5) = 0.470004.
    // Passage 0: tf 2, length 3: 0.470004 · 2·2.2 / (2 + 1.2·(0.25 + 0.75·1.5)) = 2.068016 / 3.65 = 0.566580.
    // Passage 2: tf 1, length 2: 0.470004 · 2.2 / (1 + 1.2) = 0.470004.
    const index = new Bm25Index(['wax wax comb', 'honey', 'wax hive']);
    const hits = index.search(['wax'], 5);
    expect(hits.map((hit) => hit.passage)).toEqual([0, 2]);
    expect(hits[0]!.score).toBeCloseTo(0.56658, 5);
    expect(hits[1]!.score).toBeCloseTo(0.470004, 5);
    expect(index.passagesWith('wax')).toBe(2);
    expect(index.passagesWith('constructor')).toBe(0);
  });

  it('agrees with a direct evaluation of the formula over random passages, and orders ties by number', () => {
    const word = fc.constantFrom('kiln', 'loom', 'mast', 'nail', 'oven');
    const passages = fc.array(fc.array(word, { maxLength: 8 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        passages,
        fc.uniqueArray(word, { minLength: 1 }),
        fc.integer({ min: 1, max: 12 }),
        (texts, query, limit) => {
          const average = texts.reduce((n, words) => n + words.length, 0) / texts.length || 1;
          const expected = texts
            .map((words, passage) => ({
              passage,
              score: query.reduce((score, term) => {
                const tf = words.filter((w) => w === term).length;
                const df = texts.filter((other) => other.includes(term)).length;
                const idf = Math.log(1 + (texts.length - df + 0.5) / (df + 0.5));
                return (
                  score + (tf === 0 ? 0 : (idf * tf * 2.2) / (tf + 1.2 * (0.25 + (0.75 * words.length) / average)))
                );
              }, 0),
            }))
            .filter((hit) => hit.score > 0)
            .sort((a, b) => b.score - a.score || a.passage - b.passage);
          const hits = new Bm25Index(texts.map((words) => words.join(' '))).search(query, limit);
          expect(hits.length).toBe(Math.min(limit, expected.length));
          hits.forEach((hit, i) => expect(hit.score).toBeCloseTo(expected[i]!.score, 9));
          hits.forEach(
            (hit, i) =>
              i > 0 && hit.score === hits[i - 1]!.score && expect(hit.passage).toBeGreaterThan(hits[i - 1]!.passage),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is empty for an empty corpus and for words that nobody wrote', () => {
    expect(new Bm25Index([]).search(['wax'], 3)).toEqual([]);
    expect(new Bm25Index(['wax']).search(['kiln'], 3)).toEqual([]);
  });
});

describe('corpus', () => {
  const id = (digit: string) => `0x${digit.repeat(64)}` as ContributionId;
  const sketcher = new Sketcher(new Uint8Array(8));
  const text = (...paragraphs: string[]): IndexedDocument => ({
    format: 'txt',
    metadata: {},
    chunks: chunkDocument({ blocks: paragraphs.map((p) => ({ text: p, headings: [] })) }).map((chunk) => ({
      ...chunk,
      sketch: sketcher.sketch(chunk.text),
    })),
  });
  const documents = [
    { contributionId: id('a'), fileName: 'a.txt', document: text('The loom stands in the mill.') },
    { contributionId: id('b'), fileName: 'b.txt', document: text('the LOOM stands, in the mill') },
    { contributionId: id('c'), fileName: 'c.txt', document: text('A kiln burns lime.') },
  ];

  it('indexes the same words once and remembers who brought them', () => {
    const corpus = new Corpus(documents);
    expect(corpus.passages.map(({ sources }) => sources.map((source) => source.contributionId))).toEqual([
      [id('a'), id('b')],
      [id('c')],
    ]);
  });

  it('forgets what is no longer allowed, word counts included', () => {
    const corpus = new Corpus(documents);
    const allowed = corpus.restrictedTo(new Set([id('a'), id('b')]));
    expect(allowed.search(['kiln'], 5)).toEqual([]);
    expect(allowed.index.passagesWith('kiln')).toBe(0);
    expect([...allowed.contributionIds]).toEqual([id('a'), id('b')]);
    expect(corpus.restrictedTo(corpus.contributionIds)).toBe(corpus);
  });

  it('names what says nearly the same, and drops none of it', () => {
    const words = Array.from({ length: 100 }, (_, i) => `word${i}`);
    const texts = [words.join(' '), 'A kiln burns lime.', words.with(50, 'other').join(' ')];
    const corpus = new Corpus(
      texts.map((each, i) => ({ contributionId: id('abc'[i]!), fileName: 'a.txt', document: text(each) })),
    );
    expect(corpus.passages).toHaveLength(3);
    expect([...corpus.nearDuplicates]).toEqual([0, 1, 0]);
  });

  describe('filters', () => {
    const about = (metadata: IndexedDocument['metadata'], rest: Partial<IndexedDocument> = {}): IndexedDocument => ({
      ...text('The loom stands in the mill.'),
      metadata,
      ...rest,
    });
    const corpus = new Corpus([
      { contributionId: id('a'), fileName: 'a.txt', document: about({ author: 'Ann Keeper', date: '2024-05-01' }) },
      {
        contributionId: id('b'),
        fileName: 'b.pdf',
        document: about({ title: 'Looms', date: '2024-05-02T10:00:00.000Z' }, { format: 'pdf' }),
      },
      {
        contributionId: id('c'),
        fileName: 'c.txt',
        document: { ...text('Ein Webstuhl und ein Ofen sind nicht das Gleiche.') },
      },
    ]);
    const found = (filter: SourceFilter, term = 'loom') =>
      corpus
        .search([term], 5, filter)
        .flatMap(({ passage }) => passage.sources.map(({ contributionId }) => contributionId));

    it.each<[SourceFilter, string]>([
      [{}, 'ab'],
      [{ formats: ['pdf'] }, 'b'],
      [{ author: 'KEEPER' }, 'a'],
      [{ title: 'loom' }, 'b'],
      [{ dateFrom: '2024-05-02' }, 'b'],
      [{ dateBefore: '2024-05-02' }, 'a'],
      [{ dateFrom: '2024-05-01', dateBefore: '2024-06-01', formats: ['txt'] }, 'a'],
      [{ dateFrom: 'no date' }, ''],
      [{ languages: ['de'] }, ''],
      [{ formats: [] }, ''],
    ])('%j', (filter, expected) => expect(found(filter)).toEqual([...expected].map(id)));

    it('by language, with its regions', () => {
      expect(found({ languages: ['de'] }, 'webstuhl')).toEqual([id('c')]);
      expect(found({ languages: ['de-AT'] }, 'webstuhl')).toEqual([]);
    });

    it('leave the corpus as it was', () => {
      found({ author: 'keeper' });
      expect(corpus.passages[0]!.sources).toHaveLength(2);
    });
  });

  // How fast it is: `npm run -s bench`.
  it('finds the one paragraph of 10,000 that has all the words', () => {
    const vocabulary = Array.from({ length: 2_000 }, (_, i) => `w${i.toString(36)}q`);
    let state = 1;
    const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const paragraph = () =>
      Array.from({ length: 120 }, () => vocabulary[Math.floor(next() ** 3 * vocabulary.length)]).join(' ');
    const planted = `thermocouple calibration ${paragraph()}`;
    const paragraphs = Array.from({ length: 10_000 }, (_, i) => (i === 7_654 ? planted : paragraph()));
    const document = text(...paragraphs);
    const corpus = new Corpus([{ contributionId: id('a'), fileName: 'a.txt', document }]);
    expect(corpus.passages.length).toBe(10_000);
    const [first, second] = corpus.search(['thermocouple', vocabulary[0]!, 'calibration'], 2);
    expect(first!.passage.text).toBe(planted);
    expect(first!.score).toBeGreaterThan(second!.score);
  });
});
