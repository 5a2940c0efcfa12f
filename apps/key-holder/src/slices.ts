import { setImmediate as nextTurn } from 'node:timers/promises';

/** Some milliseconds of work: other requests are answered between two slices. */
const SLICE = 256;

/** Like `items.map(work)`, in order, giving way to whatever else waits. */
export async function mapInSlices<T, R>(items: readonly T[], work: (item: T, index: number) => R): Promise<R[]> {
  const results: R[] = [];
  for (const [index, item] of items.entries()) {
    results.push(work(item, index));
    if (results.length % SLICE === 0) await nextTurn();
  }
  return results;
}
