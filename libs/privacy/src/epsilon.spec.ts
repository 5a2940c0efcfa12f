import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DEFAULT_ORDERS } from './curve.js';
import { epsilonOf, solveNoiseMultiplier } from './epsilon.js';
import { rdpOf } from './subsampled-gaussian.js';

const epsilonAt = (
  sampleRate: number,
  noiseMultiplier: number,
  steps: number,
  delta: number,
  orders = DEFAULT_ORDERS,
) => epsilonOf(rdpOf({ sampleRate, noiseMultiplier, steps, orders }), delta);

describe('epsilonOf', () => {
  it("agrees with Opacus's accountant (its tests/accountants_test.py) on its own orders", () => {
    expect(Math.abs(epsilonAt(0.04, 1.5, 2250, 1e-5).epsilon - 7.32911117143)).toBeLessThan(1e-6);
  });
  it("agrees with Google's dp_accounting (rdp_privacy_accountant_test.py) without sampling", () => {
    expect(Math.abs(epsilonAt(1, 4.530877117, 1, 1e-6).epsilon - 1)).toBeLessThan(1e-4);
  });
  it('is the minimum over the orders and names the order', () => {
    // α=2: 1 − (ln δ + ln 2)/1 + ln(1/2) = 1 + ln 1e5 − 2 ln 2 = 11.126631; α=11: 3 − (ln δ + ln 11)/10 + ln(10/11) = 3.816193
    expect(epsilonOf({ orders: [2], rdp: [1] }, 1e-5).epsilon).toBeCloseTo(11.126631, 6);
    const both = epsilonOf({ orders: [2, 11], rdp: [1, 3] }, 1e-5);
    expect(both.epsilon).toBeCloseTo(3.816193, 6);
    expect(both.order).toBe(11);
  });
  it('is never below zero', () => {
    expect(epsilonOf({ orders: [2], rdp: [0] }, 0.9).epsilon).toBe(0);
  });
  it('grows with steps and sample rate, falls with noise and δ', () => {
    const few = DEFAULT_ORDERS.filter((_, at) => at % 10 === 5);
    const rate = fc.double({ min: 1e-3, max: 0.5, noNaN: true });
    const noise = fc.double({ min: 0.5, max: 10, noNaN: true });
    const factor = fc.double({ min: 1, max: 2, noNaN: true });
    fc.assert(
      fc.property(rate, noise, fc.integer({ min: 1, max: 2000 }), factor, (q, sigma, steps, by) => {
        const base = epsilonAt(q, sigma, steps, 1e-5, few).epsilon;
        const above = base * (1 + 1e-9) + 1e-9;
        const below = base * (1 - 1e-9) - 1e-9;
        expect(epsilonAt(q, sigma, Math.ceil(steps * by), 1e-5, few).epsilon).toBeGreaterThanOrEqual(below);
        expect(epsilonAt(q * by, sigma, steps, 1e-5, few).epsilon).toBeGreaterThanOrEqual(below);
        expect(epsilonAt(q, sigma * by, steps, 1e-5, few).epsilon).toBeLessThanOrEqual(above);
        expect(epsilonAt(q, sigma, steps, 1e-5 * by, few).epsilon).toBeLessThanOrEqual(above);
      }),
      { numRuns: 15 },
    );
  });
  it.each([0, 1, -1, Number.NaN])('refuses δ = %d', (delta) => {
    expect(() => epsilonOf({ orders: [2], rdp: [1] }, delta)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ field: 'delta' }) }),
    );
  });
  it('refuses a curve without its values', () => {
    expect(() => epsilonOf({ orders: [2, 3], rdp: [1] }, 1e-5)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ field: 'rdp' }) }),
    );
  });
});

describe('solveNoiseMultiplier', () => {
  const target = { sampleRate: 0.04, steps: 2250, targetEpsilon: 8, delta: 1e-5 };
  // Opacus, tests/accountants_test.py
  it.each([
    [2250, 1.416],
    [2000, 1.3562],
  ])('finds the noise for %d steps: %d', (steps, expected) => {
    const { noiseMultiplier, epsilon } = solveNoiseMultiplier({ ...target, steps });
    expect(Math.abs(noiseMultiplier - expected)).toBeLessThan(2e-3);
    expect(epsilon).toBeLessThanOrEqual(8);
    expect(epsilonAt(0.04, noiseMultiplier * 0.999, steps, 1e-5).epsilon).toBeGreaterThan(8);
  });
  it('takes the least allowed noise where that is enough', () => {
    expect(solveNoiseMultiplier({ ...target, steps: 0 }).noiseMultiplier).toBe(0.1);
  });
  it.each<[string, Partial<typeof target>]>([
    ['targetEpsilon', { targetEpsilon: 0 }],
    ['targetEpsilon', { targetEpsilon: Infinity }],
    ['targetEpsilon', { targetEpsilon: Number.NaN }],
    // with orders up to 63 and δ = 1e-9 not even endless noise proves less than (ln 1e9 − ln 63)/62 + ln(62/63) = 0.251
    ['targetEpsilon', { targetEpsilon: 0.2, delta: 1e-9 }],
    ['delta', { delta: 1 }],
    ['sampleRate', { sampleRate: 2 }],
    ['steps', { steps: -1 }],
  ])('refuses a bad %s: %j', (field, bad) => {
    expect(() => solveNoiseMultiplier({ ...target, ...bad })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ field }) }),
    );
  });
});
