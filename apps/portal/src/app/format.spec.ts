import { describe, expect, it } from '@jest/globals';
import { U64_MAX } from '@usufruct/kernel';
import fc from 'fast-check';
import { amountInputText, formatAmount, formatBytes, parseAmountInput, shortId } from './format.js';

const usdc = { symbol: 'USDC', decimals: 6 };

describe('amounts', () => {
  it.each([
    [0n, '0.00 USDC'],
    [1n, '0.000001 USDC'],
    [1_500_000n, '1.50 USDC'],
    [1_234_567_890_000n, '1\u202f234\u202f567.89 USDC'],
  ])('%s units are written %s', (units, text) => {
    expect(formatAmount(units, usdc)).toBe(text);
  });

  it('writes a coin without decimals as an integer', () => {
    expect(formatAmount(1_000n, { symbol: 'PT', decimals: 0 })).toBe('1\u202f000 PT');
  });

  it('reads back exactly what it wrote into an input', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: U64_MAX }), fc.integer({ min: 0, max: 18 }), (units, decimals) => {
        const coin = { symbol: 'X', decimals };
        expect(parseAmountInput(amountInputText(units, coin), coin, 'price')).toBe(units);
      }),
    );
  });

  it.each(['', '-1', '1e3', '1.', '.5', '0.0000001', '1 000', '18446744073709.551616', '٣'])('refuses %p', (text) => {
    expect(() => parseAmountInput(text, usdc, 'price')).toThrow('price');
  });
});

describe('sizes and ids', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1_572_864, '1.5 MiB'],
    [2 * 1024 ** 3, '2.0 GiB'],
    [3 * 1024 ** 4, '3072.0 GiB'],
  ])('%d bytes are written %s', (size, text) => {
    expect(formatBytes(size)).toBe(text);
  });

  it('shortens only what is long', () => {
    expect(shortId(`0x${'ab'.repeat(32)}`)).toBe('0xababab…ababab');
    expect(shortId('short')).toBe('short');
  });
});
