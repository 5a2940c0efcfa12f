/**
 * `npm run -s bench:release`: how long a runner waits for the keys of a job, from its first question for a challenge to
 * the last session key, proven against the contributor's commitment. Three key holders and a local chain, each a process
 * of its own with a durable store, and the runner's own code here, all on this machine; the manifests are at hand, as
 * `provision` has read them before. Beside it, in the same run, what the primitives take by themselves.
 */
import { performance } from 'node:perf_hooks';
import { releaseKeys } from '#runner/keys/release.js';
import { SessionKeys } from '#runner/keys/session-key.js';
import { primitives } from './release/primitives.ts';
import { cpuSeconds } from './processes.ts';
import { ReleaseWorld, type Dataset } from './release/world.ts';
import { percentile, progress, report, target, type BenchPart } from './report.ts';

const SIZES = [1, 100, 10_000];
const ROUNDS: Readonly<Record<number, number>> = { 1: 15, 100: 15, 10_000: 3 };
const TARGET_S = 20;

/** Seconds from asking to the last key. Every key is proven, so one that is missing throws. */
async function keysOf(world: ReleaseWorld, { jobId, manifests }: Dataset, holders = world.holders): Promise<number> {
  const context = await world.runner(holders);
  const job = await world.chain.job(jobId);
  const dao = await world.chain.dao(job.daoId);
  const startedMs = performance.now();
  const keys = new SessionKeys(await releaseKeys(context, job, dao, manifests), context.logger);
  for (const manifest of manifests) keys.keyOf(manifest);
  return (performance.now() - startedMs) / 1_000;
}

/** One holder alone: what it gives is too little for a key, so that only its answer is waited for. */
async function sharesOf(world: ReleaseWorld, { jobId, manifests }: Dataset): Promise<number> {
  const context = await world.runner(world.holders.slice(0, 1));
  const job = await world.chain.job(jobId);
  const dao = await world.chain.dao(job.daoId);
  const startedMs = performance.now();
  const { shares } = await releaseKeys(context, job, dao, manifests);
  const seconds = (performance.now() - startedMs) / 1_000;
  if (shares.size !== manifests.length) throw new Error('a share is missing');
  return seconds;
}

type Cpu = Readonly<Record<string, number | null>>;
const cpuOf = ({ chainProcess, holders }: ReleaseWorld): Cpu => ({
  runner: cpuSeconds(process.pid),
  chain: cpuSeconds(chainProcess.pid),
  ...Object.fromEntries(holders.map(({ pid }, i) => [`holder_${i + 1}`, cpuSeconds(pid)])),
});
const perRound = (before: Cpu, after: Cpu, rounds: number): Cpu =>
  Object.fromEntries(
    Object.entries(after).map(([name, seconds]) => {
      const earlier = before[name];
      const isKnown = seconds !== null && earlier !== null && earlier !== undefined;
      return [name, isKnown ? Number(((seconds - earlier) / rounds).toFixed(3)) : null];
    }),
  );

async function measure(world: ReleaseWorld): Promise<BenchPart> {
  const results: object[] = [];
  const targets: BenchPart['targets'][number][] = [];
  for (const dataset of world.datasets) {
    const contributions = dataset.manifests.length;
    const seconds: number[] = [];
    // The first round warms the processes up, as the small sizes do for the large one.
    const rounds = ROUNDS[contributions] ?? 3;
    const cpuBefore = cpuOf(world);
    for (let round = contributions >= 1_000 ? 0 : -1; round < rounds; round++) {
      const took = await keysOf(world, dataset);
      if (round >= 0) seconds.push(took);
    }
    const cpu = perRound(cpuBefore, cpuOf(world), contributions >= 1_000 ? rounds : rounds + 1);
    const alone = contributions >= 1_000 ? [await sharesOf(world, dataset), await sharesOf(world, dataset)] : [];
    const p50 = percentile(seconds, 50);
    progress(`release: ${contributions} contributions in ${p50.toFixed(3)} s`);
    results.push({ name: 'release', contributions, holders: 3, threshold: 2, p50_s: p50, seconds, cpu_s: cpu });
    if (contributions < 1_000) continue;
    const best = Math.min(...alone);
    results.push({ name: 'release.one_holder', contributions, seconds: alone, per_second: contributions / best });
    targets.push(target(`release.${contributions}_s`, p50, 's', '<=', TARGET_S));
  }
  return { results, targets };
}

const raw = await primitives();
const world = await ReleaseWorld.start(SIZES);
try {
  process.stdout.write(`${JSON.stringify(report('release', [raw, await measure(world)]))}\n`);
} finally {
  await world.stop();
}
