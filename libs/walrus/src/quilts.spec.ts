import { afterEach, describe, expect, it } from '@jest/globals';
import {
  givesBlob,
  says,
  type Handler,
  hostileStores,
  WALRUS_BLOB_ID as BLOB_ID,
  BLOB_BYTES as BYTES,
  outcomeOf as codeOf,
  WALRUS_CREATED as CREATED,
  OTHER_BLOB_ID as OTHER_ID,
} from '@usufruct/testing';
import type { QuiltPatchId } from './blob-store.js';

describe('quilts over HTTP', () => {
  const { against, close } = hostileStores();
  afterEach(close);

  const file = (identifier: string, text: string, tags?: Record<string, string>) => ({
    identifier,
    bytes: new TextEncoder().encode(text),
    ...(tags !== undefined && { tags }),
  });
  // Blob id, version 1, first and last column: 32 + 1 + 2 + 2 bytes (Walrus's QuiltPatchIdV1).
  const patchOf = (first: number, quiltId: string = BLOB_ID): string =>
    Buffer.concat([Buffer.from(quiltId, 'base64url'), Buffer.from([1, first, 0, first + 1, 0])]).toString('base64url');
  const quilt = (patches: unknown[], result: unknown = CREATED): Handler =>
    says(200, { blobStoreResult: result, storedQuiltBlobs: patches });
  const PATCHES = [
    { identifier: 'b.bin', quiltPatchId: patchOf(2) },
    { identifier: 'a.bin', quiltPatchId: patchOf(1) },
  ];
  const FILES = [file('a.bin', 'first', { kind: 'test' }), file('b.bin', 'second')];

  it('are sent as a form, and the answer is put in the order of the files', async () => {
    let body = '';
    const { store, seen } = await against(
      [
        (incoming, outgoing) => {
          quilt(PATCHES)(incoming, outgoing);
        },
      ],
      {
        fetch: async (input, init) => {
          body = await new Response(init?.body).text();
          return fetch(input, init);
        },
      },
    );
    const stored = await store.putMany(FILES, { epochs: 5, deletable: true });
    expect(seen).toEqual(['PUT /v1/quilts?epochs=5&deletable=true']);
    expect(stored).toMatchObject({ blobId: BLOB_ID, endEpoch: 35, objectId: CREATED.newlyCreated.blobObject.id });
    expect(stored.patches).toEqual([
      { identifier: 'a.bin', patchId: patchOf(1) },
      { identifier: 'b.bin', patchId: patchOf(2) },
    ]);
    for (const piece of ['name="a.bin"', 'first', 'name="b.bin"', 'second', '"tags":{"kind":"test"}'])
      expect(body).toContain(piece);
    expect(body).not.toContain('"identifier":"b.bin"');
  });

  it.each<[string, Handler, string]>([
    ['a file left out', quilt(PATCHES.slice(1)), 'UPSTREAM_INVALID'],
    ['a file twice', quilt([PATCHES[0], PATCHES[0]]), 'UPSTREAM_INVALID'],
    ['a file more', quilt([...PATCHES, { identifier: 'c', quiltPatchId: patchOf(3) }]), 'UPSTREAM_INVALID'],
    [
      'a patch of another quilt',
      quilt([PATCHES[0], { identifier: 'a.bin', quiltPatchId: patchOf(1, OTHER_ID) }]),
      'BLOB_MISMATCH',
    ],
    [
      'a patch id that is none',
      quilt([PATCHES[0], { identifier: 'a.bin', quiltPatchId: BLOB_ID }]),
      'UPSTREAM_INVALID',
    ],
    ['a blob marked invalid', quilt(PATCHES, { markedInvalid: { blobId: BLOB_ID } }), 'UPSTREAM_INVALID'],
    ['an error page', says(200, '<html>', 'text/html'), 'UPSTREAM_INVALID'],
    ['no room', says(507, ''), 'STORE_FULL'],
  ])('put: refuses %s', async (_, handler, code) => {
    const { store } = await against([handler]);
    expect(await codeOf(store.putMany(FILES))).toBe(code);
  });

  it.each<[string, ReturnType<typeof file>[], string]>([
    ['no files', [], 'FILE_EMPTY'],
    ['an empty file', [file('a', '')], 'FILE_EMPTY'],
    ['an identifier twice', [file('a', 'x'), file('a', 'y')], 'INVALID_ARGUMENT'],
    ['Walrus’s own field', [file('_metadata', 'x')], 'INVALID_ARGUMENT'],
    ['a path', [file('../a', 'x')], 'INVALID_ARGUMENT'],
    ['a quote', [file('a"b', 'x')], 'INVALID_ARGUMENT'],
    ['a tag with a line break', [file('a', 'x', { kind: 'a\r\nb' })], 'INVALID_ARGUMENT'],
    ['too many', Array.from({ length: 4 }, (_, i) => file(`f${i}`, 'x')), 'REQUEST_TOO_LARGE'],
    ['too many bytes', [file('a', 'x'.repeat(40)), file('b', 'x'.repeat(40))], 'REQUEST_TOO_LARGE'],
  ])('put: sends nothing for %s', async (_, files, code) => {
    const { store, seen } = await against([quilt(PATCHES)], { maxQuiltFiles: 3, maxBlobBytes: 64 });
    expect(await codeOf(store.putMany(files))).toBe(code);
    expect(seen).toEqual([]);
  });

  it('are refused where there are none', async () => {
    const { store } = await against([quilt(PATCHES)], { maxQuiltFiles: 0 });
    expect(store.abilities.quilts).toBe(false);
    expect(await codeOf(store.putMany(FILES))).toBe('STORE_UNSUPPORTED');
  });

  it('give one file by its patch, or by the quilt and its name', async () => {
    const { store, seen } = await against([givesBlob(BYTES)]);
    const patchId = patchOf(1) as QuiltPatchId;
    expect(await store.getPatch({ patchId })).toEqual(BYTES);
    expect(await store.getPatch({ quiltId: BLOB_ID, identifier: 'a b/c' })).toEqual(BYTES);
    expect(seen).toEqual([
      `GET /v1/blobs/by-quilt-patch-id/${patchId}`,
      `GET /v1/blobs/by-quilt-id/${BLOB_ID}/a%20b%2Fc`,
    ]);
    expect(await codeOf(store.getPatch({ patchId: '../x' as QuiltPatchId }))).toBe('INVALID_ARGUMENT');
    const gone = await against([says(404, {})]);
    expect(await codeOf(gone.store.getPatch({ patchId }))).toBe('BLOB_UNAVAILABLE');
  });
});
