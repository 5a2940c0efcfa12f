import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { composeRdp, DEFAULT_ORDERS, requireOrders } from './curve.js';
import { logErfc } from './log-space.js';
import { rdpOf } from './subsampled-gaussian.js';

describe('rdpOf', () => {
  // Independent: numerical integration of E[(dμ/dμ₀)^α] at 40 digits with mpmath, no series.
  const rows: [number, number, number, number][] = [
    [0.04, 1.5, 1.1, 0.000481656740034299],
    [0.04, 1.5, 5.3, 0.00259200395304714],
    [0.04, 1.5, 12, 0.00776556038108401],
    [0.5, 0.8, 1.5, 0.409838860453657],
    [0.9, 2, 2.7, 0.283317380701094],
    [0.001, 1, 10.9, 9.60134642063114e-6],
    [0.01, 0.5, 3, 0.0821943779821075],
    [1e-4, 4, 2.5, 8.061833915399e-10],
    [0.3, 0.3, 7.5, 40.2774672770598],
    [0.01, 0.1, 4.5, 219.07906690373],
  ];
  it.each(rows)('rate %d, noise %d, order %d → %d', (sampleRate, noiseMultiplier, order, expected) => {
    const { rdp } = rdpOf({ sampleRate, noiseMultiplier, steps: 1, orders: [order] });
    const allowance = Number.isInteger(order) ? 0 : (2e-12 * Math.max(1, expected * (order - 1))) / (order - 1);
    expect(rdp[0]!).toBeGreaterThanOrEqual(expected * (1 - 1e-12));
    expect(rdp[0]!).toBeLessThanOrEqual(expected * (1 + 1e-12) + allowance);
  });

  it('is the plain Gaussian when everything is sampled: α/2σ²', () => {
    // 3·(1.5/(2·4) , 8/(2·4))
    expect(rdpOf({ sampleRate: 1, noiseMultiplier: 2, steps: 3, orders: [1.5, 8] }).rdp).toEqual([0.5625, 3]);
  });

  const rate = fc.double({ min: 1e-4, max: 1, noNaN: true });
  const noise = fc.double({ min: 0.3, max: 50, noNaN: true });
  const orders = [1.1, 1.5, 2, 2.5, 7.3, 8, 63];
  const slack = 1e-10;

  it('grows with the sample rate and the order, falls with the noise', () => {
    fc.assert(
      fc.property(rate, noise, fc.double({ min: 1, max: 3, noNaN: true }), (sampleRate, noiseMultiplier, factor) => {
        const base = rdpOf({ sampleRate, noiseMultiplier, steps: 1, orders }).rdp;
        const more = rdpOf({ sampleRate: Math.min(1, sampleRate * factor), noiseMultiplier, steps: 1, orders }).rdp;
        const quiet = rdpOf({ sampleRate, noiseMultiplier: noiseMultiplier * factor, steps: 1, orders }).rdp;
        base.forEach((value, i) => {
          expect(value).toBeGreaterThan(0);
          expect(value).toBeLessThanOrEqual(more[i]! * (1 + slack) + slack);
          expect(value * (1 + slack) + slack).toBeGreaterThanOrEqual(quiet[i]!);
          if (i > 0) expect(value * (1 + slack) + slack).toBeGreaterThanOrEqual(base[i - 1]!);
        });
      }),
      { numRuns: 25 },
    );
  });

  it('adds: steps one after the other cost what they cost together', () => {
    fc.assert(
      fc.property(rate, noise, fc.nat(500), fc.nat(500), (sampleRate, noiseMultiplier, first, second) => {
        const curve = (steps: number) => rdpOf({ sampleRate, noiseMultiplier, steps, orders });
        const apart = composeRdp(orders, [curve(first), curve(second)]).rdp;
        curve(first + second).rdp.forEach((value, i) =>
          expect(apart[i]!).toBeCloseTo(value, 8 - Math.log10(1 + value)),
        );
      }),
      { numRuns: 15 },
    );
  });

  const good = { sampleRate: 0.01, noiseMultiplier: 1, steps: 10, orders: [2, 3] };
  it.each<[string, Partial<typeof good>]>([
    ['sampleRate', { sampleRate: 0 }],
    ['sampleRate', { sampleRate: 1.0001 }],
    ['sampleRate', { sampleRate: Number.NaN }],
    ['noiseMultiplier', { noiseMultiplier: 0 }],
    ['noiseMultiplier', { noiseMultiplier: Infinity }],
    ['steps', { steps: -1 }],
    ['steps', { steps: 1.5 }],
    ['steps', { steps: 1e10 }],
    ['orders', { orders: [] }],
    ['orders', { orders: [1] }],
    ['orders', { orders: [2, Number.NaN] }],
    ['orders', { orders: [3, 2] }],
    ['orders', { orders: [2, 2] }],
    ['orders', { orders: [1025] }],
  ])('refuses a bad %s: %j', (field, bad) => {
    expect(() => rdpOf(good)).not.toThrow();
    expect(() => rdpOf({ ...good, ...bad })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', details: expect.objectContaining({ field }) }),
    );
  });
});

describe('composeRdp', () => {
  it('of nothing is zero, and refuses curves with other orders or no valid values', () => {
    expect(composeRdp([2, 3], []).rdp).toEqual([0, 0]);
    for (const curve of [
      { orders: [2, 4], rdp: [1, 1] },
      { orders: [2, 3], rdp: [1] },
      { orders: [2, 3], rdp: [1, -1] },
      { orders: [2, 3], rdp: [1, Infinity] },
      { orders: [2, 3], rdp: [1, Number.NaN] },
    ]) {
      expect(() => composeRdp([2, 3], [curve])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
  it('has valid default orders', () => {
    expect(() => requireOrders(DEFAULT_ORDERS)).not.toThrow();
  });
});

describe('logErfc', () => {
  // mpmath, 40 digits
  it.each<[number, number]>([
    [-5, 0.6931471805591765],
    [-1, 0.6112323176780704],
    [0.3, -0.3984300514400852],
    [1.9, -4.932345862780269],
    [1.999, -5.360524027545016],
    [2, -5.364941264616637],
    [2.5, -7.806815272727264],
    [6, -38.37756117322338],
    [40, -1604.261556653273],
  ])('at %d is %d', (x, expected) => {
    expect(Math.abs(logErfc(x) - expected)).toBeLessThan(1e-12 * Math.max(0.1, Math.abs(expected)));
  });
});
