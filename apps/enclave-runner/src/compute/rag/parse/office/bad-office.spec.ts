import { describe, expect, it } from '@jest/globals';
import { docxEntries, NAMESPACES, xlsxEntries, zipOf, type ZipEntrySpec } from '@usufruct/testing';
import fc from 'fast-check';
import { parseBytes } from '../parse-bytes.js';
import { DocumentRefusal } from '../refusal.js';
import { PARSE_LIMITS, type ParseLimits } from '../types.js';

async function refusalOf(bytes: Uint8Array, limits: Partial<ParseLimits> = {}, fileName = 'a.docx'): Promise<string> {
  try {
    await parseBytes({ fileName, bytes }, { ...PARSE_LIMITS, ...limits });
    return 'accepted';
  } catch (error) {
    if (!(error instanceof DocumentRefusal)) throw error;
    return [error.code, ...Object.values(error.details)].join(': ');
  }
}

const body = '<w:p><w:r><w:t>text</w:t></w:r></w:p>';
const good = docxEntries(body);
const document = (xml: string): Uint8Array =>
  zipOf(good.map((entry) => (entry.name === 'word/document.xml' ? { ...entry, content: xml } : entry)));
const withClaims = (claims: ZipEntrySpec['claims']): Uint8Array =>
  zipOf(good.map((entry) => (entry.name === 'word/document.xml' ? { ...entry, claims } : entry)));
const edited = (edit: (bytes: Buffer) => void, bytes: Uint8Array = zipOf(good)): Uint8Array => {
  const copy = Buffer.from(bytes);
  edit(copy);
  return Uint8Array.from(copy);
};
const w = `xmlns:w="${NAMESPACES.w}"`;
const ZIP = 'FORMAT_BROKEN: ZIP';

/**
 * The last entry's bytes lie within those of the one before, and everything else about it is right: the small bombs of
 * Fifield (2019) are made so.
 */
function overlapping(): Uint8Array {
  const inner = { name: 'word/b.xml', content: 'x'.repeat(100) };
  const packed = zipOf([inner]);
  const local = packed.subarray(0, Buffer.from(packed).readUInt32LE(packed.length - 6));
  return edited(
    (bytes) => {
      const record = bytes.lastIndexOf('PK\x01\x02', 'latin1');
      bytes.writeUInt32LE(bytes.indexOf(local), record + 42);
    },
    zipOf([...good, { name: 'word/a.xml', content: local, isStored: true }, inner]),
  );
}

describe('archives that are not what they should be', () => {
  const rows: [string, Uint8Array, string][] = [
    ['no office document', zipOf([{ name: 'a.txt', content: 'text' }]), 'FORMAT_UNKNOWN: ZIP'],
    [
      'an OpenDocument text',
      zipOf([{ name: 'mimetype', content: 'application/vnd.oasis.opendocument.text' }]),
      'FORMAT_UNKNOWN: ZIP',
    ],
    ['no main part', zipOf(good.filter(({ name }) => name !== '_rels/.rels')), 'FORMAT_BROKEN: an office document'],
    [
      'a main part that is another document',
      zipOf(
        good.map((entry) => ({
          ...entry,
          content: String(entry.content).replace('wordprocessingml.document', 'drawingml.chart'),
        })),
      ),
      'FORMAT_UNKNOWN: another office document',
    ],
    ['the first bytes only', zipOf(good).subarray(0, 100), ZIP],
    ['everything but the last byte', zipOf(good).subarray(0, -1), ZIP],
    ['a byte after the end', Buffer.concat([zipOf(good), Buffer.of(0)]), ZIP],
    ['a directory that starts elsewhere', edited((bytes) => bytes.writeUInt32LE(7, bytes.length - 6)), ZIP],
    ['several disks', edited((bytes) => bytes.writeUInt16LE(1, bytes.length - 18)), ZIP],
    ['two entries of one name', zipOf([...good, { name: 'WORD/document.xml', content: 'other' }]), ZIP],
    ['entries that overlap', overlapping(), ZIP],
    ['a name that its local header does not have', withClaims({ localName: 'word/document.xmm' }), ZIP],
    ['an encrypted entry', withClaims({ flags: 1 }), 'DOCUMENT_LOCKED'],
    ['more bytes than the directory says', withClaims({ bytes: 10 }), ZIP],
    ['fewer bytes than the directory says', withClaims({ bytes: 10_000 }), ZIP],
    ['bytes of another checksum', withClaims({ crc: 1 }), ZIP],
    [
      'no deflate stream',
      edited((bytes) =>
        bytes.fill(0xff, bytes.indexOf('word/document.xml') + 17, bytes.indexOf('word/document.xml') + 40),
      ),
      ZIP,
    ],
  ];
  it.each(rows)('%s', async (_name, bytes, expected) => {
    expect(await refusalOf(bytes)).toBe(expected);
  });

  it('reads the good one, with a comment at its end too', async () => {
    const commented = (lengthBytes: number) =>
      edited(
        (bytes) => bytes.writeUInt16LE(lengthBytes, bytes.length - 4),
        Buffer.concat([zipOf(good), Buffer.from('hi')]),
      );
    expect(await refusalOf(zipOf(good))).toBe('accepted');
    expect(await refusalOf(commented(2))).toBe('accepted');
    expect(await refusalOf(commented(1))).toBe(ZIP);
  });

  it('never unpacks more than its limits: a bomb by ratio, by sum, by entries, and one that is a bomb in a bomb', async () => {
    const zeros = (name: string): ZipEntrySpec => ({ name, content: new Uint8Array(4 * 1024 ** 2) });
    const bomb = zipOf(good.map((entry) => (entry.name === 'word/document.xml' ? zeros(entry.name) : entry)));
    expect(await refusalOf(bomb)).toBe('FILE_TOO_LARGE: unpacked 200 times what is packed');
    const large = document(
      `<w:document ${w}><w:body>${`<w:p><w:r><w:t>${'word '.repeat(20)}</w:t></w:r></w:p>`.repeat(2_000)}</w:body></w:document>`,
    );
    expect(await refusalOf(large, { zipBytes: 100_000 })).toBe('FILE_TOO_LARGE: 100000 bytes unpacked');
    expect(await refusalOf(zipOf(good), { zipEntries: 2 })).toBe('FILE_TOO_LARGE: 2 entries');
    // What is not read is not unpacked, however much it would be.
    expect(
      await refusalOf(
        zipOf([...good, { ...zeros('word/media/nested.zip'), content: bomb }, zeros('word/embeddings/a.bin')]),
      ),
    ).toBe('accepted');
  });
});

