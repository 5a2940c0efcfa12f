import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  asAmount,
  asBasisPoints,
  asTimestampMs,
  decimalOf,
  parseAmount,
  parseDecimal,
  sumUnits,
  U64_MAX,
} from './units.js';
import { UsufructError } from './errors.js';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return error instanceof UsufructError ? error.code : 'not ours';
  }
  return 'accepted';
};

describe('amounts', () => {
  it.each([
    ['', 'empty'],
    ['-1', 'negative'],
    ['+1', 'signed'],
    ['01', 'leading zero'],
    ['1.0', 'fraction'],
    ['1e3', 'exponent'],
    [' 1', 'space'],
    ['0x10', 'hex'],
    ['18446744073709551616', 'one more than u64 holds'],
    ['99999999999999999999', 'twenty nines'],
    ['١', 'a digit that is not ASCII'],
  ])('refuses %j (%s)', (text) => {
    expect(codeOf(() => parseAmount(text))).toBe('INVALID_ARGUMENT');
  });

  it('accepts both ends of u64', () => {
    expect(parseAmount('0')).toBe(0n);
    expect(parseAmount('18446744073709551615')).toBe(U64_MAX);
  });

  it('survives the wire for every u64', () => {
    fc.assert(fc.property(fc.bigInt(0n, U64_MAX), (value) => parseAmount(asAmount(value).toString()) === value));
  });

  it('refuses a sum that leaves u64 instead of wrapping', () => {
    expect(codeOf(() => sumUnits([asAmount(U64_MAX), asAmount(1n)]))).toBe('INVALID_ARGUMENT');
    expect(sumUnits([asAmount(2n), asAmount(3n)])).toBe(5n);
  });
});

describe('time and basis points', () => {
  it.each([NaN, Infinity, -1, 1.5, 253_402_300_800_000])('refuses %p as milliseconds', (value) => {
    expect(codeOf(() => asTimestampMs(value))).toBe('INVALID_ARGUMENT');
  });
  it('takes the last millisecond of 9999', () => {
    expect(asTimestampMs(Date.UTC(9999, 11, 31, 23, 59, 59, 999))).toBe(253_402_300_799_999);
  });
  it.each([-1, 10_001, 0.5, NaN])('refuses %p basis points', (value) => {
    expect(codeOf(() => asBasisPoints(value))).toBe('INVALID_ARGUMENT');
  });
});

describe('amounts in whole coins', () => {
  const USDC = { decimals: 6 };
  it.each([
    [0n, '0'],
    [1n, '0.000001'],
    [2_500_000n, '2.5'],
    [10_000_000n, '10'],
    [U64_MAX, '18446744073709.551615'],
  ])('%s units of six decimals are %s', (units, text) => {
    expect(decimalOf(units, USDC)).toBe(text);
    expect(parseDecimal(text, USDC)).toBe(units);
  });

  it.each(['', '-1', '+1', '1.', '.5', '01', '1e3', '1,5', '0.0000001', '18446744073709.551616', ' 1', 'NaN'])(
    'are not read from "%s"',
    (text) => {
      expect(codeOf(() => parseDecimal(text, USDC))).toBe('INVALID_ARGUMENT');
    },
  );

  it('are read back as they were written, whatever the coin', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: U64_MAX }), fc.integer({ min: 0, max: 18 }), (units, decimals) => {
        expect(parseDecimal(decimalOf(units, { decimals }), { decimals })).toBe(units);
      }),
    );
  });
});
