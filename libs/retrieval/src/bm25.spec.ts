import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Bm25Index } from './bm25.js';
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
    // Thai puts spaces between sentences at most.
    ['ผึ้ง'.repeat(20), Array.from({ length: 79 }, (_, i) => 'ผึ้งผึ้ง'.slice(i % 4, (i % 4) + 2))],
    ['蜂'.repeat(100), Array.from({ length: 99 }, () => '蜂蜂')],
    ['x'.repeat(65), []],
    ['what is the', []],
  ])('%j', (text, expected) => expect(termsOf(text)).toEqual(expected));
});

describe('BM25', () => {
  it('scores as the formula says', () => {
    // 3 passages of 3, 1 and 2 terms: average 2. "wax" is in two of them: idf = ln(1 + 1.5/2.5) = 0.470004.
    // Passage 0: tf 2, length 3: 0.470004 · 2·2.2 / (2 + 1.2·(0.25 + 0.75·1.5)) = 2.068016 / 3.65 = 0.566580.
    // Passage 2: tf 1, length 2: 0.470004 · 2.2 / (1 + 1.2) = 0.470004.
    const index = Bm25Index.of(['wax wax comb', 'honey', 'wax hive']);
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
          const hits = Bm25Index.of(texts.map((words) => words.join(' '))).search(query, limit);
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
    expect(Bm25Index.of([]).search(['wax'], 3)).toEqual([]);
    expect(Bm25Index.of(['wax']).search(['kiln'], 3)).toEqual([]);
  });
});
