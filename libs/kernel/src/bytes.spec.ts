import { describe, expect, it } from '@jest/globals';
import { base64 } from '@scure/base';
import fc from 'fast-check';
import {
  concatBytes,
  equalBytes,
  fromBase64,
  fromBase64Url,
  fromHex,
  fromUtf8,
  lengthPrefixed,
  toBase64,
  toBase64Url,
  toHex,
  u32le,
  utf8,
} from './bytes.js';

const bytes = fc.uint8Array({ maxLength: 64 });

describe('bytes', () => {
  it('round-trips hex and base64 like Node does', () => {
    fc.assert(
      fc.property(bytes, (b) => {
        expect(toHex(b)).toBe(Buffer.from(b).toString('hex'));
        expect(toBase64(b)).toBe(Buffer.from(b).toString('base64'));
        expect(toBase64Url(b)).toBe(Buffer.from(b).toString('base64url'));
        expect(equalBytes(fromHex(toHex(b)), b)).toBe(true);
        expect(equalBytes(fromBase64(toBase64(b)), b)).toBe(true);
        expect(equalBytes(fromBase64Url(toBase64Url(b)), b)).toBe(true);
      }),
    );
  });

  it.each(['QQ', 'QQ=', 'QQ==\n', ' QQ==', 'QR==', 'QQ==QQ==', 'Q', '====', 'QQ-_', 'QUI', 'äQ=='])(
    'refuses %j, which is not the base64 of any bytes, as the decoder in browsers does',
    (text) => {
      expect(() => fromBase64(text, 'key')).toThrow(
        expect.objectContaining({ details: expect.objectContaining({ field: 'key' }) }),
      );
      expect(() => base64.decode(text)).toThrow();
    },
  );

  it('takes the same texts for base64 as the decoder in browsers', () => {
    const read = (run: () => Uint8Array): string => {
      try {
        return toHex(run());
      } catch {
        return 'refused';
      }
    };
    const near = fc
      .tuple(bytes, fc.nat(90), fc.constantFrom('', '=', '==', 'A', '/', '-', ' ', '\n', 'é'))
      .map(([b, at, put]) => {
        const text = toBase64(b);
        return text.slice(0, at) + put + text.slice(at + 1);
      });
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        expect(read(() => fromBase64(text))).toBe(read(() => base64.decode(text)));
      }),
      { numRuns: 500 },
    );
  });

  it('gives no two lists of parts the same length-prefixed bytes', () => {
    const list = fc.array(bytes, { maxLength: 4 });
    fc.assert(
      fc.property(list, list, (left, right) => {
        const same = left.length === right.length && left.every((part, i) => equalBytes(part, right[i]!));
        expect(equalBytes(lengthPrefixed(...left), lengthPrefixed(...right))).toBe(same);
      }),
    );
    // The pair that plain concatenation confuses.
    expect(equalBytes(lengthPrefixed(utf8('ab'), utf8('c')), lengthPrefixed(utf8('a'), utf8('bc')))).toBe(false);
  });

  it('writes lengths as little-endian u32', () => {
    expect([...u32le(0x01020304)]).toEqual([4, 3, 2, 1]);
    expect([...lengthPrefixed(utf8('hi'))]).toEqual([2, 0, 0, 0, 0x68, 0x69]);
  });

  it('compares like Buffer does', () => {
    fc.assert(fc.property(bytes, bytes, (a, b) => equalBytes(a, b) === Buffer.from(a).equals(Buffer.from(b))));
    expect(equalBytes(concatBytes(utf8('a'), utf8('b')), utf8('ab'))).toBe(true);
  });

  it('refuses malformed UTF-8 instead of replacing it', () => {
    expect(() => fromUtf8(Uint8Array.of(0xc3, 0x28))).toThrow(/valid UTF-8/);
    expect(fromUtf8(utf8('Grüße'))).toBe('Grüße');
  });
});
