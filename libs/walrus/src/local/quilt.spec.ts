import { describe, expect, it } from '@jest/globals';
import { encodeQuilt } from '@mysten/walrus';
import { UsufructError, type BlobId } from '@usufruct/kernel';
import fc from 'fast-check';
import { sourceSymbols } from '../cost/index.js';
import { parseForm } from './multipart.js';
import {
  decodePatchId,
  encodePatchId,
  filesOf,
  makeQuilt,
  mostQuiltFiles,
  readPatch,
  readPatches,
  type QuiltFile,
} from './quilt.js';

const QUILT_ID = '6XUOE-Q5-nAXHRifN6n9nomVDtHZQbGuAkW3PjlBuKo' as BlobId;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    return error instanceof UsufructError ? error.code : String(error);
  }
};

describe('a quilt', () => {
  const files = fc.uniqueArray(
    fc.record({
      identifier: fc.stringMatching(/^[a-z0-9][\w./-]{0,40}$/),
      contents: fc.uint8Array({ maxLength: 3_000 }),
      tags: fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 20 }), { maxKeys: 4 }),
    }),
    { minLength: 1, maxLength: 16, selector: ({ identifier }) => identifier },
  );

  it('made by Walrus’s own encoder gives every file back, by its index', async () => {
    await fc.assert(
      fc.asyncProperty(files, fc.constantFrom(25, 49, 100), async (given, shards) => {
        const { bytes, patches } = await makeQuilt(given, shards);
        const read = readPatches(bytes, shards);
        expect(read).toEqual(patches);
        for (const { identifier, contents, tags } of given) {
          const patch = read?.find((one) => one.identifier === identifier);
          expect({ ...patch?.tags }).toEqual({ ...tags });
          expect(readPatch(bytes, patch!, shards)).toEqual(contents);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('is read alike at the 1,000 shards of the mainnet, with hundreds of files', () => {
    const given = Array.from({ length: 600 }, (_, i) => ({
      identifier: `file-${i}`,
      contents: new Uint8Array(i).fill(i),
      tags: {},
    }));
    const { quilt } = encodeQuilt({ blobs: given, numShards: 1_000 });
    const patches = readPatches(quilt, 1_000) ?? [];
    expect(patches).toHaveLength(600);
    for (const patch of patches)
      expect(readPatch(quilt, patch, 1_000)).toEqual(
        given.find((one) => one.identifier === patch.identifier)?.contents,
      );
  });

  it('names its files by columns, as the documentation prints it', () => {
    // From Walrus's documentation of quilts: columns 1 to 208, and 208 to 635.
    const first = { identifier: 'another_walrus.jpg', tags: {}, startIndex: 1, endIndex: 208 };
    const second = { identifier: 'walrus.jpg', tags: {}, startIndex: 208, endIndex: 635 };
    expect(encodePatchId(QUILT_ID, first)).toBe(`${QUILT_ID.slice(0, 42)}oBAQDQAA`);
    expect(encodePatchId(QUILT_ID, second)).toBe(`${QUILT_ID.slice(0, 42)}oB0AB7Ag`);
    expect(decodePatchId(`${QUILT_ID}B0AB7Ag`)).toEqual({ quiltId: QUILT_ID, startIndex: 208, endIndex: 635 });
    for (const bad of ['', QUILT_ID, `${QUILT_ID}C0AB7Ag`, `${QUILT_ID}B0AB7A`, `${QUILT_ID}B0AB7Ag=`, '../etc/passwd'])
      expect(decodePatchId(bad)).toBeNull();
  });

  it('is nothing else than a quilt: other bytes have no files and break nothing', async () => {
    const shards = 25;
    const { bytes } = await makeQuilt(
      [{ identifier: 'a', contents: new Uint8Array(1_000).fill(7), tags: { x: 'y' } }],
      shards,
    );
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (position, flip) => {
        const changed = Uint8Array.from(bytes);
        changed[position] = (changed[position] ?? 0) ^ flip;
        const patches = readPatches(changed, shards);
        for (const patch of patches ?? []) {
          const file = readPatch(changed, patch, shards);
          if (file !== null) expect(file.length).toBeLessThanOrEqual(bytes.length);
        }
      }),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 5_000 }), (any) => void readPatches(any, shards)));
    expect(readPatches(new Uint8Array(0), shards)).toBeNull();
    expect(readPatches(new Uint8Array(153 * 2), shards)).toBeNull();
    expect(readPatches(bytes.subarray(2), shards)).toBeNull();
  });

  const file = (identifier: string, sizeBytes = 10): QuiltFile => ({
    identifier,
    contents: new Uint8Array(sizeBytes),
    tags: {},
  });
  it.each<[string, QuiltFile[], string]>([
    ['a name twice', [file('a'), file('a')], 'INVALID_ARGUMENT'],
    ['a name that begins with an underscore', [file('_a')], 'INVALID_ARGUMENT'],
    ['an empty name', [file('')], 'INVALID_ARGUMENT'],
    ['a name that ends with a blank', [file('a ')], 'INVALID_ARGUMENT'],
    ['a name of 64 KB', [file('a'.repeat(65_535))], 'INVALID_ARGUMENT'],
    ['more files than columns', Array.from({ length: 17 }, (_, i) => file(`f${i}`)), 'REQUEST_TOO_LARGE'],
    ['more bytes than the code takes', [file('a', 10_026_703)], 'REQUEST_TOO_LARGE'],
  ])('is not made of %s', async (_, given, code) => {
    await expect(makeQuilt(given, 25)).rejects.toMatchObject({ code });
  });

  it('has room for the index and as many files as there are other columns', async () => {
    expect(mostQuiltFiles(25)).toBe(sourceSymbols(25).secondary - 1);
    expect(
      codeOf(() =>
        makeQuilt(
          Array.from({ length: 16 }, (_, i) => file(`f${i}`)),
          25,
        ),
      ),
    ).toBe('accepted');
  });
});

