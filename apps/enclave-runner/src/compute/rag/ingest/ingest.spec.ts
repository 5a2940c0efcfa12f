import { describe, expect, it } from '@jest/globals';
import { utf8, UsufructError } from '@usufruct/kernel';
import { deflateSync } from 'node:zlib';
import { PDFDocument, PDFName, PDFRawStream } from 'pdf-lib';
import { PARSE_LIMITS, type ParseLimits } from '../parse/types.js';
import { ingestDocument } from './ingest-document.js';

const ingest = (fileName: string, content: string | Uint8Array, limits: Partial<ParseLimits> = {}) =>
  ingestDocument(
    { fileName, bytes: typeof content === 'string' ? utf8(content) : content },
    { sketchKey: new Uint8Array(8), limits: { ...PARSE_LIMITS, ...limits } },
  );

async function refusalOf(run: () => Promise<unknown>) {
  try {
    await run();
    return 'accepted';
  } catch (error) {
    return error instanceof UsufructError ? { code: error.code, ...error.details } : `not a refusal: ${String(error)}`;
  }
}

describe('ingestion in processes', () => {
  it('gives the text, its chunks at their offsets, and the same each time', async () => {
    const source = '# Hive\nThe bees are in the hive, and the queen is with them.\n\n## Winter\nFeed sugar.';
    const document = await ingest('a.md', source);
    expect(document).toMatchObject({ format: 'md', metadata: { title: 'Hive', language: 'en' }, notRead: [] });
    expect(document.chunks.map(({ text, headings }) => [headings.join('/'), text])).toEqual([
      ['Hive', 'The bees are in the hive, and the queen is with them.'],
      ['Hive/Winter', 'Feed sugar.'],
    ]);
    for (const { text, startChar, endChar } of document.chunks) {
      expect(document.text.slice(startChar, endChar)).toBe(text);
    }
    expect(await ingest('a.md', source)).toEqual(document);
  });

  it('starts no process for what no parser reads: a folder of pictures keeps no session from beginning', async () => {
    for (let i = 0; i < 2_000; i++) {
      expect(await refusalOf(() => ingest(i % 2 === 0 ? 'a.jpg' : 'a.txt', i % 2 === 0 ? 'x' : ''))).toEqual({
        code: i % 2 === 0 ? 'FORMAT_UNKNOWN' : 'FILE_EMPTY',
      });
    }
  });

  it('passes on what the parser refuses, with what would satisfy it', async () => {
    expect(await refusalOf(() => ingest('a.txt', 'x'.repeat(11), { fileBytes: 10 }))).toEqual({
      code: 'FILE_TOO_LARGE',
      limit: '10 bytes',
    });
  });

  it('ends a thread that does not answer in time, and the next document is read', async () => {
    expect(await refusalOf(() => ingest('a.html', '<p>text', { parserTimeMs: 1 }))).toEqual({
      code: 'DOCUMENT_TOO_COMPLEX',
      limit: '1 ms',
    });
    expect((await ingest('a.html', '<p>text')).text).toBe('text');
  });

  it('survives a parser that runs out of memory (formatting elements reopened in every paragraph)', async () => {
    const opened = Array.from({ length: 20_000 }, (_, i) => `<b id=${i}>`).join('');
    const source = `<p>${opened}</p>${'<p>x</p>'.repeat(20_000)}`;
    const [hostile, harmless] = await Promise.all([
      refusalOf(() => ingest('a.html', source, { parserHeapMb: 64 })),
      ingest('b.html', '<p>text', { parserHeapMb: 64 }),
    ]);
    expect(hostile).toEqual({ code: 'DOCUMENT_TOO_COMPLEX', limit: '64 MiB of memory' });
    expect(harmless.text).toBe('text');
  });

  it('survives a list of four million nothings, for which V8 ends the whole process', async () => {
    const [hostile, harmless] = await Promise.all([
      refusalOf(() => ingest('a.json', `[${'{},'.repeat(4_000_000)}1]`, { parserHeapMb: 64 })),
      ingest('b.json', '["text"]', { parserHeapMb: 64 }),
    ]);
    expect(hostile).toEqual({ code: 'DOCUMENT_TOO_COMPLEX', limit: '64 MiB of memory' });
    expect(harmless.text).toBe('text');
  });

  it('survives a PDF whose streams unpack to more than its memory', async () => {
    const pdf = await PDFDocument.create();
    const page = pdf.addPage();
    // 256 MiB of spaces, a quarter of one as it is stored.
    const content = deflateSync(Buffer.alloc(256 * 1024 ** 2, 0x20));
    const stream = PDFRawStream.of(pdf.context.obj({ Length: content.length, Filter: 'FlateDecode' }), content);
    page.node.set(PDFName.of('Contents'), pdf.context.register(stream));
    const bytes = await pdf.save();
    const refusal = await refusalOf(() => ingest('a.pdf', bytes, { parserBuffersMb: 64 }));
    expect(refusal).toEqual({ code: 'DOCUMENT_TOO_COMPLEX', limit: '64 MiB of buffers' });
  });

  it('survives a PDF whose pages are their own parents', async () => {
    const loop =
      '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2/Parent 2 0 R>>endobj\n3 0 obj<</Type/Page/Parent 3 0 R/Contents 3 0 R>>endobj\ntrailer<</Root 1 0 R/Size 4/Prev 0>>\nstartxref\n0\n%%EOF';
    expect(await refusalOf(() => ingest('a.pdf', loop, { parserTimeMs: 10_000 }))).toMatchObject({
      code: expect.stringMatching(/FORMAT_BROKEN|FILE_EMPTY|DOCUMENT_TOO_COMPLEX/),
    });
    expect((await ingest('a.txt', 'text')).text).toBe('text');
  });

  it.each([
    ['a.txt', '', '', 'accepted'],
    ['a.jsonl', '"', '"', 'accepted'],
    // A record of a table has a limit of its own, as has a page.
    ['a.csv', 'name\n', '', 'FORMAT_BROKEN'],
    ['a.html', '<p>', '', 'FILE_TOO_LARGE'],
  ])('reads or refuses one line of 10 MB in %s', async (name, before, after, expected) => {
    const result = await refusalOf(async () => {
      const { chunks } = await ingest(name, `${before}${'a longer word '.repeat(720_000)}${after}`);
      expect(Math.max(...chunks.map(({ text }) => text.length))).toBeLessThanOrEqual(2_000);
    });
    expect(typeof result === 'string' ? result : result.code).toBe(expected);
  });

  it('reads many documents at once', async () => {
    const texts = Array.from({ length: 30 }, (_, i) => `Text number ${i}.`);
    const documents = await Promise.all(texts.map((text) => ingest('a.txt', text)));
    expect(documents.map(({ text }) => text)).toEqual(texts);
  });
});
