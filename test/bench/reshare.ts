/**
 * `npm run -s bench:reshare`: how long it takes to share the keys of so many contributions again, from two of three
 * holders to three of five, with the client's own carrier here and each holder a process of its own with a durable store,
 * all on this machine. No target is given by the design; the wall clock of five holders that share a few cores is several
 * times that of five machines, so the processor seconds of the busiest holder are given beside it.
 */
import { performance } from 'node:perf_hooks';
import { reshare } from '@usufruct/sdk';
import { cpuSeconds } from './processes.ts';
import { progress, report, type BenchPart } from './report.ts';
import { ReshareWorld } from './reshare/world.ts';

const SIZES = process.argv.slice(2).map(Number).filter(Boolean);

type Phase = 'dealing' | 'receiving' | 'certifying' | 'other';
const PHASES: readonly [string, Phase][] = [
  ['/resharings/dealings', 'dealing'],
  ['/resharings/sub-shares', 'receiving'],
  ['/resharings/certificates', 'certifying'],
];

/** What the carrier asks of holders: seconds in which at least one request of a phase was under way, and bytes. */
class Traffic {
  readonly seconds: Record<Phase, number> = { dealing: 0, receiving: 0, certifying: 0, other: 0 };
  readonly bytes: Record<Phase, number> = { dealing: 0, receiving: 0, certifying: 0, other: 0 };
  readonly #open = new Map<Phase, { count: number; since: number }>();

  fetch = async (url: string, init?: RequestInit): Promise<Response> => {
    const phase = PHASES.find(([path]) => init?.method === 'POST' && url.endsWith(path))?.[1] ?? 'other';
    const open = this.#open.get(phase) ?? { count: 0, since: 0 };
    this.#open.set(phase, open);
    if (open.count++ === 0) open.since = performance.now();
    try {
      const response = await fetch(url, init);
      const body = await response.arrayBuffer();
      this.bytes[phase] += body.byteLength + (typeof init?.body === 'string' ? init.body.length : 0);
      return new Response(body, { status: response.status, headers: response.headers });
    } finally {
      if (--open.count === 0) this.seconds[phase] += (performance.now() - open.since) / 1_000;
    }
  };
}

async function measure(contributions: number): Promise<object> {
  progress(`reshare: ${contributions} contributions`);
  const world = await ReshareWorld.of(contributions);
  try {
    const traffic = new Traffic();
    const cpuBefore = world.holders.map(({ pid }) => cpuSeconds(pid));
    const startedMs = performance.now();
    let report = await reshare(world.context(traffic.fetch), { holderSetId: world.holderSetId });
    let runs = 1;
    // As an operator does where a holder or the chain did not answer in time on a machine that is busy.
    for (; report.done !== contributions && runs < 4; runs++) {
      const codes = [...new Set(report.faults.map(({ reason }) => reason))].join();
      progress(`reshare: ${report.done} of ${contributions} (${codes}), carrying on`);
      report = await reshare(world.context(traffic.fetch), { holderSetId: world.holderSetId });
    }
    const seconds = (performance.now() - startedMs) / 1_000;
    if (report.done !== contributions || report.oldSharesLeft > 0) throw new Error('not all was shared again');
    const cpu = world.holders.map(({ pid }, i) => {
      const [before, after] = [cpuBefore[i], cpuSeconds(pid)];
      return before === null || before === undefined || after === null ? null : Number((after - before).toFixed(2));
    });
    const again = performance.now();
    await reshare(world.context(traffic.fetch), { holderSetId: world.holderSetId });
    progress(`reshare: ${contributions} contributions in ${seconds.toFixed(2)} s`);
    return {
      name: 'reshare',
      contributions,
      from: '2-of-3',
      to: '3-of-5',
      seconds: round(seconds),
      runs,
      dealing_s: round(traffic.seconds.dealing),
      receiving_s: round(traffic.seconds.receiving),
      certifying_s: round(traffic.seconds.certifying),
      other_s: round(traffic.seconds.other),
      bytes: traffic.bytes,
      holder_cpu_s: cpu,
      nothing_left_to_do_s: round((performance.now() - again) / 1_000),
    };
  } finally {
    await world.stop();
  }
}

const round = (seconds: number): number => Number(seconds.toFixed(3));

const results: object[] = [];
for (const size of SIZES.length > 0 ? SIZES : [1, 100, 10_000]) results.push(await measure(size));
const part: BenchPart = { results, targets: [] };
process.stdout.write(`${JSON.stringify(report('reshare', [part]))}\n`);
