import { describe, expect, it } from '@jest/globals';
import { utf8 } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import fc from 'fast-check';
import { PDFDocument, StandardFonts } from 'pdf-lib';
import { parseBytes } from './parse-bytes.js';
import { DocumentRefusal } from './refusal.js';
import { PARSE_LIMITS, type ParseLimits } from './types.js';

const parse = (fileName: string, content: string | Uint8Array, limits?: ParseLimits) =>
  parseBytes({ fileName, bytes: typeof content === 'string' ? utf8(content) : content }, limits);

async function codeOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return 'accepted';
  } catch (error) {
    return error instanceof DocumentRefusal ? error.code : `not a refusal: ${String(error)}`;
  }
}

async function pdfOf(pages: readonly string[]): Promise<Uint8Array> {
  const pdf = await PDFDocument.create();
  const font = await pdf.embedFont(StandardFonts.Helvetica);
  for (const text of pages) pdf.addPage([595, 842]).drawText(text, { x: 50, y: 780, size: 12, font, lineHeight: 15 });
  return pdf.save();
}

it('takes files as large as contributors are told', () => {
  expect(PARSE_LIMITS.fileBytes).toBe(LIMITS.documentBytes);
});

describe('formats', () => {
  it('reads plain text by paragraphs', async () => {
    const { format, blocks } = await parse(
      'Notes.TXT',
      '\uFEFFFirst line\r\nsecond line\r\n\r\n \r\nNext paragraph\r\n',
    );
    expect(format).toBe('txt');
    expect(blocks.map((block) => block.text)).toEqual(['First line\nsecond line', 'Next paragraph']);
  });

  it('takes control, zero-width and bidirectional characters out', async () => {
    const { blocks } = await parse('a.txt', 'pay\u202E 001\u200B euro\u0007');
    expect(blocks[0]?.text).toBe('pay 001 euro');
  });

  it('reads Markdown with its headings and without its markup', async () => {
    const source = [
      '---',
      'title: x',
      '---',
      '# Hive',
      'Bees are **small**, see [the page](https://e.org "t").',
      '',
      '## Winter ##',
      '- feed `sugar`',
      '- keep dry',
      '',
      '```js',
      '# not a heading',
      '**kept**',
      '```',
      'Summer',
      '------',
      '> quoted',
      '',
      '| a | b |',
      '|---|:-:|',
      '| 1 | 2 |',
    ].join('\n');
    const { blocks } = await parse('a.md', source);
    expect(blocks.map((block) => [block.headings.join('/'), block.text])).toEqual([
      ['Hive', 'Bees are small, see the page.'],
      ['Hive/Winter', '- feed sugar\n- keep dry'],
      ['Hive/Winter', '# not a heading\n**kept**'],
      ['Hive/Summer', 'quoted'],
      ['Hive/Summer', '| a | b |\n| 1 | 2 |'],
    ]);
  });

  it('reads HTML in order, without scripts, styles, navigation and hidden parts', async () => {
    const source = `<!doctype html><head><title>t</title><style>p{}</style></head><body><nav>Menu</nav>
      <h1>Honey &amp; wax</h1><p>Raw <b>honey</b> keeps.<script>alert(1)</script><p hidden>secret<p style="display: none">none
      <h2>Prices</h2><table><tr><th>Jar<th>Euro<tr><td>500 g<td><p>7</p></table><ul><li>one<li>two</ul>tail<footer>f</footer>`;
    const { blocks } = await parse('a.html', source);
    expect(blocks.map((block) => [block.headings.join('/'), block.text])).toEqual([
      ['Honey & wax', 'Raw honey keeps.'],
      ['Honey & wax/Prices', 'Jar | Euro'],
      ['Honey & wax/Prices', '500 g | 7'],
      ['Honey & wax/Prices', 'one'],
      ['Honey & wax/Prices', 'two'],
      ['Honey & wax/Prices', 'tail'],
    ]);
  });

  it('reads CSV rows as "column: value", whatever the delimiter', async () => {
    const comma = await parse('a.csv', 'Year,Yield (kg),Note\r\n2023,41,"wet, cold"\r\n2024,,ok\r\n');
    expect(comma.blocks).toEqual([
      { text: 'Year: 2023; Yield (kg): 41; Note: wet, cold', headings: [], row: 1 },
      { text: 'Year: 2024; Note: ok', headings: [], row: 2 },
    ]);
    const semicolon = await parse('a.csv', 'a;b\n1,5;2,5\n');
    expect(semicolon.blocks.map((block) => block.text)).toEqual(['a: 1,5; b: 2,5']);
  });

  it('reads PDF paragraphs with their page, joining hyphenated lines', async () => {
    const bytes = await pdfOf(['The colony grows and the col-\nony swarms.\n\nSecond paragraph.', 'On page two.']);
    const { blocks } = await parse('a.pdf', bytes);
    expect(blocks.map((block) => [block.page, block.text])).toEqual([
      [1, 'The colony grows and the colony swarms.'],
      [1, 'Second paragraph.'],
      [2, 'On page two.'],
    ]);
  });
});

