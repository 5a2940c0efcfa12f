/**
 * `npm run -s bench:attestation`: appraisals a second and their times, beside the bare library in the same run. "Fresh"
 * is the first appraisal under endorsements that this process has not seen, "repeated" one whose endorsements it
 * remembers. Fresh ones come from more worlds than the verifier remembers certificates of, taken in turns.
 */
import { existsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { appraiseEvidence, failedChecks } from '@usufruct/attestation';
import { DEV_PLATFORM } from '@usufruct/attestation-dev';
import { fromBase64 } from '@usufruct/kernel';
import { bareCollateral, bareVerification } from './attestation/bare-library.ts';
import { recordedQuote, RECORDED } from './attestation/recorded.ts';
import { gpuWorld, NOW_MS, snpWorld, tdxWorld, type World } from './attestation/worlds.ts';
import { percentile, progress, report, target, type BenchPart } from './report.ts';

/** Five certificates each, of which the verifier remembers 64. */
const FRESH_WORLDS = 24;
const ROUNDS = 20;
const REPEATS = 100;

type Work = () => unknown;
const timed = async (work: Work): Promise<number> => {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
};

async function appraise({ bundle, context }: World): Promise<void> {
  const result = await appraiseEvidence(bundle, context);
  if (!result.ok) throw new Error(`refused: ${failedChecks(result).join(', ')}`);
}
const bareOf = ({ bundle, context, root }: World): Work =>
  bareVerification(
    fromBase64(bundle.cpuEvidence),
    bareCollateral(context.endorsements!, DEV_PLATFORM.fmspc),
    root,
    NOW_MS,
  );

interface Times {
  readonly name: string;
  readonly what: string;
  readonly times: readonly number[];
}
function resultOf({ name, what, times }: Times): object {
  const [p50, p99] = [percentile(times, 50), percentile(times, 99)];
  const perSecond = 1000 / (times.reduce((sum, ms) => sum + ms, 0) / times.length);
  progress(`${name}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${perSecond.toFixed(0)} a second`);
  return { name, what, samples: times.length, p50_ms: p50, p99_ms: p99, per_second: Math.round(perSecond) };
}

/**
 * Every kind of work on every world it has, all kinds in turn so that they meet the same noise. What has fewer worlds
 * runs less often: between two turns of any world, all others pass.
 */
async function interleaved(works: ReadonlyMap<string, readonly Work[]>): Promise<Map<string, number[]>> {
  const times = new Map([...works.keys()].map((name) => [name, [] as number[]]));
  for (let round = -1; round < ROUNDS; round++) {
    for (let i = 0; i < FRESH_WORLDS; i++) {
      for (const [name, onWorlds] of works) {
        const work = onWorlds[i];
        const took = work && (await timed(work));
        // The first round warms the compiler up.
        if (took !== undefined && round >= 0) times.get(name)!.push(took);
      }
    }
  }
  return times;
}

async function repeated(work: Work): Promise<number[]> {
  const times: number[] = [];
  await work();
  for (let i = 0; i < REPEATS; i++) times.push(await timed(work));
  return times;
}

/** Medians of pairs that ran side by side. */
const ratio = (left: readonly number[], right: readonly number[]): number =>
  percentile(
    left.map((ms, i) => ms / right[i]!),
    50,
  );

async function freshAgainstBare(worlds: readonly World[]): Promise<BenchPart> {
  const works = new Map<string, Work[]>([
    ['tdx.bare', worlds.map(bareOf)],
    ['tdx.strict', worlds.map((world) => () => appraise(world))],
  ]);
  const recorded = existsSync(RECORDED) ? recordedQuote() : undefined;
  if (recorded !== undefined) {
    works.set('recorded.bare', [recorded.bare]);
    works.set('recorded.strict', [recorded.strict]);
  }
  const times = await interleaved(works);
  const of = (name: string): number[] => times.get(name)!;
  const results = [...times].map(([name, measured]) =>
    resultOf({ name, what: name.endsWith('bare') ? 'the bare library' : 'fresh, strict', times: measured }),
  );
  const compared =
    recorded === undefined
      ? { name: 'recorded', left_out: 'no recorded evidence; EVIDENCE_DIR names no folder with it' }
      : { name: 'recorded.ratio_to_bare', value: ratio(of('recorded.strict'), of('recorded.bare')) };
  return {
    results: [...results, compared],
    targets: [
      target('tdx.strict_p50_ms', percentile(of('tdx.strict'), 50), 'ms', '<=', 70),
      target('tdx.ratio_to_bare', ratio(of('tdx.strict'), of('tdx.bare')), 'ratio', '<=', 2.5),
    ],
  };
}

async function repeatedOf(name: string, what: string, world: World): Promise<{ result: object; p50: number }> {
  const times = await repeated(() => appraise(world));
  return { result: resultOf({ name, what, times }), p50: percentile(times, 50) };
}

async function repeats(tdx: World): Promise<BenchPart> {
  const cached = await repeatedOf('tdx.cached', 'repeated, the same collateral', tdx);
  const others = [
    await repeatedOf('snp.cached', 'repeated; RSA keys of 2,048 bits where AMD has 4,096', await snpWorld()),
    await repeatedOf('tdx+nv.gpu1.cached', 'repeated, TD with 1 GPU', await gpuWorld(1)),
    await repeatedOf('tdx+nv.gpu8.cached', 'repeated, TD with 8 GPUs', await gpuWorld(8)),
  ];
  return {
    results: [cached.result, ...others.map(({ result }) => result)],
    targets: [target('tdx.cached_p50_ms', cached.p50, 'ms', '<=', 15)],
  };
}

async function freshOthers(): Promise<BenchPart> {
  const results: object[] = [];
  const kinds = [
    ['snp.fresh', 'first appraisal under its endorsements', snpWorld],
    ['tdx+nv.gpu1.fresh', 'first appraisal, TD with 1 GPU', () => gpuWorld(1)],
    ['tdx+nv.gpu8.fresh', 'first appraisal, TD with 8 GPUs', () => gpuWorld(8)],
  ] as const;
  for (const [name, what, make] of kinds) {
    const worlds = await Promise.all(Array.from({ length: FRESH_WORLDS }, make));
    const times: number[] = [];
    for (const world of worlds) times.push(await timed(() => appraise(world)));
    results.push(resultOf({ name, what, times }));
  }
  return { results, targets: [] };
}

progress(`attestation: making ${FRESH_WORLDS} software TDs with keys of their own`);
const worlds = await Promise.all(Array.from({ length: FRESH_WORLDS }, tdxWorld));
const parts = [await freshAgainstBare(worlds), await repeats(worlds[0]!), await freshOthers()];
process.stdout.write(`${JSON.stringify(report('attestation', parts))}\n`);
