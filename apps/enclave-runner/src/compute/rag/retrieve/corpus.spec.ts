import { describe, expect, it } from '@jest/globals';
import type { ContributionId } from '@usufruct/kernel';
import fc from 'fast-check';
import { chunkDocument } from '../chunk/chunk.js';
import { Sketcher } from '../ingest/sketch.js';
import { Corpus, type IndexedDocument } from './corpus.js';
import type { SourceFilter } from './source-filter.js';

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

  it('forgets what is no longer allowed, word counts included', async () => {
    const corpus = new Corpus(documents);
    const allowed = corpus.restrictedTo(new Set([id('a'), id('b')]));
    expect(await allowed.search('kiln', 5)).toEqual([]);
    expect(allowed.index.passagesWith('kiln')).toBe(0);
    expect([...allowed.contributionIds]).toEqual([id('a'), id('b')]);
    expect(corpus.restrictedTo(corpus.contributionIds)).toBe(corpus);
  });

  it('restricted in any way is the corpus built anew, to the last bit', async () => {
    const aText = fc.constantFrom('The loom stands.', 'the LOOM stands', 'A kiln burns.', 'The mast fell.', 'Oven!');
    const aDocument = fc
      .array(fc.tuple(aText, fc.constantFrom('Loom', 'Kiln', 'Mast')), { maxLength: 4 })
      .map((parts): IndexedDocument => ({
        format: 'txt',
        metadata: {},
        chunks: parts.flatMap(([words, heading]) =>
          text(words).chunks.map((chunk) => ({ ...chunk, headings: [heading] })),
        ),
      }));
    const some = fc.array(fc.record({ document: aDocument, isKept: fc.boolean() }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(some, async (entries) => {
        const all = entries.map(({ document }, i) => ({ contributionId: id(String(i)), fileName: 'a.txt', document }));
        const kept = all.filter((_, i) => entries[i]!.isKept);
        const restricted = new Corpus(all).restrictedTo(new Set(kept.map(({ contributionId }) => contributionId)));
        const anew = new Corpus(kept);
        expect(restricted.passages).toEqual(anew.passages);
        expect(restricted.index.matrix).toEqual(anew.index.matrix);
        const question = 'loom kiln mast oven';
        expect(await restricted.search(question, 9)).toEqual(await anew.search(question, 9));
      }),
    );
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
    const found = async (filter: SourceFilter, question = 'loom') =>
      (await corpus.search(question, 5, filter)).flatMap(({ passage }) =>
        passage.sources.map(({ contributionId }) => contributionId),
      );

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
    ])('%j', async (filter, expected) => expect(await found(filter)).toEqual([...expected].map(id)));

    it('by language, with its regions', async () => {
      expect(await found({ languages: ['de'] }, 'webstuhl')).toEqual([id('c')]);
      expect(await found({ languages: ['de-AT'] }, 'webstuhl')).toEqual([]);
    });

    it('leave the corpus as it was', async () => {
      await found({ author: 'keeper' });
      expect(corpus.passages[0]!.sources).toHaveLength(2);
    });
  });

  // How fast it is: `npm run -s bench`.
  it('finds the one paragraph of 10,000 that has all the words', async () => {
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
    const [first, second] = await corpus.search(`thermocouple ${vocabulary[0]} calibration`, 2);
    expect(first!.passage.text).toBe(planted);
    expect(first!.score).toBeGreaterThan(second!.score);
  });
});
