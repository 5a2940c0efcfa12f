import { expect, it } from '@jest/globals';
import { utf8 } from '@usufruct/kernel';
import { docxEntries, pptxEntries, xlsxEntries, zipOf } from '@usufruct/testing';
import fc from 'fast-check';
import { DOCUMENT_REFUSALS } from '../parse/refusal.js';
import { PARSE_LIMITS } from '../parse/types.js';
import { ingestBytes } from './ingest-bytes.js';

const sketchKey = new Uint8Array(8);
const run = (fileName: string, bytes: Uint8Array) =>
  ingestBytes({ file: { fileName, bytes }, limits: PARSE_LIMITS, sketchKey });

/** Either a refusal of the catalogue, or chunks that are the document: in order, at their offsets, with nothing left out. */
async function judge(fileName: string, bytes: Uint8Array): Promise<void> {
  const answer = await run(fileName, bytes);
  expect(await run(fileName, bytes)).toEqual(answer);
  if ('refusal' in answer) {
    expect(DOCUMENT_REFUSALS).toContain(answer.refusal.code);
    return;
  }
  const { text, chunks, sketches } = answer.reply;
  expect(sketches).toHaveLength(64 * chunks.length);
  let end = 0;
  for (const chunk of chunks) {
    expect(text.slice(end, chunk.startChar).trim()).toBe('');
    expect(text.slice(chunk.startChar, chunk.endChar).trim()).not.toBe('');
    end = chunk.endChar;
  }
  expect(text.slice(end).trim()).toBe('');
}

const utf8Of = (text: string): Uint8Array => Uint8Array.from(utf8(text));
const p = '<w:p><w:r><w:t>Some words to find.</w:t></w:r></w:p>';
const SAMPLES: Readonly<Record<string, Uint8Array>> = {
  'a.txt': utf8Of('A paragraph.\n\nEin zweiter Absatz. 第三段。'),
  'a.md': utf8Of('---\ntitle: x\n---\n# One\ntext\n\n```\ncode\n```\n| a | b |\n|---|---|\n| 1 | 2 |'),
  'a.html': utf8Of('<!doctype html><html lang=en><title>t</title><h1>One</h1><table><tr><td>1<td>2</table><p>text'),
  'a.csv': utf8Of('a,b\n1,"2\n3"\n'),
  'a.json': utf8Of('{"a":[{"b":1,"c":[1,2]},{"b":"long\\ntext"}],"d":true}'),
  'a.jsonl': utf8Of('{"a":1}\n{"a":"b"}\n'),
  'a.eml': utf8Of(
    'From: a@b.c\nSubject: =?utf-8?q?caf=C3=A9?=\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nwords=20here\n--x\nContent-Disposition: attachment; filename=a.csv\n\na,b\n1,2\n--x--\n',
  ),
  'a.docx': zipOf(docxEntries(p).map((entry) => ({ ...entry, isStored: true }))),
  'a.xlsx': zipOf(
    xlsxEntries({ S: '<row><c t="inlineStr"><is><t>text</t></is></c></row>' }).map((entry) => ({
      ...entry,
      isStored: true,
    })),
  ),
  'a.pptx': zipOf(pptxEntries(['<p:sp><p:txBody><a:p><a:r><a:t>text</a:t></a:r></a:p></p:txBody></p:sp>'])),
};

it.each(Object.entries(SAMPLES))('reads the sample %s', async (name, bytes) => {
  expect(await run(name, bytes)).toHaveProperty('reply');
});

it('refuses or reads whole any of them that is changed, cut short, repeated, or called another', async () => {
  const names = fc.constantFrom(...Object.keys(SAMPLES));
  const change = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.uint8Array({ maxLength: 6 }), fc.nat(6));
  await fc.assert(
    fc.asyncProperty(names, names, fc.array(change, { maxLength: 4 }), async (name, called, changes) => {
      let bytes = SAMPLES[name]!;
      for (const [place, inserted, removed] of changes) {
        const at = Math.floor(place * bytes.length);
        bytes = Uint8Array.from([...bytes.subarray(0, at), ...inserted, ...bytes.subarray(at + removed)]);
      }
      await judge(changes.length % 2 === 0 ? name : called, bytes);
    }),
    { numRuns: 300 },
  );
});

it('refuses or reads whole any text', async () => {
  const names = fc.constantFrom(...Object.keys(SAMPLES));
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 400 }),
    fc.string({ unit: 'binary', maxLength: 400 }),
    fc.json().map(String),
    fc.string({
      unit: fc.constantFrom('<', '>', '&', '"', '=', ',', '\n', '{', '[', ':', '#', '`', '|', 'a', ' ', '.', 'ไ', '。'),
      maxLength: 400,
    }),
  );
  await fc.assert(
    fc.asyncProperty(names, text, async (name, source) => judge(name, utf8Of(source))),
    { numRuns: 400 },
  );
});
