import { describe, expect, it } from '@jest/globals';
import { concatBytes, systemRandom, u32le, utf8, type ContributionId } from '@usufruct/kernel';
import { encodeLeasedKey, TAGS } from '@usufruct/protocol';
import { idOf } from '@usufruct/testing';
import fc from 'fast-check';
import {
  Corpus,
  IndexProcess,
  ingestDocument,
  SKETCH_SIZE,
  type CorpusDocument,
  type IngestedChunk,
} from '../rag/index.js';
import { indexHeader, openIndex, sealIndex, type IndexContents } from './index-file.js';
import { sealFile, splitFile } from './sealed-file.js';

const MEASUREMENT = 'ab'.repeat(48);
const secret = new Uint8Array(32).fill(1);
const statement = encodeLeasedKey({
  chainId: 'local:test',
  packageId: idOf('package'),
  daoId: idOf('dao'),
  datasetId: idOf('dataset'),
  holderSetId: idOf('set'),
  holderSetVersion: 1,
  keyKind: 'index',
  jobId: idOf('job'),
  purpose: 'DUO:0000042',
  kind: 'rag',
  protection: 'tee',
  pricePerQuestionUnits: 7n as never,
  grantSetVersion: idOf('version'),
  expiresAtMs: 8 as never,
  commitments: [new Uint8Array(32).fill(9)],
  keyCommitment: idOf('commitment'),
});
const whole = async (source: AsyncIterable<Uint8Array>): Promise<Uint8Array> => {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return concatBytes(...parts);
};
const sealed = (contents: IndexContents) =>
  whole(sealIndex(contents, { statement, measurement: MEASUREMENT, secret }, systemRandom));
const contentsOf = (documents: readonly CorpusDocument[]): IndexContents => ({
  documents,
  unreadable: [{ contributionId: idOf<ContributionId>('broken'), code: 'FORMAT_BROKEN' }],
  sketchKey: new Uint8Array(8).fill(5),
});

const TWO = utf8(JSON.stringify({ documents: 2, unreadable: [], sketchKey: '05'.repeat(8), hasIndex: false }));

const anyText = fc.string({
  unit: fc.constantFrom('a', ' ', 'é', '蜂', '🐝', '\ud83d', '\u0000', '"', '\n'),
  maxLength: 40,
});
const anyChunk = fc.record({
  text: anyText,
  startChar: fc.nat(1_000),
  headings: fc.array(fc.constantFrom('One', 'Two', 'é'), { maxLength: 3 }),
  locator: anyText,
  place: fc.oneof(
    fc.constant({}),
    fc.record({ page: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ sheet: anyText, row: fc.integer({ min: 1, max: 9 }) }),
  ),
  language: fc.option(fc.constantFrom('en', 'de'), { nil: undefined }),
});
const anyDocument = fc
  .record({
    id: fc.nat(9),
    fileName: anyText,
    title: fc.option(anyText, { nil: undefined }),
    chunks: fc.array(anyChunk, { maxLength: 5 }),
  })
  .map(({ id, fileName, title, chunks }): CorpusDocument => ({
    contributionId: idOf<ContributionId>(`contribution ${id}`),
    fileName,
    document: {
      format: 'txt',
      metadata: { ...(title !== undefined && { title }) },
      chunks: chunks.map((chunk, ordinal): IngestedChunk => ({
        ...chunk,
        ordinal,
        endChar: chunk.startChar + chunk.text.length,
        sketch: new Uint32Array(SKETCH_SIZE).fill(ordinal + 1),
      })),
    },
  }));

