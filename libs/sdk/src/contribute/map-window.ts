/**
 * Apply `work` to every item with at most `window` under way, and give the results in order. When one fails, the
 * others are waited for before the failure is passed on, so that nothing goes on behind the caller's back.
 */
export async function mapWindow<T, R>(
  source: AsyncIterable<T>,
  window: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const underWay: Promise<R>[] = [];
  let index = 0;
  try {
    for await (const item of source) {
      const started = work(item, index++);
      started.catch(() => undefined); // reported below, by the await in order
      underWay.push(started);
      if (underWay.length >= window) results.push(await underWay.shift()!);
    }
    while (underWay.length > 0) results.push(await underWay.shift()!);
    return results;
  } finally {
    await Promise.allSettled(underWay);
  }
}
