import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { Bm25Index } from './bm25.js';
import { decodeIndex, encodeIndex } from './codec/index-codec.js';
import { DenseIndex } from './dense.js';
import { LsaIndex } from './lsa/lsa-index.js';
import { RetrievalIndex } from './retrieval-index.js';

/** Two subjects with words of their own; "aurochs" and "bison" never stand in one passage, but in one company. */
const TEXTS = Array.from({ length: 40 }, (_, i) => {
  const [animals, ships] = ['grass herd horns pasture graze', 'harbour mast sail cargo anchor'];
  if (i % 2 === 1) return `${ships} ${i % 3 === 0 ? 'schooner' : 'ketch'} note${i}`;
  return `${animals} ${i % 4 === 0 ? 'aurochs' : 'bison'} note${i}`;
});
const DENSE = DenseIndex.of(
  'aa'.repeat(32),
  TEXTS.map((_, i) => Float32Array.of(Math.cos(i), Math.sin(i), 1)),
);
const indexOf = (texts: readonly string[]): RetrievalIndex => {
  const index = RetrievalIndex.of(texts);
  return index.with({ lsa: LsaIndex.fit(index.bm25.matrix) });
};
const whole = indexOf(TEXTS).with({ dense: DENSE });
const vector = Float32Array.of(1, 0, 1);

describe('LSA', () => {
  it('finds passages by the company of a word, without the word, before all others', () => {
    const hits = LsaIndex.fit(whole.bm25.matrix, { dimensions: 2 })!.search(['auroch'], 20);
    expect(hits).toHaveLength(20);
    expect(hits.every(({ passage }) => passage % 2 === 0)).toBe(true);
    expect(hits.some(({ passage }) => TEXTS[passage]!.includes('bison'))).toBe(true);
    expect(whole.bm25.search(['auroch'], 40)).toHaveLength(10);
  });

  it('is the same each time, and another from another seed', () => {
    expect(LsaIndex.fit(whole.bm25.matrix)).toEqual(whole.lsa);
    expect(LsaIndex.fit(whole.bm25.matrix, { seed: 5 })!.passages.values).not.toEqual(whole.lsa!.passages.values);
  });

  it('has cosines: 1 for a passage whose words are the question, none above', () => {
    const own = whole.lsa!.search(['grass', 'herd', 'horn', 'pasture', 'graze', 'bison', 'note2'], 1)[0]!;
    expect(own.passage).toBe(2);
    expect(own.score).toBeGreaterThan(0.97);
    expect(own.score).toBeLessThan(1.01);
  });

  it('knows nothing of unknown words, and is not made of a handful of passages', () => {
    expect(whole.lsa!.search(['zeppelin'], 5)).toEqual([]);
    expect(LsaIndex.fit(Bm25Index.of(TEXTS.slice(0, 15)).matrix)).toBeNull();
    expect(LsaIndex.fit(Bm25Index.of(TEXTS.map(() => '')).matrix)).toBeNull();
    expect(indexOf(TEXTS.map(() => 'the of')).search({ terms: ['grass'] }, 5)).toEqual([]);
    // So many words, each of which stands once, that none of them is in the sample.
    const madeUp = TEXTS.map((_, i) => Array.from({ length: 1_001 }, (__, j) => `q${i * 1_001 + j}z`).join(' '));
    expect(LsaIndex.fit(Bm25Index.of(madeUp).matrix)).toBeNull();
  });
});

