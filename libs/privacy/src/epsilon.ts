import { requireThat, requireDelta } from './input.js';
import { DEFAULT_ORDERS, requireCurve, type RdpCurve } from './curve.js';
import { MAX_NOISE_MULTIPLIER, MIN_NOISE_MULTIPLIER, rdpOf, type SubsampledGaussian } from './subsampled-gaussian.js';

export interface PrivacyLoss {
  readonly epsilon: number;
  /** The order that gave the smallest ε. At either end of the grid, a wider grid may prove less. */
  readonly order: number;
}

/**
 * The smallest ε that the curve proves at this δ: min over α of rdp − (ln δ + ln α)/(α−1) + ln((α−1)/α), never below 0.
 * Source: Canonne, Kamath, Steinke, "The Discrete Gaussian for Differential Privacy" (2020), Proposition 12. An upper
 * bound: the true ε may be smaller. It holds for what the curve holds for.
 *
 * Refuses `INVALID_ARGUMENT`: a curve that is none, a δ outside (0, 1).
 */
export function epsilonOf(curve: RdpCurve, delta: number): PrivacyLoss {
  requireCurve(curve);
  requireDelta(delta);
  let best: PrivacyLoss = { epsilon: Infinity, order: curve.orders[0]! };
  for (const [i, order] of curve.orders.entries()) {
    const epsilon = curve.rdp[i]! - (Math.log(delta) + Math.log(order)) / (order - 1) + Math.log1p(-1 / order);
    if (epsilon < best.epsilon) best = { epsilon, order };
  }
  return { ...best, epsilon: Math.max(0, best.epsilon) };
}

export interface NoiseTarget extends Pick<SubsampledGaussian, 'sampleRate' | 'steps'> {
  readonly targetEpsilon: number;
  readonly delta: number;
  readonly orders?: readonly number[];
}
/** Relative width at which the search stops. */
const NOISE_TOLERANCE = 1e-5;

/**
 * The least noise multiplier (to 1 part in 100,000, rounded up) whose ε is at most the target, by bisection: ε falls as
 * the noise grows. The returned ε never exceeds the target. Proves what `rdpOf` and `epsilonOf` prove.
 *
 * Refuses `INVALID_ARGUMENT`: a target that no allowed noise reaches with these orders, and what those two refuse.
 */
export function solveNoiseMultiplier(target: NoiseTarget): PrivacyLoss & { readonly noiseMultiplier: number } {
  const { targetEpsilon, delta, sampleRate, steps, orders = DEFAULT_ORDERS } = target;
  requireThat(targetEpsilon > 0 && targetEpsilon < Infinity, 'targetEpsilon', 'finite and above 0');
  const lossAt = (noiseMultiplier: number) => ({
    ...epsilonOf(rdpOf({ sampleRate, noiseMultiplier, steps, orders }), delta),
    noiseMultiplier,
  });
  let best = lossAt(MAX_NOISE_MULTIPLIER);
  requireThat(best.epsilon <= targetEpsilon, 'targetEpsilon', 'an ε that a noise multiplier up to 10000 reaches');
  let low = MIN_NOISE_MULTIPLIER;
  const least = lossAt(low);
  if (least.epsilon <= targetEpsilon) return least;
  while (best.noiseMultiplier - low > NOISE_TOLERANCE * low) {
    const tried = lossAt(Math.sqrt(low * best.noiseMultiplier));
    if (tried.epsilon <= targetEpsilon) best = tried;
    else low = tried.noiseMultiplier;
  }
  return best;
}
