/** One parser in a process of its own: `fuzz-worker.ts NAME SEED FIRST DURATION_MS`; tells its parent how far it is. */
import { fuzz } from './fuzz-loop.ts';
import { fuzzTarget } from './fuzz-targets.ts';

const [name = '', seed, first, durationMs] = process.argv.slice(2);
const target = await fuzzTarget(name);
if (target === null) throw new Error(`no parser ${name}`);
process.send?.({ ready: true });
const report = await fuzz({
  target,
  seed: Number(seed),
  first: Number(first),
  durationMs: Number(durationMs),
  onProgress: (inputs) => process.send?.({ inputs }),
});
process.send?.({ report });
process.disconnect?.();
