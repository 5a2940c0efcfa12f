import { describe, expect, it } from '@jest/globals';
import { docxEntries, zipOf } from '@usufruct/testing';
import { parseBytes } from './parse-bytes.js';
import { DocumentRefusal } from './refusal.js';
import { PARSE_LIMITS, type ParseLimits } from './types.js';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1'));
const parse = (text: string, limits: Partial<ParseLimits> = {}) =>
  parseBytes({ fileName: 'a.eml', bytes: bytesOf(text) }, { ...PARSE_LIMITS, ...limits });
async function refusalOf(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof DocumentRefusal)) throw error;
    return [error.code, ...Object.values(error.details)].join(': ');
  }
}

interface Part {
  readonly type: string;
  readonly name?: string;
  readonly content: string | Uint8Array;
}
const base64 = (content: string | Uint8Array): string =>
  Buffer.from(content).toString('base64').replace(/.{76}/g, '$&\n');
const mail = (parts: readonly Part[], head = 'From: a@example.org\nSubject: Test'): string =>
  `${head}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n${parts
    .map(
      ({ type, name, content }) =>
        `--b\nContent-Type: ${type}\nContent-Transfer-Encoding: base64\n${name === undefined ? '' : `Content-Disposition: attachment; filename="${name}"\n`}\n${base64(content)}\n`,
    )
    .join('')}--b--\n`;

describe('EML', () => {
  it('reads who wrote what to whom: encoded words, quoted-printable in Latin-1', async () => {
    const source = `From: =?ISO-8859-1?Q?J=FCrgen_M=FCller?= <j@example.org>
To: "Bee, Ann" <ann@example.org>, =?UTF-8?B?Wm/Dqw==?= <zoe@example.org>
Date: Tue, 1 Aug 2023 10:00:00 +0200
Subject: =?UTF-8?Q?Ernte_=E2=80=93_?=
 =?UTF-8?Q?Zahlen?=
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Die Ernte war gr=F6=
=DFer.

Bis bald`;
    const { format, blocks, metadata } = await parse(source);
    expect(format).toBe('eml');
    expect(blocks.map(({ headings, text }) => [headings.join('/'), text])).toEqual([
      [
        'Ernte – Zahlen',
        'From: Jürgen Müller <j@example.org>\nTo: Bee, Ann <ann@example.org>, Zoë <zoe@example.org>\nDate: 2023-08-01T08:00:00.000Z\nSubject: Ernte – Zahlen',
      ],
      ['Ernte – Zahlen', 'Die Ernte war größer.'],
      ['Ernte – Zahlen', 'Bis bald'],
    ]);
    expect(metadata).toEqual({
      title: 'Ernte – Zahlen',
      author: 'Jürgen Müller <j@example.org>',
      date: '2023-08-01T08:00:00.000Z',
    });
  });

  it('reads 8-bit text in the charset that its part declares', async () => {
    const { blocks } = await parse(
      'From: a@b.c\nSubject: x\nContent-Type: text/plain; charset=windows-1252\n\nPreis: 5 \x80, caf\xe9',
    );
    expect(blocks.at(-1)!.text).toBe('Preis: 5 €, café');
  });

  it('prefers HTML, as its writer saw it, to the plain text beside it', async () => {
    const source = `From: a@b.c\nSubject: Hi\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=x\n
--x\nContent-Type: text/plain\n\nYour program cannot show this.\n--x\nContent-Type: text/html; charset=utf-8\n\n<h2>Plan</h2><p>Feed <b>now</b>.<p style="display:none">preheader\n--x--`;
    const { blocks } = await parse(source);
    expect(blocks.slice(1)).toEqual([{ text: 'Feed now.', headings: ['Hi', 'Plan'] }]);
  });

  it('reads attachments by the rules of their formats, and lists the others with the reason', async () => {
    const inner = mail(
      [{ type: 'text/csv', name: 'n.csv', content: 'Jar,Euro\n500 g,7\n' }],
      'From: b@example.org\nSubject: Inner',
    );
    const source = mail([
      { type: 'text/plain', content: 'See below.' },
      {
        type: 'application/octet-stream',
        name: 'a.docx',
        content: zipOf(docxEntries('<w:p><w:r><w:t>From Word.</w:t></w:r></w:p>')),
      },
      { type: 'message/rfc822', name: 'old.eml', content: inner },
      { type: 'image/png', name: 'p.png', content: 'PNG' },
      { type: 'application/pdf', name: 'broken.pdf', content: 'no pdf' },
      { type: 'text/plain', name: 'empty.txt', content: ' ' },
    ]);
    const { blocks, notRead } = await parse(source);
    expect(
      blocks.map(({ attachment, headings, text }) => [attachment, headings.slice(1).join('/'), text]).slice(1),
    ).toEqual([
      [undefined, '', 'See below.'],
      ['a.docx', 'a.docx', 'From Word.'],
      ['old.eml', 'old.eml/Inner', 'From: b@example.org\nSubject: Inner'],
      ['old.eml › n.csv', 'old.eml/Inner/n.csv', 'Jar: 500 g; Euro: 7'],
    ]);
    expect(notRead).toEqual([
      { name: 'p.png', code: 'FORMAT_UNKNOWN' },
      { name: 'broken.pdf', code: 'FORMAT_BROKEN' },
      { name: 'empty.txt', code: 'FILE_EMPTY' },
    ]);
  });

  it('stops at messages in messages in messages, and says so', async () => {
    let source = mail([{ type: 'text/plain', content: 'innermost' }]);
    for (let i = 0; i < 5; i++) source = mail([{ type: 'message/rfc822', name: `${i}.eml`, content: source }]);
    const { blocks, notRead } = await parse(source);
    expect(blocks.map(({ text }) => text)).not.toContain('innermost');
    expect(notRead).toEqual([{ name: '4.eml › 3.eml › 2.eml › 1.eml', code: 'DOCUMENT_TOO_COMPLEX' }]);
  });

  it.each<[string, string, Partial<ParseLimits>, string]>([
    ['text', 'Hello, this is no mail.', {}, 'FORMAT_BROKEN: EML'],
    ['one field', 'Subject: x\n\ntext', {}, 'FORMAT_BROKEN: EML'],
    [
      'too many attachments',
      mail(Array.from({ length: 4 }, (_, i) => ({ type: 'text/plain', name: `${i}.txt`, content: 'x' }))),
      { attachments: 3 },
      'FILE_TOO_LARGE: 3 attachments',
    ],
    [
      'attachments that together are too much',
      mail(Array.from({ length: 4 }, (_, i) => ({ type: 'text/plain', name: `${i}.txt`, content: 'x'.repeat(400) }))),
      { textChars: 1_000 },
      'FILE_TOO_LARGE: 1000 characters',
    ],
    [
      'parts in one another without end',
      `From: a@b.c\nSubject: x\n${Array.from({ length: 300 }, (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`).join('')}`,
      {},
      'DOCUMENT_TOO_COMPLEX: 64 parts in one another',
    ],
    [
      '2 MB of header',
      `From: a@b.c\nSubject: x\n${`X-Long: ${'y'.repeat(900)}\n`.repeat(2_300)}\ntext`,
      {},
      'FORMAT_BROKEN: EML',
    ],
  ])('refuses %s', async (_name, source, limits, expected) => {
    expect(await refusalOf(() => parse(source, limits))).toBe(expected);
  });
});
