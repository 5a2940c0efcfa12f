import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { refuse, toHex32, UsufructError, utf8, type BlobId, type Hex32 } from '@usufruct/kernel';
import { FakeStore } from '@usufruct/testing';
import { QUILTED_AT_MOST_BYTES, quiltIdentifier, readPart, type PartReader } from './parts.js';

const digestOf = (bytes: Uint8Array): Hex32 => toHex32(createHash('sha256').update(bytes).digest());
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'read',
    (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
  );

describe('a part, wherever it lies', () => {
  const bytes = utf8('a small ciphertext');
  const others = utf8('another small one');
  let store: FakeStore;
  let asked: string[];
  let quilt: BlobId;
  let blob: BlobId;
  let reader: PartReader;
  const read = (blobId: BlobId, wanted = bytes, sizeBytes = wanted.length) =>
    readPart(reader, { blobId, digest: digestOf(wanted), sizeBytes }, (got) => digestOf(got) === digestOf(wanted));

  beforeEach(async () => {
    [store, asked] = [new FakeStore(), []];
    const files = [bytes, others].map((each) => ({ identifier: quiltIdentifier(digestOf(each)), bytes: each }));
    quilt = (await store.putMany(files)).blobId;
    blob = (await store.put(bytes)).blobId;
    reader = {
      get: (...args) => (asked.push('blob'), store.get(...args)),
      getPatch: (...args) => (asked.push('patch'), store.getPatch(...args)),
    };
  });

  it('is read out of its quilt at once', async () => {
    expect(await read(quilt)).toEqual(bytes);
    expect(await read(quilt, others)).toEqual(others);
    expect(asked).toEqual(['patch', 'patch']);
  });

  it('is read as a blob where it is no quilt, after one question in vain', async () => {
    expect(await read(blob)).toEqual(bytes);
    expect(asked).toEqual(['patch', 'blob']);
  });

  it('is looked for in no quilt where it is too large for one', async () => {
    const large = new Uint8Array(QUILTED_AT_MOST_BYTES + 1).fill(7);
    const { blobId } = await store.put(large);
    expect(await read(blobId, large)).toEqual(large);
    expect(asked).toEqual(['blob']);
  });

  it('is found in its quilt though the first answer was lost, or wrong', async () => {
    const { getPatch } = reader;
    for (const first of [
      () => Promise.reject(refuse('BLOB_UNAVAILABLE', { upstream: 'https://a.example' })),
      () => Promise.resolve(utf8('something else')),
    ]) {
      let times = 0;
      reader = { ...reader, getPatch: (...args) => (times++ === 0 ? first() : getPatch(...args)) };
      expect(await read(quilt)).toEqual(bytes);
    }
  });

  const silent = () => Promise.reject(refuse('BLOB_UNAVAILABLE', { upstream: 'https://a.example' }));
  const missing = () => Promise.reject(refuse('BLOB_UNAVAILABLE', { blobId: 'x' }));
  const forbidden = () => Promise.reject(refuse('UPSTREAM_INVALID', { upstream: 'https://a.example', status: '403' }));
  const tooLarge = () => Promise.reject(refuse('UPSTREAM_INVALID', { upstream: 'https://a.example', field: 'size' }));
  const gives = (given: Uint8Array) => () => Promise.resolve(given);
  it.each<[string, () => Promise<Uint8Array>, () => Promise<Uint8Array>, string]>([
    ['nobody has it', missing, missing, 'BLOB_UNAVAILABLE'],
    ['nobody answers', silent, silent, 'BLOB_UNAVAILABLE'],
    ['the blob is another', missing, gives(new Uint8Array(bytes.length)), 'BLOB_MISMATCH'],
    ['the blob is another of another size', missing, gives(utf8('x')), 'BLOB_MISMATCH'],
    ['a quilt is there and its files are not given', silent, gives(utf8('the whole quilt')), 'BLOB_UNAVAILABLE'],
    ['the file in the quilt is another', gives(utf8('x')), missing, 'BLOB_MISMATCH'],
    ['the store knows no quilts and has no such blob', forbidden, missing, 'BLOB_UNAVAILABLE'],
    ['a large quilt does not hold it', missing, tooLarge, 'BLOB_UNAVAILABLE'],
    ['a broken store', forbidden, forbidden, 'UPSTREAM_INVALID'],
  ])('%s: refused for what it is', async (_, patch, whole, code) => {
    reader = { getPatch: patch, get: whole };
    expect(await codeOf(read(blob))).toBe(code);
  });

  it('is given up when the caller has', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const name = { blobId: blob, digest: digestOf(bytes), sizeBytes: bytes.length };
    expect(await codeOf(readPart(store, name, () => true, { signal }))).toBe('Error: enough');
  });
});
