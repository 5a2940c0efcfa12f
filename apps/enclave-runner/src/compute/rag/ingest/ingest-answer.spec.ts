import { describe, expect, it } from '@jest/globals';
import { utf8 } from '@usufruct/kernel';
import { PARSE_LIMITS } from '../parse/types.js';
import { answerFrom } from './ingest-answer.js';
import { ingestBytes } from './ingest-bytes.js';
import { SKETCH_SIZE } from './sketch.js';

const REPLY = {
  format: 'txt',
  metadata: { title: 'Hive' },
  notRead: [{ name: 'a.exe', code: 'FORMAT_UNKNOWN' }],
  indexedChars: 8,
  text: 'beehoney',
  chunks: [
    { ordinal: 0, startChar: 0, endChar: 3, headings: ['Hive'], locator: 'Hive', place: { page: 1 }, language: 'en' },
    { ordinal: 1, startChar: 3, endChar: 8, headings: [], locator: '', place: {}, language: undefined },
  ],
  sketches: new Uint32Array(2 * SKETCH_SIZE).fill(7),
};
/** An archive of one empty file. */
function storedZip(name: string): Uint8Array {
  const bytes = Buffer.alloc(30 + name.length + 46 + name.length + 22);
  bytes.writeUInt32LE(0x04034b50, 0);
  bytes.writeUInt16LE(name.length, 26);
  bytes.write(name, 30);
  const central = 30 + name.length;
  bytes.writeUInt32LE(0x02014b50, central);
  bytes.writeUInt16LE(name.length, central + 28);
  bytes.write(name, central + 46);
  const end = central + 46 + name.length;
  bytes.writeUInt32LE(0x06054b50, end);
  bytes.writeUInt16LE(1, end + 8);
  bytes.writeUInt16LE(1, end + 10);
  bytes.writeUInt32LE(46 + name.length, end + 12);
  bytes.writeUInt32LE(central, end + 16);
  return new Uint8Array(bytes);
}
const [FIRST, SECOND] = REPLY.chunks;
const LONG = 'x'.repeat(2_002);
const said = (answer: unknown) => answerFrom(structuredClone({ answer, isThreadSound: true }), PARSE_LIMITS);

