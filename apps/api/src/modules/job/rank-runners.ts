import type { DatasetId, JobId } from '@usufruct/kernel';
import type { RunnerLoad } from '@usufruct/protocol';

/** A runner as this process has seen it last. */
export interface KnownRunner {
  readonly url: string;
  /** What it says of itself; null where it says nothing, or nothing that can be read. */
  readonly load: RunnerLoad | null;
  /** It did not answer a moment ago. */
  readonly isDown: boolean;
}
export interface RankedFor {
  readonly jobId: JobId;
  readonly datasetId: DatasetId | null;
  /** The runner that has the job's session. */
  readonly current: string | null;
}

/** An index that is there saves releasing, opening and reading every document: it outweighs so much other work. */
const INDEX_WORTH = 16;

/**
 * Which runner is asked first, second, …: one that answers before one that did not; the one with the job's session; one
 * with room; the least busy, where an index of the dataset that is there counts for much; and where nothing tells them apart an order that
 * spreads jobs over them. Pure. All of them are in it, whatever they say: a runner that lies about itself is tried sooner
 * or later than it should be, and no more.
 */
export function rankRunners(runners: readonly KnownRunner[], { jobId, datasetId, current }: RankedFor): string[] {
  const start = runners.length === 0 ? 0 : Number.parseInt(jobId.slice(2, 10), 16) % runners.length;
  const ranked = runners.map((runner, i) => {
    const { url, load, isDown } = runner;
    const isFull = load !== null && load.sessions >= load.sessionsAtMost;
    const hasIndex = load !== null && datasetId !== null && load.datasets.includes(datasetId);
    const busy = load === null ? Infinity : load.questionsUnderWay + load.sessions - (hasIndex ? INDEX_WORTH : 0);
    const turn = (i - start + runners.length) % runners.length;
    return { url, key: [Number(isDown), Number(url !== current), Number(isFull), busy, turn] };
  });
  return ranked.sort((a, b) => compare(a.key, b.key)).map(({ url }) => url);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [i, value] of a.entries()) {
    const other = b[i]!;
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}
