import { requireOrders, type RdpCurve } from './curve.js';
import { requireThat } from './input.js';
import { logErfc, logExpm1, logSum, softplus } from './log-space.js';

/** `steps` runs of the Gaussian mechanism, each on a fresh Poisson sample. */
export interface SubsampledGaussian {
  /** Probability that a record is in a step's sample, each record independently: above 0, at most 1. */
  readonly sampleRate: number;
  /** Standard deviation of the noise over the L2 clipping norm, from 0.1 to 10,000. */
  readonly noiseMultiplier: number;
  /** From 0 to a thousand million. */
  readonly steps: number;
}

export const MIN_NOISE_MULTIPLIER = 0.1;
export const MAX_NOISE_MULTIPLIER = 10_000;
const MIN_SAMPLE_RATE = 1e-9;
const MAX_STEPS = 1e9;
/** The alternating series ends with terms under this (natural log): well under the allowance. */
const NEGLIGIBLE_LOG = -30;
/** Added to ln A of a fractional order, whose series loses digits, so that rounding never understates a cost. */
const ROUNDING_ALLOWANCE = 1e-12;

/**
 * The RDP of DP-SGD and its like, one value (nats) per order.
 * Source: Mironov, Talwar, Zhang, "Rényi Differential Privacy of the Sampled Gaussian Mechanism" (2019), section 3.3.
 *
 * Assumes, and does not prove: Poisson sampling (not shuffled or fixed-size batches), neighbours that differ by adding
 * or removing one record, every contribution clipped to the norm, noise that is truly Gaussian, fresh and secret. One
 * record is the unit: somebody with many records is protected less. Computed in floating point and not with outward
 * rounding; fractional orders carry an allowance of 1e-12 in ln A for it.
 *
 * Refuses `INVALID_ARGUMENT`: a number outside its limits, orders that `requireOrders` refuses.
 */
export function rdpOf(mechanism: SubsampledGaussian & { readonly orders: readonly number[] }): RdpCurve {
  const { sampleRate, noiseMultiplier, steps, orders } = mechanism;
  requireMechanism(mechanism);
  requireOrders(orders);
  return { orders, rdp: orders.map((order) => steps * stepRdp(sampleRate, noiseMultiplier, order)) };
}

function requireMechanism({ sampleRate, noiseMultiplier, steps }: SubsampledGaussian): void {
  requireThat(sampleRate >= MIN_SAMPLE_RATE && sampleRate <= 1, 'sampleRate', 'from 1e-9 to 1');
  const noisy = noiseMultiplier >= MIN_NOISE_MULTIPLIER && noiseMultiplier <= MAX_NOISE_MULTIPLIER;
  requireThat(noisy, 'noiseMultiplier', 'from 0.1 to 10000');
  requireThat(Number.isInteger(steps) && steps >= 0 && steps <= MAX_STEPS, 'steps', 'an integer from 0 to 1e9');
}

function stepRdp(sampleRate: number, sigma: number, order: number): number {
  if (sampleRate === 1) return order / (2 * sigma * sigma);
  const logA = Number.isInteger(order)
    ? logAInteger(sampleRate, sigma, order)
    : logAFractional(sampleRate, sigma, order);
  return logA / (order - 1);
}

/**
 * ln A for an integer order, A = Σₖ C(α,k)(1−q)^(α−k) qᵏ e^((k²−k)/2σ²). The binomial weights add up to one, so A − 1 is
 * the same sum with e^x − 1 for e^x: terms above zero from k = 2 on, and no digit is lost where A is close to one.
 */
function logAInteger(q: number, sigma: number, order: number): number {
  const logs: number[] = [];
  let logBinomial = 0;
  for (let k = 1; k <= order; k++) {
    logBinomial += Math.log(order - k + 1) - Math.log(k);
    if (k === 1) continue;
    const logWeight = logBinomial + (order - k) * Math.log1p(-q) + k * Math.log(q);
    logs.push(logWeight + logExpm1((k * k - k) / (2 * sigma * sigma)));
  }
  return softplus(logSum(logs));
}

/**
 * ln A for a fractional order: the integral is cut at z₀, where both parts of the mixture weigh the same, and the
 * binomial series is taken on either side. Beyond k = α the terms alternate and shrink, so what is left out is less
 * than the first term left out.
 */
function logAFractional(q: number, sigma: number, order: number): number {
  const logOdds = Math.log1p(-q) - Math.log(q);
  const z0 = sigma * sigma * logOdds + 0.5;
  const logs: number[] = [];
  const signs: number[] = [];
  let logBinomial = 0;
  let sign = 1;
  for (let k = 0; ; k++) {
    const rest = order - k;
    const below = sideTerm(k, rest, (k - z0) / (Math.SQRT2 * sigma));
    const above = sideTerm(rest, k, (z0 - rest) / (Math.SQRT2 * sigma));
    logs.push(logBinomial + below, logBinomial + above);
    signs.push(sign, sign);
    if (k > order && logBinomial + Math.max(below, above) < NEGLIGIBLE_LOG) break;
    logBinomial += Math.log(Math.abs(rest)) - Math.log(k + 1);
    if (rest < 0) sign = -sign;
  }
  const logA = Math.max(0, logSum(logs, signs));
  return logA + ROUNDING_ALLOWANCE * Math.max(1, logA);

  /** ln of qᵐ (1−q)ⁿ e^((m²−m)/2σ²) ½erfc(cut). */
  function sideTerm(m: number, n: number, cut: number): number {
    const moment = (m * m - m) / (2 * sigma * sigma);
    return m * Math.log(q) + n * Math.log1p(-q) + moment - Math.LN2 + logErfc(cut);
  }
}