describe('encodings', () => {
  const utf16 = (text: string, isBig = false): Uint8Array => {
    const bytes = Buffer.from(`\uFEFF${text}`, 'utf16le');
    return Uint8Array.from(isBig ? bytes.swap16() : bytes);
  };
  const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

  it.each<[string, string, Uint8Array, string]>([
    ['UTF-16 little-endian with its mark', 'a.txt', utf16('Grüße'), 'Grüße'],
    ['UTF-16 big-endian with its mark', 'a.md', utf16('Grüße', true), 'Grüße'],
    ['a spreadsheet’s "Unicode text"', 'a.csv', utf16('Ort\tkg\nKöln\t5\n'), 'Ort: Köln; kg: 5'],
    ['the charset that a page declares', 'a.html', latin1('<meta charset="ISO-8859-1"><p>caf\xe9'), 'café'],
    [
      'the same in its long form',
      'a.html',
      latin1('<meta http-equiv="Content-Type" content="text/html; charset=windows-1252"><p>5 \x80'),
      '5 €',
    ],
    ['UTF-8 whatever a page declares', 'a.html', utf8('<meta charset="ISO-8859-1"><p>café'), 'café'],
  ])('reads %s', async (_name, fileName, bytes, expected) => {
    expect((await parse(fileName, bytes)).blocks.map(({ text }) => text)).toEqual([expected]);
  });

  it.each<[string, string, Uint8Array]>([
    ['Latin-1 that nothing declares', 'a.txt', latin1('caf\xe9')],
    ['a page in Latin-1 without a declaration', 'a.html', latin1('<p>caf\xe9')],
    ['a charset that does not exist', 'a.html', latin1('<meta charset="klingon"><p>caf\xe9')],
    ['lone surrogates', 'a.txt', Uint8Array.of(0xff, 0xfe, 0x00, 0xd8, 0x61, 0x00)],
  ])('refuses %s', async (_name, fileName, bytes) => {
    expect(await codeOf(() => parse(fileName, bytes))).toBe('FORMAT_BROKEN');
  });
});

describe('what a document is', () => {
  it.each<[string, string, string, string]>([
    ['a page that says text', 'a.txt', '<!DOCTYPE html><p>x', 'html'],
    ['a page that says CSV', 'a.csv', ' <html><p>x', 'html'],
    ['a comment before a page', 'a.md', '<!-- saved --><html lang=en><p>x', 'html'],
    ['Markdown with a tag in it', 'a.md', 'See <b>this</b>', 'md'],
    ['text about HTML', 'a.txt', 'An <html> tag begins a page', 'txt'],
    ['text about PDF', 'a.txt', 'The magic is %PDF-1.7', 'txt'],
  ])('reads %s', async (_name, fileName, content, format) => {
    expect((await parse(fileName, content)).format).toBe(format);
  });

  it('says which old or locked document it is', async () => {
    const ole2 = (text: string) =>
      Buffer.concat([Buffer.from('d0cf11e0a1b11ae1', 'hex'), Buffer.from(text, 'utf16le')]);
    expect(await codeOf(() => parse('a.docx', ole2('EncryptedPackage')))).toBe('DOCUMENT_LOCKED');
    expect(await codeOf(() => parse('a.docx', ole2('WordDocument')))).toBe('FORMAT_UNKNOWN');
  });

  it('keeps what it says of itself', async () => {
    const page =
      '<html lang="en-gb"><head><title> A\n page </title><meta name="author" content="Ann"><meta property="article:published_time" content="2024-02-30x"></head><body>x';
    expect((await parse('a.html', page)).metadata).toEqual({ title: 'A page', author: 'Ann', language: 'en-GB' });
    const note = '---\ntitle: "A note"\ndate: 2024-02-29\nlang: no such language!\n---\n# Heading\ntext';
    expect((await parse('a.md', note)).metadata).toEqual({ title: 'A note', date: '2024-02-29' });
    const pdf = await PDFDocument.create();
    pdf.setTitle('Report');
    pdf.setModificationDate(new Date(Date.UTC(2024, 4, 1, 12)));
    pdf.addPage().drawText('text');
    expect((await parse('a.pdf', await pdf.save())).metadata).toEqual({ title: 'Report', date: '2024-05-01' });
  });
});

