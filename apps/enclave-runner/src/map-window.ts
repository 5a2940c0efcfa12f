/**
 * Map with at most `atOnce` under way, results in order. After the first failure nothing new is started; it rejects when
 * what was under way has ended, too.
 */
export async function mapWindow<T, R>(items: readonly T[], atOnce: number, map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  let failure: { readonly error: unknown } | null = null;
  const lane = async (): Promise<void> => {
    while (next < items.length && failure === null) {
      const index = next++;
      try {
        results[index] = await map(items[index]!);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  requireNone(failure);
  return results;
}

function requireNone(failure: { readonly error: unknown } | null): void {
  if (failure !== null) throw failure.error;
}
