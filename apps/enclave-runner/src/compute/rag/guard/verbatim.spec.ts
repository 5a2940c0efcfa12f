import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fold, joined, longestRun, seedLetters, verbatimSpans, type Span } from './verbatim.js';

const SOURCE =
  'Colonies need about 20 kg of stores to survive. Sugar syrup is fed in September, at three parts sugar to two of water. Fondant is placed above the cluster in February.';
const spansIn = (shown: string, source = SOURCE): Span[] => joined(verbatimSpans([fold(source)], fold(shown), 12)[0]!);
const textsIn = (shown: string, source = SOURCE): string[] =>
  spansIn(shown, source).map(({ start, end }) => source.slice(start, end));

describe('what stands word for word in a source', () => {
  const sentence = 'Sugar syrup is fed in September, at three parts sugar to two of water';
  it.each([
    ['as it is', sentence],
    ['in capitals', sentence.toUpperCase()],
    ['with other white space', sentence.replaceAll(' ', ' \n\t ')],
    ['with no white space', sentence.replaceAll(' ', '')],
    ['with spaces in its words', [...sentence].join(' ')],
    ['with other punctuation', `«${sentence.replaceAll(/[ ,]/g, ' — ')}!»`],
    ['with marks that nobody sees', [...sentence].join('\u200b\u00ad')],
    ['with accents', sentence.replaceAll('a', 'á').replaceAll('u', 'ü')],
    ['in full-width letters', sentence.replaceAll('S', 'Ｓ').replaceAll('e', 'ｅ')],
    ['among other words', `It says: ${sentence}, and nothing else matters here.`],
  ])('is found %s', (_how, shown) => expect(textsIn(shown)).toEqual([sentence]));

  it('is one run where single words are changed, and several where it is said in other words', () => {
    const changed = sentence.replace('September', 'autumn').replace('sugar to', 'sucrose to');
    expect(joined(spansIn(changed))).toHaveLength(1);
    expect(longestRun(spansIn(changed), [])).toBeGreaterThan(60);
    expect(spansIn('In autumn they get syrup: for two of water, three of sugar.')).toEqual([]);
  });

  it('is the row of a table that is shown, and not what it has in common with all the others', () => {
    const row = (i: number): string => `Product: wax number ${i}; Region: Holstein; Price in euro: ${i},50`;
    const table = Array.from({ length: 20 }, (_, i) => row(i + 10)).join('\n');
    expect(textsIn(row(17), table)).toEqual([row(17)]);
    // What stands twice is shown in both places.
    expect(textsIn(row(17), `${row(17)}. Something else between them. ${row(17)}`)).toEqual([row(17), row(17)]);
  });

  it('is not what only a few letters have in common', () => {
    expect(spansIn('The colonies of the Romans were in Africa.')).toEqual([]);
    expect(seedLetters(10)).toBe(5);
    expect(seedLetters(1)).toBe(4);
  });

  it('is all of a text in itself, and never more than the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.string({ maxLength: 50 }), (text, other) => {
        const folded = fold(text);
        expect(folded.starts).toHaveLength(folded.letters.length);
        const own = verbatimSpans([folded], folded, 4)[0]!;
        if (folded.letters.length >= 4) {
          expect(own).toEqual([{ start: folded.starts[0], end: folded.ends.at(-1) }]);
        }
        for (const { start, end } of verbatimSpans([folded], fold(other), 4)[0]!) {
          expect(0 <= start && start < end && end <= text.length).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('the longest run', () => {
  const at = (start: number, end: number): Span => ({ start, end });
  it('takes what was shown before with it, where it touches', () => {
    expect(longestRun([at(100, 150)], [])).toBe(50);
    expect(longestRun([at(100, 150)], [at(150, 250), at(40, 95)])).toBe(210);
    expect(longestRun([at(100, 150)], [at(300, 900)])).toBe(50);
    expect(longestRun([], [at(300, 900)])).toBe(0);
  });
});