describe('bad documents', () => {
  const zip = Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0);
  const utf16 = Uint8Array.of(0xff, 0xfe, 0x61, 0x00, 0x62, 0x00);
  const rows: [string, string, string | Uint8Array, string][] = [
    ['no extension', 'README', 'text', 'FORMAT_UNKNOWN'],
    ['an extension that we do not read', 'a.odt', zip, 'FORMAT_UNKNOWN'],
    ['a name of the prototype', 'a.constructor', 'text', 'FORMAT_UNKNOWN'],
    ['no bytes', 'a.txt', '', 'FILE_EMPTY'],
    ['white space only', 'a.txt', ' \n\n ', 'FILE_EMPTY'],
    ['punctuation only', 'a.md', '---\n\n***\n', 'FILE_EMPTY'],
    ['HTML with nothing to read', 'a.html', '<script>1</script>', 'FILE_EMPTY'],
    ['a CSV with a header alone', 'a.csv', 'a,b\n', 'FILE_EMPTY'],
    ['invalid UTF-8', 'a.txt', Uint8Array.of(0x61, 0xc3, 0x28), 'FORMAT_BROKEN'],
    ['UTF-16 without a byte order mark', 'a.txt', utf16.subarray(2), 'FORMAT_BROKEN'],
    ['UTF-16 that ends in the middle', 'a.txt', utf16.subarray(0, 5), 'FORMAT_BROKEN'],
    ['NUL bytes', 'a.md', 'a\0b', 'FORMAT_BROKEN'],
    ['a PDF that says text', 'a.txt', '%PDF-1.7\n', 'FORMAT_BROKEN'],
    ['a ZIP that says CSV', 'a.csv', zip, 'FORMAT_BROKEN'],
    ['text that says PDF', 'a.pdf', 'hello', 'FORMAT_BROKEN'],
    ['a PDF that ends after its first line', 'a.pdf', '%PDF-1.7\n', 'FORMAT_BROKEN'],
    ['text that says HTML', 'a.html', 'no tags', 'FORMAT_BROKEN'],
    ['CSV with rows of unequal length', 'a.csv', 'a,b\n1,2,3\n', 'FORMAT_BROKEN'],
    ['CSV with an open quote', 'a.csv', 'a,b\n"1,2\n', 'FORMAT_BROKEN'],
  ];
  it.each(rows)('%s', async (_name, fileName, content, code) => {
    expect(await codeOf(() => parse(fileName, content))).toBe(code);
  });

  it('refuses what is over a limit instead of cutting it', async () => {
    const small = { ...PARSE_LIMITS, fileBytes: 100, blocks: 3, pdfPages: 1, htmlEvents: 5, tableColumns: 2 };
    expect(await codeOf(() => parse('a.txt', 'x'.repeat(101), small))).toBe('FILE_TOO_LARGE');
    expect(await codeOf(() => parse('a.txt', 'a\n\nb\n\nc\n\nd', small))).toBe('FILE_TOO_LARGE');
    expect(await codeOf(() => parse('a.csv', 'a\n1\n2\n3\n4\n5\n', small))).toBe('FILE_TOO_LARGE');
    expect(await codeOf(() => parse('a.csv', 'a,b,c\n1,2,3\n', small))).toBe('FILE_TOO_LARGE');
    expect(await codeOf(() => parse('a.html', '<p>1<p>2<p>3<p>4', small))).toBe('FILE_TOO_LARGE');
    const twoPages = await pdfOf(['1', '2']);
    expect(await codeOf(() => parse('a.pdf', twoPages, { ...small, fileBytes: 1e6 }))).toBe('FILE_TOO_LARGE');
  });

  it('reads very deep HTML without overflowing the stack', async () => {
    const { blocks } = await parse('a.html', `${'<div>'.repeat(50_000)}deep`);
    expect(blocks).toEqual([{ text: 'deep', headings: [] }]);
  });

  it('reads adversarial Markdown lines in linear time', async () => {
    const lines = ['[', '<!--', '| ', '*', '`', '_a', '--- ', '> ', '<a', '](', '# #', '\\', 'a '].map((part) =>
      part.repeat(400_000),
    );
    const { user } = process.cpuUsage();
    await codeOf(() => parse('a.md', lines.join('\n\n')));
    // The square of one line is 10^11 steps, minutes; a collector that runs meanwhile costs a few seconds.
    expect(process.cpuUsage().user - user).toBeLessThan(30_000_000);
  });

  it('reads a pile of combining marks in linear time, and keeps 30 of them', async () => {
    // Alternating classes (232 and 230): sorting a million of them would take minutes.
    const { user } = process.cpuUsage();
    const { blocks } = await parse('a.txt', `a${'\u0315\u0300'.repeat(500_000)}`);
    expect(process.cpuUsage().user - user).toBeLessThan(30_000_000);
    // à and the 29 marks that did not melt into it.
    expect([...(blocks[0]?.text ?? '')]).toHaveLength(30);
  });

  it('refuses a small table that grows large because every row repeats the names', async () => {
    // 256 names of 2,000 characters in each of 16,000 rows: 8 GiB of text from 9 MB, which no heap here holds.
    const names = Array.from({ length: 256 }, (_, i) => `${i}${'x'.repeat(2_000)}`).join(',');
    expect(await codeOf(() => parse('a.csv', `${names}\n${`${'1,'.repeat(255)}1\n`.repeat(16_000)}`))).toBe(
      'FILE_TOO_LARGE',
    );
  });

  it('counts a heading for every block that it stands above', async () => {
    const limits = { ...PARSE_LIMITS, textChars: 1_000 };
    const of = (blocks: number) => `# ${'h'.repeat(100)}\n${'p\n\n'.repeat(blocks)}`;
    // 9 × (100 + 1) = 909 and 10 × (100 + 1) = 1,010
    expect(await codeOf(() => parse('a.md', of(9), limits))).toBe('accepted');
    expect(await codeOf(() => parse('a.md', of(10), limits))).toBe('FILE_TOO_LARGE');
  });

  it('refuses or reads, and does nothing else, for mutated PDFs', async () => {
    const good = await pdfOf(['Some words to find.']);
    for (let round = 0; round < 6; round++) {
      const bytes = Uint8Array.from(good);
      for (let i = round; i < bytes.length; i += 37) bytes[i] = (bytes[i]! * 31 + round) & 0xff;
      bytes.set(utf8('%PDF-1.7\n'));
      expect(['accepted', 'FORMAT_BROKEN', 'FILE_EMPTY', 'FILE_TOO_LARGE']).toContain(
        await codeOf(() => parse('a.pdf', bytes)),
      );
    }
  });

  it('never throws anything but a refusal, and never returns an empty block, for any bytes of a text format', async () => {
    const names = fc.constantFrom('a.txt', 'a.md', 'a.csv', 'a.html', 'a.json', 'a.jsonl', 'a.eml');
    const contents = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: 'grapheme', maxLength: 300 }).map(utf8),
    );
    await fc.assert(
      fc.asyncProperty(names, contents, async (fileName, bytes) => {
        try {
          const { blocks } = await parseBytes({ fileName, bytes });
          expect(blocks.every((block) => block.text.trim() !== '')).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(DocumentRefusal);
        }
      }),
      { numRuns: 300 },
    );
  });
});
