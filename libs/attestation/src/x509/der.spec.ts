import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromHex, toHex } from '@usufruct/kernel';
import { encodeObjectId, octets, parseDer, smallInteger } from './der.js';

describe('strict DER', () => {
  it('reads nested elements', () => {
    // SEQUENCE { INTEGER 5, SEQUENCE { BOOLEAN TRUE }, OCTET STRING 0a0b }
    const tree = parseDer(fromHex('300c0201053003 0101ff 04020a0b'.replaceAll(' ', '')));
    expect(tree?.children.map(({ tag }) => tag)).toEqual([0x02, 0x30, 0x04]);
    expect(smallInteger(tree!.children[0]!)).toBe(5);
    expect(tree!.children[1]!.children[0]!.contents).toEqual(Uint8Array.of(0xff));
    expect(octets(tree!.children[2]!, 2)).toEqual(Uint8Array.of(10, 11));
    expect(octets(tree!.children[2]!, 3)).toBeNull();
  });

  it.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['less than its length', '0402ff'],
    ['trailing bytes', '050000'],
    ['an indefinite length', '30800000'],
    ['a long form for a short length', '04810100'],
    ['a length with a leading zero', '0482008000'],
    ['a length of four octets', '048400000001ff'],
    ['a tag in long form', '1f2100'],
    ['a BOOLEAN of 1', '010101'],
    ['a BOOLEAN of two octets', '0102ffff'],
    ['an empty INTEGER', '0200'],
    ['a padded positive INTEGER', '0202007f'],
    ['a padded negative INTEGER', '0202ff80'],
    ['a padded ENUMERATED', '0a020001'],
    ['a BIT STRING without its count', '0300'],
    ['8 unused bits', '030208ff'],
    ['unused bits that are set', '030201ff'],
    ['unused bits of nothing', '030101'],
    ['a NULL with contents', '050100'],
    ['an OBJECT IDENTIFIER that does not end', '060180'],
    ['a child that is longer than its parent', '3003040aff'],
  ])('refuses %s', (_name, hex) => {
    expect(parseDer(fromHex(hex))).toBeNull();
  });

  it('refuses a depth that no certificate has, and says so quickly for megabytes of it', () => {
    const nested = (depth: number): Uint8Array => {
      let der: Uint8Array = Uint8Array.of(0x05, 0x00);
      for (let i = 0; i < depth; i++) der = Uint8Array.of(0x30, der.length, ...der);
      return der;
    };
    expect(parseDer(nested(20))).not.toBeNull();
    expect(parseDer(nested(40))).toBeNull();
    // A SEQUENCE of 400,000 NULLs: 800,000 bytes, 0x0c3500.
    const many = new Uint8Array(5 + 800_000);
    many.set([0x30, 0x83, 0x0c, 0x35, 0x00]);
    for (let at = 5; at < many.length; at += 2) many[at] = 0x05;
    expect(parseDer(many)).toBeNull();
  });

  it('never throws, and what it reads covers all bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const tree = parseDer(bytes);
        expect(tree === null || toHex(tree.bytes) === toHex(bytes)).toBe(true);
      }),
    );
  });

  it('gives null for an integer that is negative or long, and for what is none', () => {
    for (const hex of ['0201ff', '02050100000000', '0401ff']) {
      expect(smallInteger(parseDer(fromHex(hex))!)).toBeNull();
    }
    expect(smallInteger(parseDer(fromHex('0203010000'))!)).toBe(65_536);
  });

  it('encodes object identifiers', () => {
    // X.690 §8.19.5: {2 100 3} is 813403; RFC 5480: id-ecPublicKey 1.2.840.10045.2.1 is 2a8648ce3d0201.
    expect(toHex(encodeObjectId('2.100.3'))).toBe('813403');
    expect(toHex(encodeObjectId('1.2.840.10045.2.1'))).toBe('2a8648ce3d0201');
    expect(toHex(encodeObjectId('1.2.840.113741.1.13.1'))).toBe('2a864886f84d010d01');
  });
});