describe('a patched index', () => {
  const all = TEXTS.map((_, i) => i);

  it('of nothing has nothing, is read again, and takes what comes', () => {
    const nothing = whole.patched([]);
    expect([nothing.size, nothing.lsa, nothing.dense]).toEqual([0, null, null]);
    expect(
      decodeIndex(encodeIndex(nothing))!
        .patched(['bison'])
        .search({ terms: ['bison'] }, 5),
    ).toHaveLength(1);
  });

  it('has new passages folded into LSA where the words lead', () => {
    const patched = whole.patched([...all.slice(0, 20), 'A bison stands in the grass.', ...all.slice(20)]);
    expect(patched.size).toBe(41);
    const { passage, score } = patched.lsa!.search(['bison', 'grass'], 1)[0]!;
    expect([passage, score > 0.9]).toEqual([20, true]);
    expect(patched.lsa!.search(['mast'], 15).map((hit) => hit.passage)).not.toContain(20);
    // Only the embedder can say where the text lies.
    expect(patched.dense!.missing).toEqual([20]);
    expect(patched.dense!.search(vector, 41).map((hit) => hit.passage)).not.toContain(20);
    const filled = patched.dense!.filled([20], [Float32Array.of(5, 0, 5)]);
    expect(filled.missing).toEqual([]);
    expect(filled.search(vector, 2).map((hit) => hit.passage)).toEqual([0, 20]);
    expect(() => patched.dense!.filled([20], [Float32Array.of(1)])).toThrow(RangeError);
  });

  it('without a passage has no LSA: the basis holds something of it', () => {
    const patched = whole.patched(all.filter((i) => i !== 7));
    expect(patched.lsa).toBeNull();
    expect(patched.dense!.vectors).toEqual(DENSE.vectors.filter((_, i) => Math.floor(i / 3) !== 7));
    expect(encodeIndex(patched)).toEqual(
      encodeIndex(RetrievalIndex.of(TEXTS.filter((_, i) => i !== 7)).with({ dense: patched.dense })),
    );
  });

  it('has no LSA either once more than a quarter is new', () => {
    const news = (count: number) => Array.from({ length: count }, (_, i) => `sail ${i}`);
    expect(whole.patched([...all, ...news(10)]).lsa).not.toBeNull();
    expect(whole.patched([...all, ...news(11)]).lsa).toBeNull();
  });
});

describe('a search', () => {
  it('fuses by places; each found passage says its BM25 score', () => {
    const terms = ['auroch'];
    const [bm25, lsa] = [whole.bm25.search(terms, 100), whole.lsa!.search(terms, 100)];
    const place = (hits: typeof bm25, passage: number) => 60 + 1 + hits.findIndex((hit) => hit.passage === passage);
    const hits = whole.search({ terms }, 40, { weights: { bm25: 1, lsa: 0.5, dense: 0 } });
    expect(hits.length).toBeGreaterThan(10);
    for (const { passage, score, lexicalScore } of hits) {
      const lexical = bm25.find((hit) => hit.passage === passage);
      expect(lexicalScore).toBe(lexical?.score ?? 0);
      expect(score).toBeCloseTo((lexical ? 1 / place(bm25, passage) : 0) + 0.5 / place(lsa, passage), 12);
    }
  });

  it('takes vectors by cosine', () => {
    const expected = TEXTS.map((_, i) => (Math.cos(i) + 1) / 2);
    const hits = whole.dense!.search(vector, 5);
    for (const { passage, score } of hits) expect(score).toBeCloseTo(expected[passage]!, 6);
    expect(hits[0]!.passage).toBe(expected.indexOf(Math.max(...expected)));
    const only = whole.search({ terms: [], vector }, 5, { weights: { bm25: 1, lsa: 1, dense: 1 } });
    expect(only.map(({ passage }) => passage)).toEqual(hits.map(({ passage }) => passage));
    expect(() => whole.dense!.search(Float32Array.of(1, 2), 5)).toThrow(RangeError);
    expect(() => DenseIndex.of('', [Float32Array.of(1, NaN)])).toThrow(RangeError);
  });

  it('never scores what is not accepted', () => {
    const accepts = (passage: number): boolean => passage % 5 === 0;
    const posting = jest.spyOn(Bm25Index.prototype, 'partOfScore');
    const latent = jest.spyOn(LsaIndex.prototype, 'score');
    const dense = jest.spyOn(DenseIndex.prototype, 'score');
    try {
      const hits = whole.search({ terms: ['grass', 'sail'], vector }, 40, { accepts });
      expect(hits.map(({ passage }) => passage).sort((a, b) => a - b)).toEqual([0, 5, 10, 15, 20, 25, 30, 35]);
      const scored = [
        posting.mock.calls.map(([i]) => whole.bm25.matrix.passages[i]!),
        latent.mock.calls.map(([passage]) => passage),
        dense.mock.calls.map(([passage]) => passage),
      ];
      for (const passages of scored) {
        expect(passages).toHaveLength(8);
        expect(passages.every(accepts)).toBe(true);
      }
    } finally {
      jest.restoreAllMocks();
    }
  });

  it('asks once about each passage', () => {
    const asked: number[] = [];
    whole.search({ terms: ['grass', 'herd', 'sail'], vector }, 5, { accepts: (p) => asked.push(p) > 0 });
    expect(asked.length).toBe(new Set(asked).size);
  });
});

