import { z } from 'zod';

/** One page of a Relay connection, without the wrapping. */
export interface Page<T> {
  readonly nodes: readonly T[];
  /** Give it as `after` for the next page; null on the last one. */
  readonly next: string | null;
}

export const PAGE_INFO = 'pageInfo { hasNextPage endCursor }';

export const pageOf = <T extends z.ZodType>(node: T) =>
  z
    .object({
      pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
      edges: z.array(z.object({ node })),
    })
    .transform(({ pageInfo, edges }): Page<z.output<T>> => ({
      // zod cannot say the type of a field whose schema is a type parameter
      nodes: edges.map((edge) => (edge as { node: z.output<T> }).node),
      next: pageInfo.hasNextPage ? pageInfo.endCursor : null,
    }));

/** Far more than a page shows well; a reader of a longer list wants a search, not more rows. */
const MAX_NODES = 1_000;

/** All pages, up to a thousand nodes. */
export async function readAll<T>(read: (after: string | null) => Promise<Page<T>>): Promise<T[]> {
  const nodes: T[] = [];
  let after: string | null = null;
  do {
    const page: Page<T> = await read(after);
    nodes.push(...page.nodes);
    after = page.next;
  } while (after !== null && nodes.length < MAX_NODES);
  return nodes;
}
