import { describe, expect, it } from '@jest/globals';
import { utf8 } from '@usufruct/kernel';
import { parseBytes } from './parse-bytes.js';
import { DocumentRefusal } from './refusal.js';
import { PARSE_LIMITS, type ParseLimits } from './types.js';

const parse = (fileName: string, text: string, limits: Partial<ParseLimits> = {}) =>
  parseBytes({ fileName, bytes: utf8(text) }, { ...PARSE_LIMITS, ...limits });
async function refusalOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof DocumentRefusal)) throw error;
    return [error.code, ...Object.values(error.details)].join(': ');
  }
}

describe('JSON', () => {
  it('reads the elements of a list as records, nested values by their path', async () => {
    const source = [
      {
        name: 'North',
        place: { town: 'Celle', at: [52.6, 10.1] },
        tags: ['old', 'big'],
        empty: '',
        none: null,
        ok: true,
      },
      { visits: [{ day: 1 }, { day: 2 }] },
      'plain',
    ];
    const { format, blocks } = await parse('a.json', JSON.stringify(source));
    expect(format).toBe('json');
    expect(blocks).toEqual([
      {
        text: 'name: North; place.town: Celle; place.at: 52.6, 10.1; tags: old, big; ok: true',
        headings: [],
        record: 1,
      },
      { text: 'visits.1.day: 1; visits.2.day: 2', headings: [], record: 2 },
      { text: 'plain', headings: [], record: 3 },
    ]);
  });

  it('reads lists in an object under their names, and long values as paragraphs', async () => {
    const long = 'A sentence that goes on. '.repeat(10).trim();
    const { blocks } = await parse(
      'a.json',
      JSON.stringify({ version: 2, notes: [{ title: 'One', text: long }], more: 'x\ny' }),
    );
    expect(blocks).toEqual([
      { text: 'version: 2\n\nmore: x\ny', headings: [] },
      { text: `title: One\n\ntext: ${long}`, headings: ['notes'], record: 1 },
    ]);
  });

  it('has no half of a character, however it is escaped', async () => {
    const { blocks } = await parse('a.json', String.raw`[{"a\ud800":"b\udc00c \ud83d\udc1d"}]`);
    expect(blocks).toEqual([{ text: 'a\ufffd: b\ufffdc 🐝', headings: [], record: 1 }]);
  });

  it('reads a line as a record, and tells one form from the other whatever the name says', async () => {
    const lines = '{"a":1}\n\n{"a":"zwei"}\r\n"drei"\n';
    const expected = [
      { text: 'a: 1', headings: [], record: 1 },
      { text: 'a: zwei', headings: [], record: 3 },
      { text: 'drei', headings: [], record: 4 },
    ];
    for (const name of ['a.jsonl', 'a.ndjson', 'a.json']) {
      expect(await parse(name, lines)).toMatchObject({ format: 'jsonl', blocks: expected });
    }
    expect(await parse('a.jsonl', '{\n "a": 1\n}')).toMatchObject({ format: 'json', blocks: [{ text: 'a: 1' }] });
    expect(await parse('a.csv', '[{"a": "b"}]')).toMatchObject({ format: 'json' });
  });

  it.each<[string, string, string, Partial<ParseLimits>, string]>([
    ['no JSON', 'a.json', '{a: 1}', {}, 'FORMAT_BROKEN: JSON'],
    ['a truncated one', 'a.json', '[{"a": 1}, {"a"', {}, 'FORMAT_BROKEN: JSON'],
    ['a broken line', 'a.jsonl', '{"a": 1}\n{"a": \n{"a": 3}', {}, 'FORMAT_BROKEN: one JSON value on each line'],
    ['nothing to read', 'a.json', '[null, "", []]', {}, 'FILE_EMPTY: no text'],
    [
      'a list of 100,000 lists',
      'a.json',
      '['.repeat(100_000) + ']'.repeat(100_000),
      {},
      'DOCUMENT_TOO_COMPLEX: 256 values in one another',
    ],
    [
      'objects in one another',
      'a.jsonl',
      '{"a":'.repeat(300) + '1' + '}'.repeat(300),
      {},
      'DOCUMENT_TOO_COMPLEX: 256 values in one another',
    ],
    ['too many records', 'a.jsonl', '1\n2\n3\n', { blocks: 2 }, 'FILE_TOO_LARGE: 2 blocks'],
    [
      'more text than the limit, by names alone',
      'a.json',
      `[${`{"${'n'.repeat(99)}":1},`.repeat(11)}1]`,
      { textChars: 1_000 },
      'FILE_TOO_LARGE: 1000 characters',
    ],
  ])('refuses %s', async (_name, fileName, text, limits, expected) => {
    expect(await refusalOf(() => parse(fileName, text, limits))).toBe(expected);
  });

  it('takes names of the prototype as names', async () => {
    const { blocks } = await parse(
      'a.json',
      '{"__proto__": {"admin": true}, "constructor": "c", "items": [{"__proto__": 1}]}',
    );
    expect(blocks.map(({ text }) => text)).toEqual(['__proto__.admin: true; constructor: c', '__proto__: 1']);
    expect('admin' in {}).toBe(false);
  });
});