describe('the index as bytes', () => {
  const bytes = encodeIndex(whole);

  it('comes back as it was', () => {
    const back = decodeIndex(bytes)!;
    expect(back.bm25.matrix).toEqual(whole.bm25.matrix);
    expect(back.lsa).toEqual(whole.lsa);
    expect(back.dense).toEqual(whole.dense);
    const query = { terms: ['bison', 'sail'], vector };
    expect(back.search(query, 40)).toEqual(whole.search(query, 40));
    for (const texts of [[], [''], ['wax']]) {
      expect(decodeIndex(encodeIndex(RetrievalIndex.of(texts)))!.bm25.matrix).toEqual(Bm25Index.of(texts).matrix);
    }
  });

  it('says the same in the same bytes: a patched index without its LSA and one built anew', () => {
    const patched = indexOf(TEXTS).patched([3, 'wax comb', 1]);
    expect(encodeIndex(patched)).toEqual(encodeIndex(RetrievalIndex.of([TEXTS[3]!, 'wax comb', TEXTS[1]!])));
  });

  it('cut, changed, inserted into or made up: refused, or another index of exactly these bytes', () => {
    const change = fc.record({
      at: fc.nat(bytes.length - 1),
      cut: fc.nat(3),
      put: fc.uint8Array({ maxLength: 3 }),
    });
    const changed = fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) =>
      changes.reduce<Uint8Array>((now, { at, cut, put }) => {
        const from = Math.min(at, now.length);
        return Uint8Array.from([...now.subarray(0, from), ...put, ...now.subarray(from + cut)]);
      }, bytes),
    );
    const headed = fc.uint8Array({ maxLength: 60 }).map((rest) => Uint8Array.of(0x55, 0x46, 0x52, 0x58, 2, ...rest));
    const anyBytes = fc.oneof(changed, headed, fc.uint8Array({ maxLength: 40 }), fc.nat(bytes.length - 1).map((end) => bytes.subarray(0, end))); // prettier-ignore
    fc.assert(
      fc.property(anyBytes, (hostile) => {
        const index = decodeIndex(hostile);
        if (index === null) return;
        expect(encodeIndex(index)).toEqual(Uint8Array.from(hostile));
        index.search({ terms: ['grass', 'sail'] }, 5);
      }),
      { numRuns: 1_000 },
    );
  });

  it('with huge counts takes no memory for them', () => {
    // 2³² - 1 terms, postings, or passages that are not there.
    const huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
    for (const rest of [huge, [1, ...huge], [1, 0, ...huge], [0, 0, 0, 1, 0, ...huge]]) {
      expect(decodeIndex(Uint8Array.of(0x55, 0x46, 0x52, 0x58, 2, ...rest))).toBeNull();
    }
  });

  it('refuses parts of different passages', () => {
    expect(() => RetrievalIndex.of(['wax']).with({ dense: DENSE })).toThrow(RangeError);
  });
});