describe('what a process says of a document', () => {
  it('is taken as it is', () => {
    expect(said({ reply: REPLY })).toEqual({ answer: { reply: REPLY }, isThreadSound: true });
    const refusal = { code: 'FILE_TOO_LARGE', details: { limit: '10 bytes' } };
    expect(said({ refusal })).toEqual({ answer: { refusal }, isThreadSound: true });
  });

  it('is taken of whatever is read, with its headings, rows and letters', async () => {
    const deep = Array.from({ length: 9 }, (_, level) => `${'#'.repeat(Math.min(6, level + 1))} ${level}\n`).join('');
    for (const [fileName, text] of [
      ['a.md', `${deep}text ${'𝒳'.repeat(5_000)}`],
      ['a.csv', `a,b\n${'1,2\n'.repeat(500)}`],
      ['a.json', '[{"a":{"b":["c",null]}}]'],
      ['a.html', `<h1>h</h1>${'<h2>k</h2><p>x</p>'.repeat(300)}`],
      ['a.eml', 'From: a@b\nSubject: s\n\n \ntext'],
      ['a.txt', 'x'],
    ] as const) {
      const answer = await ingestBytes({
        file: { fileName, bytes: utf8(text) },
        limits: PARSE_LIMITS,
        sketchKey: new Uint8Array(8),
      });
      expect('reply' in answer).toBe(true);
      expect(said(answer)).toEqual({ answer, isThreadSound: true });
    }
  });

  it.each([
    ['a.jpg', 'x'],
    ['a.txt', ''],
    ['a.txt', ' \n'],
    ['a.txt', 'a\0'],
    ['a.docx', 'x'],
    ['a.docx', Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1)],
    ['a.zip', Uint8Array.of(0x50, 0x4b, 0x03, 0x04)],
    ['a.docx', storedZip('some.txt')],
    ['a.docx', storedZip('[Content_Types].xml')],
    ['a.json', '['.repeat(300)],
    ['a.csv', `${'a,'.repeat(300)}\n`],
  ])('is taken of what is refused (%s)', async (fileName, content) => {
    const bytes = typeof content === 'string' ? utf8(content) : content;
    const answer = await ingestBytes({ file: { fileName, bytes }, limits: PARSE_LIMITS, sketchKey: new Uint8Array(8) });
    expect(answer).toHaveProperty('refusal');
    expect(said(answer)).toEqual({ answer, isThreadSound: true });
  });

  it('keeps none of what else the message brought', () => {
    const memory = new Uint32Array(1_000_000);
    const sketches = memory.subarray(0, 2 * SKETCH_SIZE);
    const found = said({ reply: { ...REPLY, sketches, more: 'more', chunks: [{ ...FIRST, more: 1 }, SECOND] } });
    expect(JSON.stringify(found)).not.toContain('more');
    expect(found).toMatchObject({ answer: { reply: { sketches: { buffer: { byteLength: 8 * SKETCH_SIZE } } } } });
  });

  it.each<[string, unknown]>([
    ['is nothing', null],
    ['is a number', 1],
    ['has neither reply nor refusal', {}],
    ['has a reply of nothing', { reply: {} }],
    ['has a format of none', { reply: { ...REPLY, format: 'exe' } }],
    ['has a text that is none', { reply: { ...REPLY, text: ['a', 'b'] } }],
    ['has a title that is none', { reply: { ...REPLY, metadata: { title: {} } } }],
    ['has no list of chunks', { reply: { ...REPLY, chunks: { length: 2 } } }],
    ['has a list of holes', { reply: { ...REPLY, chunks: Object.assign([], { length: 2 ** 32 - 1 }) } }],
    ['has a chunk beyond the text', { reply: { ...REPLY, chunks: [FIRST, { ...SECOND, endChar: 9 }] } }],
    ['has chunks in one another', { reply: { ...REPLY, chunks: [FIRST, { ...SECOND, startChar: 2 }] } }],
    ['has an empty chunk', { reply: { ...REPLY, chunks: [FIRST, { ...SECOND, endChar: 3 }] } }],
    ['has a chunk at no number', { reply: { ...REPLY, chunks: [FIRST, { ...SECOND, startChar: Number.NaN }] } }],
    ['has chunks in another order', { reply: { ...REPLY, chunks: [FIRST, { ...SECOND, ordinal: 0 }] } }],
    ['has headings that are no list', { reply: { ...REPLY, chunks: [FIRST, { ...SECOND, headings: 'ab' }] } }],
    [
      'has a thousand headings',
      { reply: { ...REPLY, chunks: [FIRST, { ...SECOND, headings: Array(1_000).fill('') }] } },
    ],
    ['has a chunk longer than any', { reply: { ...REPLY, text: LONG, chunks: [{ ...FIRST, endChar: 2_001 }, { ...SECOND, startChar: 2_001, endChar: 2_002 }] } }], // prettier-ignore
    ['has a place longer than any', { reply: { ...REPLY, chunks: [FIRST, { ...SECOND, locator: 'x'.repeat(301) }] } }],
    ['has sketches of fewer chunks', { reply: { ...REPLY, sketches: REPLY.sketches.slice(1) } }],
    ['has sketches of another kind', { reply: { ...REPLY, sketches: new Uint8Array(2 * SKETCH_SIZE) } }],
    ['has a code of ours that is no document’s', { refusal: { code: 'INTERNAL', details: {} } }],
    ['quotes in its refusal', { refusal: { code: 'FORMAT_BROKEN', details: { text: 'the patient has' } } }],
    ['quotes where a limit stands', { refusal: { code: 'FORMAT_BROKEN', details: { limit: 'x'.repeat(65) } } }],
  ])('is no answer where it %s', (_what, answer) => {
    expect(said(answer)).toBeNull();
    expect(answerFrom(answer, PARSE_LIMITS)).toBeNull();
  });

  it('is no answer where the text is longer than any document', () => {
    const limits = { ...PARSE_LIMITS, textChars: 3, blocks: 2 };
    expect(answerFrom({ answer: { reply: REPLY }, isThreadSound: true }, limits)).toBeNull();
  });
});
