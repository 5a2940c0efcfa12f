/** Map with at most `atOnce` under way, results in order. The first failure rejects; nothing new is started then. */
export async function mapWindow<T, R>(items: readonly T[], atOnce: number, map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let isBroken = false;
  const lane = async (): Promise<void> => {
    while (next < items.length && !isBroken) {
      const index = next++;
      try {
        results[index] = await map(items[index]!);
      } catch (error) {
        isBroken = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return results;
}
