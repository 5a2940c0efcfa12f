import { availableParallelism, totalmem } from 'node:os';

/**
 * Benchmarks run on built packages under plain Node (types are stripped), so relative imports here end in `.ts`.
 * Each prints one JSON object on stdout; progress goes to stderr.
 */
export interface Target {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly op: '<=' | '>=';
  readonly target: number;
  readonly ok: boolean;
}
export interface BenchPart {
  readonly results: readonly object[];
  readonly targets: readonly Target[];
}

export const target = (name: string, value: number, unit: string, op: Target['op'], limit: number): Target => ({
  name,
  value: Number(value.toFixed(4)),
  unit,
  op,
  target: limit,
  ok: op === '<=' ? value <= limit : value >= limit,
});

export function report(bench: string, parts: readonly BenchPart[]): object {
  return {
    bench,
    at: new Date().toISOString(),
    machine: { cpus: availableParallelism(), memGiB: Math.round(totalmem() / 1024 ** 3), node: process.version },
    results: parts.flatMap((part) => part.results),
    targets: parts.flatMap((part) => part.targets),
  };
}

export const progress = (text: string): void => void process.stderr.write(`${text}\n`);

/** Nearest-rank percentile: the smallest value that at least `p` percent of the values do not exceed. */
export function percentile(values: readonly number[], p: number): number {
  if (values.length === 0) throw new Error('percentile of nothing');
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)]!;
}
