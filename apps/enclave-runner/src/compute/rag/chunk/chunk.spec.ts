import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Block } from '../parse/types.js';
import { CHUNK_SIZE, chunkDocument, documentText, type BlockDocument } from './chunk.js';
import { sentenceRanges } from './sentences.js';

const sentencesOf = (text: string) => sentenceRanges(text).map(({ start, end }) => text.slice(start, end));
const block = (text: string, rest: Partial<Block> = {}): Block => ({ text, headings: [], ...rest });
const md = (...blocks: Block[]): BlockDocument => ({ blocks });
const words = (count: number, word = 'word') => Array.from({ length: count }, () => word).join(' ');
const countWords = (text: string) => text.split(/\s+/).length;

describe('sentences', () => {
  it.each([
    ['One. Two! Three?', ['One.', 'Two!', 'Three?']],
    [
      'Dr. Smith paid 3.50 euro, i.e. too much. Then he left.',
      ['Dr. Smith paid 3.50 euro, i.e. too much.', 'Then he left.'],
    ],
    ['J. R. Brown wrote it. Nobody read it.', ['J. R. Brown wrote it.', 'Nobody read it.']],
    ['She said “Stop.” He did.', ['She said “Stop.”', 'He did.']],
    ['wrapped by\nhand. Next\nline.', ['wrapped by\nhand.', 'Next\nline.']],
    ['Buy:\n- sugar\n- wax\n1. one', ['Buy:', '- sugar', '- wax', '1. one']],
    ['第一句。第二句！', ['第一句。', '第二句！']],
    ['no end', ['no end']],
    [' \n ', []],
  ])('%j', (text, expected) => expect(sentencesOf(text)).toEqual(expected));

  it('reads a long run of full stops in linear time', () => {
    const { user } = process.cpuUsage();
    expect(sentencesOf(`One${'.'.repeat(1_000_000)}two. Three`)).toHaveLength(2);
    // The square of it is 5 * 10^11 steps, minutes; a collector that runs meanwhile costs a few seconds.
    expect(process.cpuUsage().user - user).toBeLessThan(30_000_000);
  });

  it('loses and repeats nothing', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'B', '.', '!', ' ', '\n', '-', '"', '。'), maxLength: 80 }),
        (text) => {
          expect(sentencesOf(text).join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
        },
      ),
    );
  });
});

describe('chunks', () => {
  it('keeps small blocks of one place together and places apart', () => {
    const chunks = chunkDocument(
      md(block('a b', { headings: ['H'] }), block('c d', { headings: ['H'] }), block('e f', { headings: ['H', 'I'] })),
    );
    expect(chunks.map(({ text, locator, ordinal }) => [ordinal, locator, text])).toEqual([
      [0, 'H', 'a b\n\nc d'],
      [1, 'H › I', 'e f'],
    ]);
  });

  it('names pages and rows', () => {
    const pages = chunkDocument(md(block('one', { page: 1 }), block('two', { page: 2 })));
    expect(pages.map(({ locator }) => locator)).toEqual(['page 1', 'page 2']);
    const rows = chunkDocument(md(...Array.from({ length: 70 }, (_, i) => block('a: 1; b: 2', { row: i + 1 }))));
    // 4 words a row: 30 rows reach 120 words, which is enough.
    expect(rows.map(({ locator }) => locator)).toEqual(['rows 1–30', 'rows 31–60', 'rows 61–70']);
  });

  it('names slides, sheets, records and attachments, and keeps them for filters', () => {
    const places: [Partial<Block>, string][] = [
      [{ slide: 3, headings: ['Varroa'] }, 'slide 3'],
      [{ sheet: 'Yields', row: 7, headings: ['Yields'] }, 'Yields › row 7'],
      [{ record: 2 }, 'record 2'],
      [{ attachment: 'a.pdf', page: 4, headings: ['Subject', 'a.pdf'] }, 'a.pdf › page 4'],
      [{ attachment: 'n.csv', row: 1, headings: ['Subject', 'n.csv'] }, 'Subject › n.csv › row 1'],
    ];
    const chunks = chunkDocument(md(...places.map(([place]) => block('words', place))));
    expect(chunks.map(({ locator }) => locator)).toEqual(places.map(([, locator]) => locator));
    const { headings: _headings, ...place } = places[1]![0];
    expect(chunks[1]!.place).toEqual(place);
  });

  it('takes the language that the document declares where the text does not tell', () => {
    const chunks = chunkDocument({
      blocks: [block('The bees are in the hive and the queen is there.'), block('Honig: 5', { page: 2 })],
      metadata: { language: 'de' },
    });
    expect(chunks.map(({ language }) => language)).toEqual(['en', 'de']);
  });

  it('shows the beginning of a path of headings that goes on and on', () => {
    const [chunk] = chunkDocument(
      md(block('text', { headings: ['a'.repeat(200), `${'b'.repeat(95)}😀${'c'.repeat(9)}`] })),
    );
    // 200 + 3 (' › ') + 95 = 298 characters, then the first half of the emoji, which does not stay.
    expect(chunk!.locator).toHaveLength(300);
    expect(chunk!.locator).toMatch(/b\uFFFD…$/);
  });

  it('cuts a long block between sentences', () => {
    const sentence = `The ${words(48)} end.`;
    const chunks = chunkDocument(md(block(Array.from({ length: 8 }, () => sentence).join(' '))));
    // 50 words a sentence: two reach less than the 120 that are enough, four are 200, five would be over 220.
    expect(chunks.map(({ text }) => countWords(text))).toEqual([200, 200]);
    expect(chunks.every(({ text }) => text.endsWith('end.'))).toBe(true);
  });

  it('cuts what has neither sentences nor words', () => {
    const chunks = chunkDocument(md(block('x'.repeat(5_000))));
    expect(chunks.map(({ text }) => text.length)).toEqual([2_000, 2_000, 1_000]);
  });

  it('holds every character once, at the offsets it says, within the limits', () => {
    const text = fc.array(
      fc.constantFrom('word ', 'End. ', 'y'.repeat(300), '\n', 'é', '。', 'ไทย ', '蜂蜜', '😀', '\u00a0'),
      {
        minLength: 1,
        maxLength: 400,
      },
    );
    const blocks = fc.array(
      fc.record({ text: text.map((parts) => `z${parts.join('')}`.trim()), headings: fc.constantFrom(['A'], ['B']) }),
      {
        maxLength: 6,
      },
    );
    fc.assert(
      fc.property(blocks, (parts) => {
        const document = md(...parts);
        const [whole, chunks] = [documentText(document), chunkDocument(document)];
        for (const chunk of chunks) {
          expect(chunk.text).toBe(whole.slice(chunk.startChar, chunk.endChar));
          expect(countWords(chunk.text)).toBeLessThanOrEqual(CHUNK_SIZE.maxWords);
          expect(chunk.text.length).toBeLessThanOrEqual(CHUNK_SIZE.maxChars);
        }
        expect(
          chunks
            .map((chunk) => chunk.text)
            .join('')
            .replace(/\s/g, ''),
        ).toBe(whole.replace(/\s/g, ''));
      }),
      { numRuns: 60 },
    );
  });
});
