/** ln(1 + eˣ), exact to rounding for any x. */
export const softplus = (x: number): number => (x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x)));

/** ln(eˣ − 1) for x > 0, without overflow and without loss near zero. */
export const logExpm1 = (x: number): number => (x > 1 ? x + Math.log1p(-Math.exp(-x)) : Math.log(Math.expm1(x)));

/** ln Σ signᵢ·exp(logsᵢ), for a sum above zero; the largest term is taken out so that nothing overflows. */
export function logSum(logs: readonly number[], signs?: readonly number[]): number {
  const largest = logs.reduce((max, log) => Math.max(max, log), -Infinity);
  let sum = 0;
  let lost = 0; // what the addition before rounded away (Kahan)
  for (const [i, log] of logs.entries()) {
    const term = (signs?.[i] ?? 1) * Math.exp(log - largest) - lost;
    const next = sum + term;
    lost = next - sum - term;
    sum = next;
  }
  return largest + Math.log(sum);
}

/**
 * ln erfc(x) for any finite x. Below 2 by the series of erf with positive terms only (DLMF 7.6.2), from 2 on by the
 * continued fraction (DLMF 7.9.1), so that it stays exact where erfc itself underflows.
 */
export function logErfc(x: number): number {
  if (x < -2) return Math.log(2 - Math.exp(logErfc(-x)));
  if (x < 2) return Math.log1p(-erfSeries(x));
  // The fraction needs fewer levels the larger x is: 100 at x = 2, 8 far out.
  let tail = x;
  for (let level = 8 + Math.ceil(400 / (x * x)); level >= 1; level--) tail = x + level / 2 / tail;
  return -x * x - 0.5 * Math.log(Math.PI) - Math.log(tail);
}

function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
