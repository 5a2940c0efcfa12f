import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { STRANGE_WORDS } from './scattered.js';
import { fold } from './folded.js';
import { joined, longestRun, seedLetters, verbatimSpans, wholeOf, type Span } from './verbatim.js';

const SOURCE =
  'Colonies need about 20 kg of stores to survive. Sugar syrup is fed in September, at three parts sugar to two of water. Fondant is placed above the cluster in February.';
const spansIn = (shown: string, source = SOURCE): Span[] => joined(verbatimSpans([fold(source)], fold(shown), 12)![0]!);
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

  it('is not looked for in the same letters again and again, for comparing them would take minutes', () => {
    const [again, bees] = [fold(`${'ab'.repeat(100_000)}!`), fold('There are bees.')];
    expect(verbatimSpans([again, bees], again, 12)).toBeNull();
    expect(wholeOf(again)).toEqual([{ start: 0, end: 200_000 }]);
  });

  it('is all of a text in itself, and never more than the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.string({ maxLength: 50 }), (text, other) => {
        const folded = fold(text);
        expect(folded.starts).toHaveLength(folded.letters.length);
        const own = verbatimSpans([folded], folded, 4)![0]!;
        if (folded.letters.length >= 4) {
          expect(own).toEqual([{ start: folded.starts[0], end: folded.ends.at(-1) }]);
        }
        for (const { start, end } of verbatimSpans([folded], fold(other), 4)![0]!) {
          expect(0 <= start && start < end && end <= text.length).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('a quotation with words put between its own', () => {
  const quoted = 'Sugar syrup is fed in September, at three parts sugar to two of water';
  const words = quoted.split(' ');
  const between = (filler: (i: number) => string): string => words.map((word, i) => `${word} ${filler(i)}`).join(' ');
  const decoys = SOURCE.split(' ');
  it.each<[string, string]>([
    ['one', between(() => 'zebra')],
    ['others each time', between((i) => `zebra${i} and${i * 7}`)],
    ['as many as may be', between((i) => `${i} a b c d e f g`)],
    ['numbers', between((i) => `[${i}] 12.5`)],
    ['commas and capitals as well', between(() => ', ZEBRA;').toUpperCase()],
    ['words of the quotation', between(() => 'sugar two')],
    ['words that stand before and after it', between((i) => `${decoys[i]} ${decoys.at(-1 - i)}`)],
    ['its own words, the last one first', between((i) => words.at(-1 - i)!)],
    ['its next word but one', between((i) => words[i + 2] ?? '')],
    ['every fifth word left out as well', between(() => 'zebra').replaceAll(/((?:\S+ zebra ){4})\S+ zebra /g, '$1')],
  ])('is one: %s', (_what, shown) => {
    expect(longestRun(spansIn(shown), [])).toBeGreaterThanOrEqual(quoted.length - 'to two of water'.length);
  });

  it('is one where words have no spaces between them', () => {
    const chinese = '蜂群需要约二十公斤的储备才能过冬。九月喂糖浆，三份糖兑两份水。';
    const shown = [...'九月喂糖浆三份糖兑两份水'].join('马');
    expect(textsIn(shown, chinese)).toEqual(['九月喂糖浆，三份糖兑两份水']);
  });

  it.each([
    'To survive, colonies have to have stores of about 20 kg.',
    'In September the colonies are given syrup: of sugar there are three parts, of water two.',
    'The syrup for September is three parts of sugar and two parts of water.',
    'Fondant goes above the cluster; that is done in February, and syrup is for September.',
    'They need stores to survive the winter, and of these about 20 kg.',
    'Is sugar fed in water? In September it is: the syrup is at three to two.',
  ])('is not what is said in other words: %s', (said) => {
    expect(longestRun(spansIn(said), [])).toBeLessThan(40);
  });

  it('is not one word that a source has again and again', () => {
    expect(spansIn('It says: once more, and that is all.', 'Once more, more, more, more, more, more.')).toEqual([]);
  });

  it('is not what a longer piece shows from somewhere else', () => {
    const text = 'A red house stands at the end of the road. Red paint stands at both the ends of all the roads.';
    expect(textsIn('Red paint stands at both the ends of all the roads', text)).toEqual([
      'Red paint stands at both the ends of all the roads',
    ]);
  });

  it('is found, whatever stands around and in between', () => {
    const word = fc.constantFrom('bee', 'hive', 'wax', 'queen', 'of', 'the');
    const some = (maxLength: number) => fc.array(word, { maxLength });
    fc.assert(
      fc.property(
        some(30),
        fc.array(word, { minLength: 6, maxLength: 20 }),
        some(30),
        fc.array(some(STRANGE_WORDS), { minLength: 20, maxLength: 20 }),
        (before, own, after, fillers) => {
          const source = fold([...before, ...own, ...after].join(' '));
          const shown = fold(own.flatMap((one, i) => [one, ...fillers[i]!]).join(' '));
          const spans = verbatimSpans([source], shown, 12)![0]!;
          expect(longestRun(spans, [])).toBeGreaterThanOrEqual(own.join('').length);
        },
      ),
      { numRuns: 300 },
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
