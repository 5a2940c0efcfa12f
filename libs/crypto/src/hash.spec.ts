import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { toHex, utf8 } from '@usufruct/kernel';
import * as fc from 'fast-check';
import { createSha256, digestOf, digestOfStream, sha256 } from './hash.js';

describe('SHA-256', () => {
  it('gives the digests of FIPS 180-4', () => {
    // NIST's example values for the empty message, "abc" and the 448-bit message.
    expect(digestOf(utf8(''))).toBe('0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(toHex(sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(toHex(sha256(utf8('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq')))).toBe(
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    );
  });

  it('is the same in pieces, as a stream and in the platform', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 12 }), async (pieces) => {
        const platform = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
        const incremental = createSha256();
        for (const piece of pieces) incremental.update(piece);
        expect(toHex(incremental.digest())).toBe(platform);
        const stream = (async function* () {
          yield* pieces;
        })();
        expect(await digestOfStream(stream)).toBe(`0x${platform}`);
      }),
    );
  });
});