describe('XML that is not what it should be', () => {
  const laughs = `<!DOCTYPE lolz [<!ENTITY lol "lol">${Array.from({ length: 9 }, (_, i) => `<!ENTITY lol${i + 1} "${`&lol${i === 0 ? '' : i};`.repeat(10)}">`).join('')}]>`;
  const rows: [string, string, string][] = [
    [
      'a billion laughs',
      `<?xml version="1.0"?>${laughs}<w:document ${w}><w:body><w:p><w:r><w:t>&lol9;</w:t></w:r></w:p></w:body></w:document>`,
      'FORMAT_BROKEN: XML without a document type',
    ],
    [
      'an external entity',
      `<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document ${w}><w:body/></w:document>`,
      'FORMAT_BROKEN: XML without a document type',
    ],
    [
      'an external subset',
      `<!DOCTYPE d SYSTEM "http://localhost/d.dtd"><w:document ${w}/>`,
      'FORMAT_BROKEN: XML without a document type',
    ],
    [
      'an entity that nobody declared',
      `<w:document ${w}><w:body><w:p><w:r><w:t>&nbsp;</w:t></w:r></w:p></w:body></w:document>`,
      'FORMAT_BROKEN: XML',
    ],
    ['tags that do not match', `<w:document ${w}><w:body></w:document>`, 'FORMAT_BROKEN: XML'],
    ['a document that ends early', `<w:document ${w}><w:body><w:p><w:r><w:t>te`, 'FORMAT_BROKEN: XML'],
    ['no XML', 'hello', 'FORMAT_BROKEN: XML'],
    ['nothing', '', 'FORMAT_BROKEN: XML'],
    [
      'elements in one another without end',
      `<w:document ${w}>${'<w:x>'.repeat(300)}`,
      'DOCUMENT_TOO_COMPLEX: 256 elements in one another',
    ],
    ['no text', `<w:document ${w}><w:body/></w:document>`, 'FILE_EMPTY: no text'],
  ];
  it.each(rows)('%s', async (_name, xml, expected) => {
    expect(await refusalOf(document(xml))).toBe(expected);
  });

  it('bytes that are no UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from(`<w:document ${w}><w:body><w:p><w:r><w:t>`), Buffer.of(0xc3, 0x28)]);
    const entries = good.map((entry) => (entry.name === 'word/document.xml' ? { ...entry, content: bytes } : entry));
    expect(await refusalOf(zipOf(entries))).toBe('FORMAT_BROKEN: XML in UTF-8 or UTF-16');
  });
});

describe('sheets beyond the limits', () => {
  const cell = '<c t="inlineStr"><is><t>x</t></is></c>';
  const sheet = (data: string, parts = {}) => zipOf(xlsxEntries({ S: data }, parts));
  const rows: [string, Uint8Array, Partial<ParseLimits>, string][] = [
    ['cells, empty ones too', sheet(`<row>${'<c/>'.repeat(11)}</row>`), { cells: 10 }, 'FILE_TOO_LARGE: 10 cells'],
    ['columns', sheet(`<row><c r="XFD1" t="inlineStr"><is><t>x</t></is></c></row>`), {}, 'FILE_TOO_LARGE: 256 columns'],
    ['rows', sheet(`<row>${cell}</row>`.repeat(4)), { blocks: 3 }, 'FILE_TOO_LARGE: 3 blocks'],
    [
      'one long string in every cell',
      sheet(`<row>${'<c t="s"><v>0</v></c>'.repeat(100)}</row>`.repeat(10), {
        'xl/sharedStrings.xml': `<sst xmlns="${NAMESPACES.x}"><si><t>${'long '.repeat(100)}</t></si></sst>`,
      }),
      { textChars: 100_000 },
      'FILE_TOO_LARGE: 100000 characters',
    ],
    ['a string that is not there', sheet('<row><c t="s"><v>5</v></c></row>'), {}, 'FORMAT_BROKEN: XLSX'],
  ];
  it.each(rows)('%s', async (_name, bytes, limits, expected) => {
    expect(await refusalOf(bytes, limits, 'a.xlsx')).toBe(expected);
  });
});

it('refuses or reads, and does nothing else, for any damage to an archive', async () => {
  const bytes = zipOf(xlsxEntries({ S: '<row><c t="inlineStr"><is><t>text</t></is></c></row>' }));
  const damage = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(damage, fc.nat(bytes.length), async (changes, length) => {
      const copy = Uint8Array.from(bytes);
      for (const [place, value] of changes) copy[place] = value;
      await refusalOf(copy, {}, 'a.xlsx');
      await refusalOf(bytes.subarray(0, length), {}, 'a.xlsx');
    }),
    { numRuns: 200 },
  );
});
