import { describe, expect, it } from '@jest/globals';
import { refuse, UsufructError, utf8, type BlobId } from '@usufruct/kernel';
import type { QuiltFile } from './blob-store.js';
import { blobIdEncoder } from './blob-id/index.js';
import { checkQuilt } from './quilt-check.js';
import { walrusQuilt } from './sui/quilt.js';

const SHARDS = 7;
const FILES: QuiltFile[] = ['one', 'another', 'a third'].map((text, i) => ({
  identifier: `file-${i}`,
  bytes: utf8(text),
}));
const blobIdOf = await blobIdEncoder(SHARDS);
const quiltOf = (files: readonly QuiltFile[], shards = SHARDS): Uint8Array => walrusQuilt(files, shards).bytes;

describe('the quilt that a publisher names', () => {
  const codeOf = async (stored: Uint8Array, named: BlobId, shards = SHARDS): Promise<string> => {
    const check = { blobIdOf, shards, read: () => Promise.resolve(stored) };
    return checkQuilt(check, FILES, named, undefined).then(
      () => 'good',
      (error: unknown) => (error instanceof UsufructError ? error.code : String(error)),
    );
  };

  it('is good where it holds every file and has the id of what came back', async () => {
    const quilt = quiltOf(FILES);
    expect(await codeOf(quilt, await blobIdOf(quilt))).toBe('good');
  });

  it.each<[string, Uint8Array]>([
    ['a file less', quiltOf(FILES.slice(1))],
    ['a file of somebody else', quiltOf([...FILES, { identifier: 'more', bytes: utf8('of somebody else') }])],
    ['a file changed', quiltOf([FILES[0]!, FILES[1]!, { ...FILES[2]!, bytes: utf8('a THIRD') }])],
    ['a file longer', quiltOf([FILES[0]!, FILES[1]!, { ...FILES[2]!, bytes: utf8('a third one') }])],
    [
      'two files swapped',
      quiltOf([{ ...FILES[0]!, bytes: FILES[1]!.bytes }, { ...FILES[1]!, bytes: FILES[0]!.bytes }, FILES[2]!]),
    ],
    ['files without their index', quiltOf(FILES).map((byte, i) => (i === 0 ? 0 : byte))],
    ['no quilt at all', utf8('some blob')],
  ])('is refused with %s, under its own right id', async (_, stored) => {
    expect(await codeOf(stored, await blobIdOf(stored))).toBe('BLOB_MISMATCH');
  });

  it('is refused under another id, also that of the same files over other shards', async () => {
    const quilt = quiltOf(FILES);
    const other = quiltOf(FILES.toReversed().slice(1));
    expect(await codeOf(quilt, await blobIdOf(other))).toBe('BLOB_MISMATCH');
    expect(await codeOf(quilt, await (await blobIdEncoder(10))(quilt))).toBe('BLOB_MISMATCH');
  });

  it('may be denied for a while, and is not taken for stored where it stays so', async () => {
    const quilt = quiltOf(FILES);
    let misses = 1;
    const absent = () => Promise.reject(refuse('BLOB_UNAVAILABLE'));
    const late = { blobIdOf, shards: SHARDS, read: () => (misses-- > 0 ? absent() : Promise.resolve(quilt)) };
    await checkQuilt(late, FILES, await blobIdOf(quilt), undefined);
    const broken = { ...late, read: () => Promise.reject(refuse('UPSTREAM_INVALID')) };
    await expect(checkQuilt(broken, FILES, await blobIdOf(quilt), undefined)).rejects.toMatchObject({
      code: 'UPSTREAM_INVALID',
    });
  });
});
