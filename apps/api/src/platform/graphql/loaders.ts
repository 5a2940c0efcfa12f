import DataLoader from 'dataloader';

/** The DataLoaders of one operation. A loader is named by the function that fills it and by its parameters. */
export class Loaders {
  private readonly loaders = new Map<string, DataLoader<string, unknown>>();

  /** Loads many keys in one go: `fetch` gets each key once and answers in any order; a key without answer is null. */
  async load<V>(
    name: string,
    key: string,
    fetch: (keys: readonly string[]) => Promise<Map<string, V>>,
  ): Promise<V | null> {
    const known = this.loaders.get(name) as DataLoader<string, V | null> | undefined;
    const loader =
      known ??
      new DataLoader<string, V | null>(async (keys) => {
        const found = await fetch(keys);
        return keys.map((each) => found.get(each) ?? null);
      });
    if (known === undefined) this.loaders.set(name, loader as DataLoader<string, unknown>);
    return loader.load(key);
  }
}

export const byKey = <V>(rows: readonly V[], keyOf: (row: V) => string): Map<string, V> =>
  new Map(rows.map((row) => [keyOf(row), row]));

export function groupBy<V>(rows: readonly V[], keyOf: (row: V) => string): Map<string, V[]> {
  const groups = new Map<string, V[]>();
  for (const row of rows) groups.set(keyOf(row), [...(groups.get(keyOf(row)) ?? []), row]);
  return groups;
}
