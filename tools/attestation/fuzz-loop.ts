import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { UsufructError } from '@usufruct/kernel';
import { mutated, numbersFor } from './mutate.ts';

/** One parser, with inputs that it accepts. What it refuses it gives null for, or throws a refusal of the catalogue. */
export interface FuzzTarget {
  readonly name: string;
  readonly seeds: readonly Uint8Array[];
  /** True if the input was accepted. */
  readonly accepts: (bytes: Uint8Array) => boolean | Promise<boolean>;
}

/** How parsers are made ready, by their names. */
export type FuzzMakers = Readonly<Record<string, () => Promise<Omit<FuzzTarget, 'name'>>>>;

export interface FuzzRequest {
  readonly target: FuzzTarget;
  readonly seed: number;
  readonly durationMs: number;
  /** Number of the first input. */
  readonly first?: number;
  /** Called between inputs, about five times a second. */
  readonly onProgress?: (inputs: number) => void;
}

export interface FuzzReport {
  readonly inputs: number;
  readonly accepted: number;
  /** What one input took at most, of processor time. */
  readonly slowestMs: number;
  /** How much more memory was held at the end than after a third of the time, collected both times. */
  readonly grownBytes: number;
  /** What went wrong; null when nothing did. */
  readonly flaw: string | null;
}

const HANG_MS = 1000;
const GROWTH_BYTES_AT_MOST = 32 * 1024 * 1024;
const PROGRESS_MS = 200;

/** Of this process: a busy machine makes nothing hang. */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const breath = (): Promise<void> => new Promise((go) => setImmediate(go));

/** Buffers are swept in the background after a collection, so the least of some looks counts. */
async function heldBytes(): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    collect();
    await new Promise((go) => setTimeout(go, 10));
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    least = Math.min(least, heapUsed + arrayBuffers);
  }
  return least;
}

/**
 * Mutated inputs, one after the other, until the time is over or something is wrong: an error that is no refusal of the
 * catalogue, a second of processor time for one input, or memory that grows. Nothing here finds what never returns: a
 * watchdog in another process does.
 */
export async function fuzz(request: FuzzRequest): Promise<FuzzReport> {
  const { target, seed, durationMs, first = 0, onProgress } = request;
  const startCpu = cpuMs();
  let [inputs, accepted, slowestMs, baseBytes] = [0, 0, 0, 0];
  let flaw = await unsound(target);
  let [startMs, toldMs] = [performance.now(), performance.now()];
  while (flaw === null && performance.now() - startMs < durationMs) {
    const bytes = mutated(target.seeds, numbersFor(seed, first + inputs));
    const before = cpuMs();
    const outcome = await tried(target, bytes);
    const took = cpuMs() - before;
    inputs += 1;
    slowestMs = Math.max(slowestMs, took);
    if (outcome.flaw !== null) flaw = `input ${first + inputs - 1}: ${outcome.flaw}`;
    else if (took > HANG_MS) flaw = `input ${first + inputs - 1} took ${Math.round(took)} ms`;
    else if (outcome.isAccepted) accepted += 1;
    if (performance.now() - toldMs > PROGRESS_MS) {
      toldMs = performance.now();
      onProgress?.(inputs);
      await breath();
    }
    if (baseBytes === 0 && performance.now() - startMs > durationMs / 3) {
      const pausedMs = performance.now();
      baseBytes = await heldBytes();
      // On a busy machine the looks may take longer than all the rest.
      startMs += performance.now() - pausedMs;
    }
  }
  const grownBytes = baseBytes === 0 ? 0 : (await heldBytes()) - baseBytes;
  if (flaw === null && grownBytes > GROWTH_BYTES_AT_MOST) flaw = `memory grew by ${grownBytes} bytes`;
  if (flaw === null && inputs === 0) flaw = `no input in ${Math.round(cpuMs() - startCpu)} ms`;
  return { inputs, accepted, slowestMs, grownBytes, flaw };
}

/** A target whose valid inputs are refused would test nothing. */
async function unsound(target: FuzzTarget): Promise<string | null> {
  for (const [i, bytes] of target.seeds.entries()) {
    const { isAccepted, flaw } = await tried(target, bytes);
    if (!isAccepted) return `valid input ${i} is refused${flaw === null ? '' : `: ${flaw}`}`;
  }
  return target.seeds.length === 0 ? 'there are no valid inputs' : null;
}

async function tried(
  { accepts }: FuzzTarget,
  bytes: Uint8Array,
): Promise<{ readonly isAccepted: boolean; readonly flaw: string | null }> {
  try {
    return { isAccepted: await accepts(bytes), flaw: null };
  } catch (error) {
    if (error instanceof UsufructError) return { isAccepted: false, flaw: null };
    return {
      isAccepted: false,
      flaw: `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    };
  }
}