describe('a form', () => {
  const TYPE = 'multipart/form-data; boundary=XX';
  const parse = (body: string | Buffer, type = TYPE, most = 10): [string, string][] =>
    parseForm(Buffer.from(body), type, most).map(({ name, bytes }) => [name, Buffer.from(bytes).toString('latin1')]);
  const part = (name: string, body: string): string =>
    `--XX\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${body}\r\n`;

  it('is read as any client writes it', async () => {
    const names = fc.stringMatching(/^[a-z0-9][\w./ -]{0,20}$/);
    const parts = fc.array(fc.tuple(names, fc.uint8Array({ maxLength: 300 }), fc.boolean()), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(parts, async (given) => {
        const form = new FormData();
        for (const [name, bytes] of given) form.append(name, new Blob([Uint8Array.from(bytes)]), 'x"y.bin');
        const response = new Response(form);
        const body = Buffer.from(await response.arrayBuffer());
        const read = parseForm(body, response.headers.get('content-type') ?? '', 10);
        expect(read.map(({ name, bytes }) => [name, new Uint8Array(bytes)])).toEqual(
          given.map(([name, bytes]) => [name, new Uint8Array(bytes)]),
        );
      }),
      { numRuns: 100 },
    );
  });

  it('may have a preamble, blanks after a boundary, other headers, and bytes that look like one', () => {
    expect(parse(`${part('a', '')}${part('b', 'x--XX--\r\n--X')}--XX--`)).toEqual([
      ['a', ''],
      ['b', 'x--XX--\r\n--X'],
    ]);
    const headers = 'content-type: image/png\r\ncontent-disposition: form-data; filename="name=no"; name=c';
    expect(parse(`preamble\r\n--XX \t\r\n${headers}\r\n\r\nbody\r\n--XX--\r\nepilogue`)).toEqual([['c', 'body']]);
    expect(parse(part('a', 'b') + '--XX--', 'Multipart/Form-Data; charset=utf-8; boundary="XX"')).toEqual([['a', 'b']]);
    expect(parse('--XX--')).toEqual([]);
  });

  it.each<[string, string, string]>([
    ['no boundary', part('a', 'b') + '--XX--', 'multipart/form-data'],
    ['another type', part('a', 'b') + '--XX--', 'application/json'],
    ['no type', part('a', 'b') + '--XX--', ''],
    ['nothing', '', TYPE],
    ['no end', part('a', 'b'), TYPE],
    ['half a part', part('a', 'b').slice(0, 40), TYPE],
    ['a part without a name', '--XX\r\nContent-Disposition: form-data; filename="a"\r\n\r\nb\r\n--XX--', TYPE],
    ['a part without headers', '--XX\r\n\r\nb\r\n--XX--', TYPE],
    ['a part that never says its headers are over', '--XX\r\nContent-Disposition: form-data; name="a"\r\n--XX--', TYPE],
    ['another boundary', part('a', 'b') + '--XX--', 'multipart/form-data; boundary=YY'],
    ['text after a boundary', '--XXY\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--XX--', TYPE],
  ])('is refused with %s', (_, body, type) => {
    expect(codeOf(() => parse(body, type))).toBe('MALFORMED_REQUEST');
  });

  it('is refused with more parts than there may be', () => {
    expect(codeOf(() => parse(`${part('a', 'b').repeat(3)}--XX--`, TYPE, 2))).toBe('REQUEST_TOO_LARGE');
  });

  it('gives files their tags, as text', () => {
    const metadata = [{ identifier: 'a', tags: { n: 3, o: { p: [1] }, s: 'x' } }, { identifier: 'nobody' }];
    const parts = [
      { name: 'a', bytes: utf8('1') },
      { name: '_metadata', bytes: utf8(JSON.stringify(metadata)) },
      { name: 'b', bytes: utf8('2') },
    ];
    expect(filesOf(parts)).toEqual([
      { identifier: 'a', contents: utf8('1'), tags: { n: '3', o: '{"p":[1]}', s: 'x' } },
      { identifier: 'b', contents: utf8('2'), tags: {} },
    ]);
  });

  it.each<[string, string, string]>([
    ['no JSON', '{', 'MALFORMED_REQUEST'],
    ['no list', '{}', 'INVALID_ARGUMENT'],
    ['no identifier', '[{"tags":{}}]', 'INVALID_ARGUMENT'],
    ['a file twice', '[{"identifier":"a"},{"identifier":"a"}]', 'INVALID_ARGUMENT'],
  ])('is refused with metadata that has %s', (_, text, code) => {
    const parts = [
      { name: 'a', bytes: utf8('1') },
      { name: '_metadata', bytes: utf8(text) },
    ];
    expect(codeOf(() => filesOf(parts))).toBe(code);
  });

  it('is refused without a file', () => {
    expect(codeOf(() => filesOf([{ name: '_metadata', bytes: utf8('[]') }]))).toBe('MALFORMED_REQUEST');
  });
});
