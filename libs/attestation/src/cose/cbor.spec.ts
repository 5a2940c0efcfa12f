import { describe, expect, it } from '@jest/globals';
import { encodeCbor, type CborInput } from '@usufruct/attestation-dev';
import fc from 'fast-check';
import { fromHex, toHex, utf8 } from '@usufruct/kernel';
import { cborBytes, parseCbor } from './cbor.js';
import { encodeCoseSign1, parseCoseSign1, sigStructure } from './sign1.js';

describe('strict CBOR', () => {
  // RFC 8949, appendix A: examples of encoded data items.
  it.each<[string, CborInput]>([
    ['00', 0],
    ['17', 23],
    ['1818', 24],
    ['1903e8', 1000],
    ['1a000f4240', 1_000_000],
    ['1b000000e8d4a51000', 1_000_000_000_000],
    ['20', -1],
    ['3903e7', -1000],
    ['f6', null],
    ['4401020304', Uint8Array.of(1, 2, 3, 4)],
    ['6449455446', 'IETF'],
    ['62c3bc', 'ü'],
    ['80', []],
    ['8301820203820405', [1, [2, 3], [4, 5]]],
  ])('reads %s', (hex, value) => {
    expect(parseCbor(fromHex(hex))).toEqual(value);
    expect(toHex(encodeCbor(value))).toBe(hex);
  });

  it('reads maps in their order', () => {
    // RFC 8949, appendix A: {"a": 1, "b": [2, 3]} and {1: 2, 3: 4}.
    expect(parseCbor(fromHex('a26161016162820203'))).toEqual(
      new Map<string, unknown>([
        ['a', 1],
        ['b', [2, 3]],
      ]),
    );
    expect([...(parseCbor(fromHex('a203040102')) as Map<number, number>).keys()]).toEqual([3, 1]);
  });

  it.each([
    ['nothing', ''],
    ['bytes behind', '0000'],
    ['less than its length', '4401'],
    ['a length cut off', '19'],
    ['an argument that is not the shortest: 23 in a byte', '1817'],
    ['an argument that is not the shortest: 255 in two', '1900ff'],
    ['an argument that is not the shortest: 65535 in four', '1a0000ffff'],
    ['an argument that is not the shortest: 2^32 - 1 in eight', '1b00000000ffffffff'],
    ['a length that is not the shortest', '580161'],
    ['a number beyond 2^53', '1b0020000000000000'],
    ['reserved arguments', '1c'],
    ['an indefinite byte string', '5f42010243030405ff'],
    ['an indefinite text string', '7f657374726561646d696e67ff'],
    ['an indefinite array', '9f0102ff'],
    ['an indefinite map', 'bf6161 01ff'.replace(' ', '')],
    ['a break alone', 'ff'],
    ['a key twice', 'a2616101616102'],
    ['a number as a key twice', 'a201020103'],
    ['a key that is a list', 'a18001'],
    ['a key that is bytes', 'a14101 01'.replace(' ', '')],
    ['text that is not UTF-8', '61ff'],
    ['text with half a character', '62c328'],
    ['text with a mark of the byte order', '64efbbbf61'],
    ['a tag', 'c000'],
    ['false', 'f4'],
    ['undefined', 'f7'],
    ['a simple value in two bytes', 'f8ff'],
    ['a float', 'f93c00'],
    ['a double', 'fb3ff199999999999a'],
    ['an array that is longer than the input', '9a00ffffff'],
    ['a byte string that is longer than the input', '5b001fffffffffffff'],
  ])('refuses %s', (_name, hex) => {
    expect(parseCbor(fromHex(hex))).toBeUndefined();
  });

  it('refuses depths and sizes that no evidence has, quickly', () => {
    const nested = (depth: number) => Uint8Array.from([...new Uint8Array(depth).fill(0x81), 0x00]);
    expect(parseCbor(nested(5))).toBeDefined();
    expect(parseCbor(nested(6))).toBeUndefined();
    expect(parseCbor(nested(60_000))).toBeUndefined();
    expect(parseCbor(encodeCbor(Array.from({ length: 511 }, () => 0)))).toBeDefined();
    expect(parseCbor(encodeCbor(Array.from({ length: 512 }, () => 0)))).toBeUndefined();
    expect(parseCbor(encodeCbor(new Uint8Array(65_533)))).toBeDefined();
    expect(parseCbor(encodeCbor(new Uint8Array(65_534)))).toBeUndefined();
  });

  it('never throws, and what it reads has one encoding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 48 }), (bytes) => {
        const value = parseCbor(bytes);
        expect(value === undefined || toHex(encodeCbor(asInput(value))) === toHex(bytes)).toBe(true);
      }),
    );
  });
});

function asInput(value: unknown): CborInput {
  if (value instanceof Map) return { pairs: [...value].map(([key, item]) => [key as CborInput, asInput(item)]) };
  return Array.isArray(value) ? value.map(asInput) : (value as CborInput);
}

describe('COSE_Sign1', () => {
  it('signs the structure of RFC 9052 §4.4', () => {
    // ["Signature1", h'a1013822', h'', h'74657374'], encoded by hand: 84, 6a + 10 letters, 44, 40, 44.
    expect(toHex(sigStructure(utf8('test')))).toBe('846a5369676e61747572653144a1013822404474657374');
  });

  it('reads back what it wrote, and refuses another form', () => {
    const signature = new Uint8Array(96).fill(7);
    const message = encodeCoseSign1(utf8('test'), signature);
    expect(parseCoseSign1(message)).toEqual({
      payload: utf8('test'),
      signature,
      signedBytes: sigStructure(utf8('test')),
    });
    expect(parseCoseSign1(encodeCoseSign1(new Uint8Array(), signature))).toBeNull();
    expect(parseCoseSign1(encodeCoseSign1(new Uint8Array(16_385), signature))).toBeNull();
    const header = fromHex('a1013822');
    const parts: CborInput[] = [header, { pairs: [] }, utf8('test'), signature];
    expect(parseCoseSign1(encodeCbor(parts))).not.toBeNull();
    const bad: CborInput[][] = [
      parts.slice(0, 3),
      [...parts, null],
      // {1: -7}: ES256; {}: no algorithm; {1: -35, 4: h''}: a key id.
      [fromHex('a10126'), ...parts.slice(1)],
      [fromHex('a0'), ...parts.slice(1)],
      [fromHex('a20138220440'), ...parts.slice(1)],
      [header, { pairs: [[4, header]] }, ...parts.slice(2)],
      [header, null, ...parts.slice(2)],
      [header, { pairs: [] }, null, signature],
      [header, { pairs: [] }, 'test', signature],
      [...parts.slice(0, 3), signature.subarray(1)],
    ];
    for (const form of bad) expect(parseCoseSign1(encodeCbor(form))).toBeNull();
    expect(() => encodeCoseSign1(utf8('test'), new Uint8Array(64))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });

  it('writes the shortest head of a string', () => {
    expect(toHex(cborBytes(new Uint8Array(23)).subarray(0, 1))).toBe('57');
    expect(toHex(cborBytes(new Uint8Array(24)).subarray(0, 2))).toBe('5818');
    expect(toHex(cborBytes(new Uint8Array(256)).subarray(0, 3))).toBe('590100');
  });
});
