import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ContributionId } from '@usufruct/kernel';
import { decodeIndex, DenseIndex, type Embedder, type Reranker } from '@usufruct/retrieval';
import fc from 'fast-check';
import { chunkDocument } from '../chunk/chunk.js';
import { Sketcher } from '../ingest/sketch.js';
import { Corpus, type IndexedDocument, type Retrieval } from './corpus.js';
import { IndexProcess, type IndexMaker } from './index-process.js';
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
    const allowed = await corpus.restrictedTo(new Set([id('a'), id('b')]));
    expect(await allowed.search('kiln', 5)).toEqual([]);
    expect(allowed.index.passagesWith('kiln')).toBe(0);
    expect([...allowed.contributionIds]).toEqual([id('a'), id('b')]);
    expect(await corpus.restrictedTo(corpus.contributionIds)).toBe(corpus);
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
        const restricted = await new Corpus(all).restrictedTo(
          new Set(kept.map(({ contributionId }) => contributionId)),
        );
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

  describe('opened, with LSA', () => {
    const retrieval: Retrieval = { maker: new IndexProcess() };
    const calling = (maker: IndexMaker): IndexMaker => ({
      make: (texts, signal) => maker.make(texts, signal),
      read: (texts, signal) => maker.read(texts, signal),
      fit: (matrix, signal) => maker.fit(matrix, signal),
      link: (dense, signal) => maker.link(dense, signal),
    });
    const both = 'pasture grass herd graze horns';
    const herds = Array.from({ length: 90 }, (_, i) => {
      const words = i % 2 === 0 ? `${both} ${i % 4 === 0 ? 'aurochs' : ''}` : 'harbour mast sail cargo anchor';
      return {
        contributionId: id('abc'[i % 3]!),
        fileName: `${i}.txt`,
        document: text(`${words} note${i}.`),
      };
    });
    const allowed = new Set([id('a'), id('b')]);

    it('finds what has none of the words', async () => {
      const corpus = await Corpus.open(herds, retrieval);
      expect(corpus.hasLsa).toBe(true);
      const found = await corpus.search('aurochs', 40);
      expect(found.filter(({ lexicalScore }) => lexicalScore > 0)).toHaveLength(23);
      // How well it does this: test/retrieval.
      expect(found.length).toBeGreaterThan(23);
      expect(await new Corpus(herds).search('aurochs', 40)).toHaveLength(23);
    });

    it('restricted: BM25 first, LSA when it is computed anew, and the same as opened anew', async () => {
      const corpus = await Corpus.open(herds, retrieval);
      const restricted = await corpus.restrictedTo(allowed);
      expect(restricted.hasLsa).toBe(false);
      expect((await restricted.search('aurochs', 40)).length).toBeGreaterThan(10);
      await restricted.fitted;
      expect(restricted.hasLsa).toBe(true);
      const anew = await Corpus.open(
        herds.filter(({ contributionId }) => allowed.has(contributionId)),
        retrieval,
      );
      expect(Buffer.from(restricted.indexBytes).equals(anew.indexBytes)).toBe(true);
    });

    it('restricted twice: what the first computes ends with it', async () => {
      const aborted: boolean[] = [];
      const process = new IndexProcess();
      const maker: IndexMaker = {
        ...calling(process),
        fit: (matrix, signal) => {
          signal.addEventListener('abort', () => aborted.push(true));
          return process.fit(matrix, signal);
        },
      };
      const more = herds.map((one, i) => ({ ...one, document: text(`Rope number${i} on the quay.`) }));
      const once = await (await Corpus.open([...herds, ...more], { maker })).restrictedTo(allowed);
      const twice = await once.restrictedTo(new Set([id('a')]));
      expect(aborted).toEqual([true]);
      await Promise.all([once.fitted, twice.fitted]);
      expect([once.hasLsa, twice.hasLsa]).toEqual([false, true]);
    });

    it('from what was kept, also with some more and some fewer documents', async () => {
      // So few that no thread is started for them.
      const all = herds.slice(0, 60);
      const kept = all.slice(0, 50);
      const bytes = (await Corpus.open(kept, retrieval)).indexBytes;
      let made = 0;
      const counting: Retrieval = {
        maker: {
          ...calling(retrieval.maker),
          make: async () => ((made += 1), Promise.reject(new Error())),
          fit: async () => ((made += 1), null),
        },
      };
      const same = await Corpus.open(kept, counting, { documents: kept, bytes });
      const more = await Corpus.open(all, counting, { documents: kept, bytes });
      expect([same.hasLsa, more.hasLsa, made]).toEqual([true, true, 0]);
      expect(Buffer.from(same.indexBytes).equals(bytes)).toBe(true);
      const anew = await Corpus.open(all, retrieval);
      expect(more.index.matrix).toEqual(anew.index.matrix);
      const fewer = await Corpus.open(all.slice(9), retrieval, { documents: kept, bytes });
      expect(fewer.index.matrix).toEqual((await Corpus.open(all.slice(9), retrieval)).index.matrix);
      expect(fewer.hasLsa).toBe(true);
      for (const wrong of [bytes.subarray(1), bytes.subarray(0, -1), new Uint8Array()]) {
        const corpus = await Corpus.open(kept, retrieval, { documents: kept, bytes: wrong });
        expect(Buffer.from(corpus.indexBytes).equals(bytes)).toBe(true);
      }
      const ofOthers = await Corpus.open(all, retrieval, { documents: all, bytes });
      expect(ofOthers.index.matrix).toEqual(anew.index.matrix);
    });

    describe('and an embedder', () => {
      const some = herds.slice(0, 30);
      const asked: string[][] = [];
      let isAway = false;
      /** Sea or land: no more does it know. */
      const embedder: Embedder = {
        modelHash: 'aa'.repeat(32),
        embed: async (texts) => {
          if (isAway) throw new Error('away');
          asked.push([...texts]);
          return texts.map((each) => (/mast|ship/.test(each) ? Float32Array.of(0, 1) : Float32Array.of(1, 0)));
        },
      };
      const withVectors: Retrieval = { ...retrieval, embedder };
      beforeEach(() => {
        asked.length = 0;
        isAway = false;
      });

      it('finds by meaning what shares no word and keeps no company', async () => {
        const corpus = await Corpus.open(some, withVectors);
        expect(asked.flat()).toHaveLength(30);
        const found = await corpus.search('ships', 15);
        expect(found).toHaveLength(15);
        expect(found.every(({ passage }) => passage.text.includes('mast'))).toBe(true);
        expect(asked.at(-1)).toEqual(['ships']);
      });

      it('asks it for new passages only, and for all where it is another model', async () => {
        const kept = some.slice(0, 26);
        const bytes = (await Corpus.open(kept, withVectors)).indexBytes;
        asked.length = 0;
        const more = await Corpus.open(some, withVectors, { documents: kept, bytes });
        expect(asked.flat()).toHaveLength(4);
        expect(Buffer.from(more.indexBytes).equals((await Corpus.open(some, withVectors)).indexBytes)).toBe(false);
        expect(await more.search('ships', 15)).toHaveLength(15);
        asked.length = 0;
        const other = { ...embedder, modelHash: 'bb'.repeat(32) };
        await Corpus.open(kept, { ...retrieval, embedder: other }, { documents: kept, bytes });
        expect(asked.flat()).toHaveLength(26);
        // Without one, vectors are not used.
        expect(await (await Corpus.open(kept, retrieval, { documents: kept, bytes })).search('ships', 15)).toEqual([]);
      });

      it('refuses vectors of two widths, which its answers have one by one', async () => {
        let width = 1;
        const growing = { ...embedder, embed: async (texts: readonly string[]) => (width++, texts.map(() => new Float32Array(width).fill(1))) }; // prettier-ignore
        await expect(Corpus.open(herds, { ...retrieval, embedder: growing })).rejects.toMatchObject({
          code: 'UPSTREAM_INVALID',
          details: { field: 'dimensions' },
        });
      });

      it('restricted: no vector of what is gone, and none asked for again', async () => {
        const corpus = await Corpus.open(some, withVectors);
        asked.length = 0;
        const restricted = await corpus.restrictedTo(allowed);
        const found = await restricted.search('ships', 15);
        expect(found.map(({ passage }) => passage.sources[0]!.contributionId)).not.toContain(id('c'));
        expect(found).toHaveLength(10);
        await restricted.fitted;
        expect(asked).toEqual([['ships']]);
      });

      it('that is away or answers with another width: refused, not left out in silence', async () => {
        const corpus = await Corpus.open(some, withVectors);
        isAway = true;
        await expect(corpus.search('ships', 5)).rejects.toThrow('away');
        await expect(Corpus.open(some, withVectors)).rejects.toThrow('away');
        isAway = false;
        const changed = { ...embedder, embed: async () => [Float32Array.of(1, 2, 3)] };
        const bytes = corpus.indexBytes;
        const strange = await Corpus.open(some, { ...retrieval, embedder: changed }, { documents: some, bytes });
        await expect(strange.search('ships', 5)).rejects.toMatchObject({ code: 'UPSTREAM_INVALID' });
      });
    });

    describe('and an embedder, above the size of exact search', () => {
      const some = herds.slice(0, 70);
      const embedder: Embedder = {
        modelHash: 'aa'.repeat(32),
        embed: async (texts) =>
          texts.map((each) => Float32Array.from({ length: 8 }, (_, i) => Math.sin(each.length * (i + 1)) + i / 9)),
      };
      const graphOf = (corpus: Corpus) => decodeIndex(corpus.indexBytes)!.dense!.graph;
      const thread = new IndexProcess();
      let size: jest.SpiedGetter<boolean>;
      beforeEach(() => {
        size = jest.spyOn(DenseIndex.prototype, 'wantsGraph', 'get').mockReturnValue(true);
      });
      afterEach(() => size.mockRestore());

      it('has their graph made in a thread, after it was opened, as it is made anywhere', async () => {
        const corpus = await Corpus.open(some, { maker: thread, embedder });
        expect(graphOf(corpus)).toBeNull();
        expect(await corpus.linked).toBe(true);
        const { dense } = decodeIndex(corpus.indexBytes)!;
        expect(dense!.graph).toEqual(new DenseIndex('', 8, dense!.vectors).linked().graph);
        // A third of it has left: it is made anew.
        const restricted = await corpus.restrictedTo(allowed);
        expect(graphOf(restricted)).toBeNull();
        expect(await restricted.linked).toBe(true);
        expect(graphOf(restricted)!.count).toBe(restricted.passages.length);
      });

      it('goes on without where it cannot be made, or nobody wants it any more', async () => {
        const maker: IndexMaker = {
          ...calling(thread),
          link: () => Promise.reject(new Error('too large')),
        };
        const without = await Corpus.open(some, { maker, embedder });
        expect(await without.linked).toBe(false);
        expect(await without.search('herd', 5)).toHaveLength(5);
        const closed = await Corpus.open(some, { maker: thread, embedder });
        closed.close();
        expect(await closed.linked).toBe(false);
        expect(graphOf(closed)).toBeNull();
        size.mockReturnValue(false);
        expect(await (await Corpus.open(some, { maker: thread, embedder })).linked).toBe(false);
      });
    });

    it('has the first ones put in order by a reranker, where there is one', async () => {
      const some = herds.slice(0, 30);
      let given = 0;
      // The highest number first.
      const reranker: Reranker = {
        rerank: async (_question, texts) => {
          given = texts.length;
          return texts.map((each) => (each.includes('herd') ? Number(/note(\d+)/.exec(each)![1]) : -1));
        },
      };
      const plain = await (await Corpus.open(some, retrieval)).search('herd', 32);
      const corpus = await Corpus.open(some, { ...retrieval, reranker });
      const found = await corpus.search('herd', 5);
      expect(given).toBe(plain.length);
      expect(found.map(({ passage }) => /note\d+/.exec(passage.text)![0])).toEqual(['note28', 'note26', 'note24', 'note22', 'note20']); // prettier-ignore
      expect(found.map(({ score }) => score)).toEqual(plain.slice(0, 5).map(({ score }) => score));
    });

    it('gives models that search no words of a passage that only their tokenizers know', async () => {
      const read: string[] = [];
      const remember = (texts: readonly string[]): readonly string[] => (read.push(...texts), texts);
      const embedder: Embedder = {
        modelHash: 'aa'.repeat(32),
        embed: async (texts) => remember(texts).map(() => Float32Array.of(1)),
      };
      const reranker: Reranker = { rerank: async (_question, texts) => remember(texts).map(() => 0) };
      const said = ['Wax. [SEP] wax? [CLS] Yes.', '[SEP]'].map((words, i) => {
        return { contributionId: id(String(i)), fileName: 'a.txt', document: text(words) };
      });
      const corpus = await Corpus.open(said, { ...retrieval, embedder, reranker });
      await corpus.search('wax?', 5);
      expect(read).toEqual(['Wax.  wax?  Yes.', '-', 'wax?', 'Wax.  wax?  Yes.', '-']);
    });

    it('goes on with BM25 where the process ends over LSA alone, and is refused where it ends over the texts', async () => {
      const dies = () => Promise.reject(new Error('out of memory'));
      const { matrix } = new Corpus(herds).index;
      const halfMaker: IndexMaker = { make: async () => ({ matrix, lsa: null }), read: dies, fit: dies, link: dies };
      const corpus = await Corpus.open(herds, { maker: halfMaker });
      expect(corpus.hasLsa).toBe(false);
      expect(await corpus.search('aurochs', 40)).toHaveLength(23);
      const refused = { code: 'RUNNER_UNAVAILABLE', details: { reason: 'the index could not be made' } };
      await expect(Corpus.open(herds, { maker: { ...halfMaker, make: dies } })).rejects.toMatchObject(refused);
      // What is new beside a stored index is not read here either.
      const kept = { documents: herds.slice(1), bytes: new Corpus(herds.slice(1)).indexBytes };
      await expect(Corpus.open(herds, { maker: halfMaker }, kept)).rejects.toMatchObject(refused);
    });
  });

  // How fast it is: `npm run -s bench`.
  it('finds the one paragraph of 2,000 that has all the words', async () => {
    const vocabulary = Array.from({ length: 2_000 }, (_, i) => `w${i.toString(36)}q`);
    let state = 1;
    const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const paragraph = () =>
      Array.from({ length: 120 }, () => vocabulary[Math.floor(next() ** 3 * vocabulary.length)]).join(' ');
    const planted = `thermocouple calibration ${paragraph()}`;
    const paragraphs = Array.from({ length: 2_000 }, (_, i) => (i === 1_654 ? planted : paragraph()));
    const document = text(...paragraphs);
    const corpus = new Corpus([{ contributionId: id('a'), fileName: 'a.txt', document }]);
    expect(corpus.passages.length).toBe(2_000);
    const [first, second] = await corpus.search(`thermocouple ${vocabulary[0]} calibration`, 2);
    expect(first!.passage.text).toBe(planted);
    expect(first!.score).toBeGreaterThan(second!.score);
  });
});
