/** Somebody, and the group of copies that what he brought is in. */
export interface Brought {
  readonly owner: string;
  readonly group: number;
}

/**
 * How many distinct people stand behind something: the largest number of them of whom each has brought a text that is
 * no copy of what the others are counted for (a maximum matching of people and groups; Kuhn 1955). One person counts
 * once, however many files; so does one text, however many addresses hold it.
 */
export function distinctContributors(brought: readonly Brought[]): number {
  const groupsOf = Map.groupBy(brought, ({ owner }) => owner);
  const takenBy = new Map<number, string>();
  const find = (owner: string, tried: Set<number>): boolean => {
    for (const { group } of groupsOf.get(owner) ?? []) {
      if (tried.has(group)) continue;
      tried.add(group);
      const other = takenBy.get(group);
      if (other !== undefined && !find(other, tried)) continue;
      takenBy.set(group, owner);
      return true;
    }
    return false;
  };
  return [...groupsOf.keys()].filter((owner) => find(owner, new Set())).length;
}
