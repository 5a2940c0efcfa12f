import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience<T> {
  /** Whether what came so far would do. */
  readonly isEnough: (values: readonly T[]) => boolean;
  /** How long the others are still waited for then. */
  readonly graceMs: number;
}

/**
 * What came, in the order of the promises; `null` for what failed and for what was not waited for. Ends when all are
 * settled, or some time after there is enough: of n holders t do, and one that is slow must not hold up the others. What
 * is left under way runs to its own end; `onFailure` hears of what failed until then.
 */
export async function enough<T>(
  promises: readonly Promise<T>[],
  { isEnough, graceMs }: Patience<T>,
  onFailure: (index: number, reason: unknown) => void = () => undefined,
): Promise<(T | null)[]> {
  const results: (T | null)[] = promises.map(() => null);
  const came: T[] = [];
  const ended = new AbortController();
  const grace = Promise.withResolvers<void>();
  const watch = async (promise: Promise<T>, index: number): Promise<void> => {
    try {
      const value = await promise;
      if (ended.signal.aborted) return;
      results[index] = value;
      came.push(value);
    } catch (error) {
      if (!ended.signal.aborted) onFailure(index, error);
      return;
    }
    if (isEnough(came)) void endSoon();
  };
  const endSoon = async (): Promise<void> => {
    await sleep(graceMs, undefined, { signal: ended.signal }).catch(() => undefined);
    grace.resolve();
  };
  await Promise.race([Promise.all(promises.map(watch)), grace.promise]);
  ended.abort();
  return results;
}
