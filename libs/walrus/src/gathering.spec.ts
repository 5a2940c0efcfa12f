import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Gathering } from './gathering.js';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

describe('gathering an answer', () => {
  it('gives what came, whatever was expected or said about its length, and refuses more than the limit', () => {
    const expected = fc.option(bytes(40), { nil: undefined });
    const pieces = fc.array(bytes(12), { maxLength: 6 });
    fc.assert(
      fc.property(expected, pieces, fc.nat(60), fc.nat(60), fc.boolean(), (other, list, likely, max, isSame) => {
        const whole = Buffer.concat(list);
        const gathering = new Gathering(likely, max, isSame ? Uint8Array.from(whole) : other);
        const isTaken = list.every((piece) => gathering.add(piece));
        expect(isTaken).toBe(whole.length <= max);
        if (isTaken) expect(Buffer.from(gathering.whole())).toEqual(whole);
      }),
    );
  });

  it.each([
    ['the same', [1, 2, 3, 4], true],
    ['less', [1, 2, 3], false],
    ['more', [1, 2, 3, 4, 5], false],
    ['other at its end', [1, 2, 3, 5], false],
    ['other at its beginning', [0, 2, 3, 4], false],
  ])('takes no memory for what is expected, and only for that: %s', (_what, came, isExpected) => {
    const expected = Uint8Array.of(1, 2, 3, 4);
    const gathering = new Gathering(4, 10, expected);
    for (const byte of came) gathering.add(Uint8Array.of(byte));
    expect([...gathering.whole()]).toEqual(came);
    expect(gathering.whole() === expected).toBe(isExpected);
    expect([...expected]).toEqual([1, 2, 3, 4]);
  });
});
