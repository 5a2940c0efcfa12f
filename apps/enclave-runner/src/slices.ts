import { setImmediate as nextTurn } from 'node:timers/promises';

/** Some milliseconds of work: questions of other sessions are answered between two slices. */
const SLICE = 256;

/** Do the work for each, in order, giving way to whatever else waits. */
export async function forSlices<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  let done = 0;
  for (const item of items) {
    work(item);
    if (++done % SLICE === 0) await nextTurn();
  }
}

/** What is made in steps of some milliseconds, giving way after each. */
export async function inTurns<T>(steps: Generator<void, T, void>): Promise<T> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await nextTurn();
  }
}
