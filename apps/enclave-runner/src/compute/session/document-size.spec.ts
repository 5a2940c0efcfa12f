import { describe, expect, it } from '@jest/globals';
import { termsOf } from '@usufruct/retrieval';
import fc from 'fast-check';
import { mostTerms, sizeOf } from './document-size.js';

describe('the most terms of a text', () => {
  it.each([
    ['', 0],
    ['The loom stands, in the mill.', 6],
    ['ab.cd—ef', 3],
    ['蜂蜜の味', 4],
    // One Han character makes pairs of the word that it stands in.
    ['abcdefgh蜂', 9],
    ['ﷺ蜂', 19],
    ['𠀀', 2],
  ])('%j: %i', (text, expected) => expect(mostTerms(text)).toBe(expected));

  it('are never fewer than it has', () => {
    const units = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
    const some = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.oneof(units, fc.constantFrom('ำ', '蜂', 'ﷺ', 'İ', 'x', '1', '.', '’', '¼', 'ﾊﾟ', ' ')))
        .map((all) => all.join('')),
    );
    fc.assert(
      fc.property(some, (text) => expect(mostTerms(text)).toBeGreaterThanOrEqual(termsOf(text).length)),
      { numRuns: 2_000 },
    );
  });

  it('of two million letters, each a word or none, are counted in one go', () => {
    expect(mostTerms('a '.repeat(1_000_000))).toBe(1_000_000);
  });
});

describe('the size of a document', () => {
  const chunk = (text: string, headings: readonly string[] = []) => ({
    ordinal: 0,
    text,
    startChar: 0,
    endChar: text.length,
    headings,
    locator: '',
    place: {},
    language: undefined,
    sketch: new Uint32Array(),
  });

  it('is of chunks, characters and words, headings again for each chunk below them', () => {
    expect(sizeOf({ format: 'txt', metadata: {}, chunks: [] })).toBe(0);
    const headings = ['Kilns', 'of lime'];
    const chunks = [chunk('burn hot', headings), chunk('ab', headings)];
    // 13 characters above, three words; 8 and 2 characters below, three words.
    expect(sizeOf({ format: 'md', metadata: {}, chunks })).toBe(
      2 * 1_500 + 2 * (2 * 13 + 8 + 2) + 20 * (2 * 3 + 2 + 1),
    );
  });
});