describe('an index on the disk', () => {
  it('is what it was, whatever the documents are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyDocument, { maxLength: 4 }), async (documents) => {
        const file = splitFile(await sealed(contentsOf(documents)))!;
        expect(indexHeader(file, MEASUREMENT)?.key.grantSetVersion).toBe(idOf('version'));
        expect(await openIndex(file, secret)).toEqual(contentsOf(documents));
      }),
      { numRuns: 60 },
    );
  });

  it('brings the index of its documents along, where it was given one', async () => {
    const index = Uint8Array.of(1, 2, 3);
    const file = splitFile(await sealed({ ...contentsOf([]), index }))!;
    expect(await openIndex(file, secret)).toEqual({ ...contentsOf([]), index });
  });

  it('finds what one made anew finds, and knows the same duplicates', async () => {
    const words = fc.array(fc.constantFrom('kiln', 'loom', 'mast', 'nail', 'oven', 'wax', 'hive', 'comb', 'quay'), {
      minLength: 1,
      maxLength: 60,
    });
    const sketchKey = new Uint8Array(8).fill(5);
    await fc.assert(
      fc.asyncProperty(
        fc.array(words, { minLength: 1, maxLength: 6 }),
        fc.constantFrom('kiln', 'wax', 'quay'),
        async (texts, asked) => {
          const documents = await Promise.all(
            texts.map(async (text, i): Promise<CorpusDocument> => {
              const bytes = utf8(`# Part ${i % 2}\n\n${text.join(' ')}.`);
              const document = await ingestDocument({ fileName: 'a.md', bytes }, { sketchKey });
              return { contributionId: idOf<ContributionId>(`contribution ${i}`), fileName: 'a.md', document };
            }),
          );
          const stored = await openIndex(splitFile(await sealed(contentsOf(documents)))!, secret);
          const [anew, again] = [new Corpus(documents), new Corpus(stored.documents)];
          const found = async (corpus: Corpus) =>
            (await corpus.search(asked, 5)).map(({ score, passage }) => [
              score,
              passage.text,
              passage.sources.map((one) => [one.contributionId, one.chunk.locator]),
            ]);
          expect(await found(again)).toEqual(await found(anew));
          expect(again.nearDuplicates).toEqual(anew.nearDuplicates);
        },
      ),
      { numRuns: 8 },
    );
  });

  it('brings back what took seconds to work out: nobody is asked to do it again', async () => {
    const words = ['kiln', 'loom', 'mast', 'nail', 'oven', 'wax', 'hive', 'comb', 'quay', 'rope', 'sail', 'tide'];
    const paragraph = (_: unknown, i: number) =>
      `# Part ${i}\n\nNumber${i} ${Array.from({ length: 12 }, (__, j) => words[(i * 7 + j * j) % words.length]).join(' ')}.\n`;
    const bytes = utf8(Array.from({ length: 60 }, paragraph).join('\n'));
    const document = await ingestDocument({ fileName: 'a.md', bytes }, { sketchKey: new Uint8Array(8).fill(5) });
    const documents = [{ contributionId: idOf<ContributionId>('contribution'), fileName: 'a.md', document }];
    const anew = await Corpus.open(documents, { maker: new IndexProcess() });
    const file = await sealed({ ...contentsOf(documents), index: anew.indexBytes });
    const stored = await openIndex(splitFile(file)!, secret);
    const asked = () => Promise.reject(new Error('nobody asks'));
    const maker = { make: asked, read: asked, fit: asked, link: asked };
    const again = await Corpus.open(stored.documents, { maker }, { ...stored, bytes: stored.index! });
    expect([anew.hasLsa, again.hasLsa, again.indexBytes]).toEqual([true, true, anew.indexBytes]);
    const found = async (corpus: Corpus) =>
      (await corpus.search('rope and sail', 5)).map(({ score, passage }) => [score, passage.text]);
    expect(await found(again)).toEqual(await found(anew));
  });

  it('opens under no other key, and not where a single bit of it was changed, cut or added', async () => {
    const file = await sealed(contentsOf([]));
    const opens = async (bytes: Uint8Array, key = secret) => {
      const split = splitFile(bytes);
      if (split === null) return false;
      return openIndex(split, key).then(
        () => true,
        () => false,
      );
    };
    expect(await opens(file)).toBe(true);
    expect(await opens(file, new Uint8Array(32).fill(2))).toBe(false);
    expect(await opens(Uint8Array.of(...file, 0))).toBe(false);
    for (let at = 0; at < file.length; at += at < 100 ? 1 : 7) {
      const bent = Uint8Array.from(file);
      bent[at]! ^= 1 << (at % 8);
      expect([at, await opens(bent)]).toEqual([at, false]);
      if (at % 5 === 0) expect([at, await opens(file.slice(0, at))]).toEqual([at, false]);
    }
  });

  it('shows nothing of what is in it', async () => {
    const chunk: IngestedChunk = {
      ordinal: 0,
      text: 'seventeen amber lanterns',
      startChar: 0,
      endChar: 24,
      headings: ['seventeen amber lanterns'],
      locator: '',
      place: {},
      language: 'en',
      sketch: new Uint32Array(SKETCH_SIZE),
    };
    const contributionId = idOf<ContributionId>('contribution');
    const document = { format: 'txt' as const, metadata: { title: 'seventeen amber lanterns' }, chunks: [chunk] };
    const file = await sealed(contentsOf([{ contributionId, fileName: 'seventeen amber lanterns.txt', document }]));
    expect(Buffer.from(file).includes('amber')).toBe(false);
    expect(Buffer.from(file).includes(contributionId.slice(2))).toBe(false);
  });

  it.each<[string, string, Record<string, unknown>]>([
    ['another format', MEASUREMENT, { format: 99 }],
    ['other code', 'cd'.repeat(48), {}],
    ['a field more', MEASUREMENT, { extra: 1 }],
    ['no statement', MEASUREMENT, { statement: 'AAAA' }],
  ])('is not read where its header is of %s', async (_what, measurement, changes) => {
    const file = await sealed(contentsOf([]));
    const { header, envelope } = splitFile(file)!;
    const parsed = JSON.parse(Buffer.from(header).toString()) as object;
    expect(indexHeader({ header, envelope }, MEASUREMENT)).not.toBeNull();
    expect(indexHeader({ header: utf8(JSON.stringify({ ...parsed, ...changes })), envelope }, measurement)).toBeNull();
  });

  it.each([
    [new Uint8Array()],
    [Uint8Array.of(1, 0)],
    [Uint8Array.of(255, 255, 255, 255, 0)],
    [Uint8Array.of(9, 0, 0, 0, 1)],
  ])('is none where there are no such bytes: %s', (bytes) => {
    const file = splitFile(bytes);
    expect(file === null || indexHeader(file, MEASUREMENT) === null).toBe(true);
  });

  it.each<[string, Uint8Array[]]>([
    ['a record that says that it is longer', [Uint8Array.of(255, 255, 255, 255), utf8('{}')]],
    ['what is no JSON', [Uint8Array.of(1, 0, 0, 0), utf8('{')]],
    ['fewer documents than it says', [u32le(TWO.length), TWO]],
  ])('throws for %s, authentic as it is', async (_what, plaintext) => {
    const source = async function* () {
      yield* plaintext;
    };
    const key = { domainTag: TAGS.storedIndex, secret };
    const file = splitFile(await whole(sealFile(utf8('{}'), key, source(), systemRandom)))!;
    await expect(openIndex(file, secret)).rejects.toThrow();
  });
});
