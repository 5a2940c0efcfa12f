import { describe, expect, it } from '@jest/globals';
import { asBlobId, UsufructError } from '@usufruct/kernel';
import { readBlobObject } from './blob-object.js';
import { walrusQuilt } from './quilt.js';

const le = (value: number | bigint, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 255n));

describe('a Blob object of Walrus', () => {
  const ID = Array.from({ length: 32 }, (_, i) => i);
  const BLOB = Array.from({ length: 32 }, (_, i) => 255 - i);
  /** As Move serialises `walrus::blob::Blob` (contracts/walrus/sources/system/blob.move). */
  const object = (certified: number | null, deletable: boolean): Uint8Array =>
    Uint8Array.from([
      ...[ID, le(31, 4), BLOB, le(5_000_000_000, 8), [1], certified === null ? [0] : [1, ...le(certified, 4)]].flat(),
      ...[ID.toReversed(), le(31, 4), le(57, 4), le(66_034_000, 8), [deletable ? 1 : 0]].flat(),
    ]);

  it('says what is leased until when', () => {
    expect(readBlobObject(object(32, true))).toEqual({
      blobId: asBlobId(Buffer.from(BLOB).toString('base64url')),
      objectId: `0x${Buffer.from(ID).toString('hex')}`,
      sizeBytes: 5_000_000_000,
      endEpoch: 57,
      deletable: true,
      certified: true,
      encodedBytes: 66_034_000,
    });
    expect(readBlobObject(object(null, false))).toMatchObject({ certified: false, deletable: false });
  });

  it.each([0, 31, 100])('of %d bytes is none', (length) => {
    expect(() => readBlobObject(object(null, false).slice(0, length))).toThrow(UsufructError);
  });
});

describe('a quilt', () => {
  const QUILT_ID = Buffer.from('uIiEbhP2qgZYygEGxJX1GeB-rQATo2yufC2DCp7B4iA', 'base64url').toString('base64url');
  const file = (identifier: string, length: number) => ({ identifier, bytes: new Uint8Array(length).fill(7) });

  it('names each file by the columns that it fills, as Walrus’s documentation shows', () => {
    const quilt = walrusQuilt([file('b', 10), file('a', 10)], 10);
    const patches = quilt.patchesOf(QUILT_ID);
    // Sorted by identifier, version 1, little-endian (`…B4iABAQANAA` in the documentation is 1 to 13). 10 shards make 4
    // rows and 7 columns. The index has 16 bytes and each file 20 with its header; with symbols of 2 bytes, 8 a column,
    // they would need 2 + 3 + 3 columns, with 4 bytes 1 + 2 + 2.
    expect(
      patches.map(({ identifier, patchId }) => [identifier, ...Buffer.from(patchId, 'base64url').subarray(32)]),
    ).toEqual([
      ['a', 1, 1, 0, 3, 0],
      ['b', 1, 3, 0, 5, 0],
    ]);
    expect(patches.every(({ patchId }) => patchId.length === 50 && patchId.startsWith(QUILT_ID.slice(0, 42)))).toBe(
      true,
    );
    // Both files are in it, column by column: ten bytes of 7 each.
    expect(quilt.bytes.filter((byte) => byte === 7)).toHaveLength(20);
  });

  it('holds one file for each column less the index', () => {
    // 10 shards: 3 may fail, 7 columns.
    const files = Array.from({ length: 7 }, (_, i) => file(`f${i}`, 10));
    expect(walrusQuilt(files.slice(1), 10).patchesOf(QUILT_ID)).toHaveLength(6);
    expect(() => walrusQuilt(files, 10)).toThrow(UsufructError);
  });
});
