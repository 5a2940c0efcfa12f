import { z } from 'zod';

/** What a query asks for beside the nodes. */
export const PAGE_INFO = 'pageInfo { hasNextPage endCursor }';

/** One page of a Relay connection. */
export const connectionOf = <T extends z.ZodType>(node: T) =>
  z.object({
    edges: z.array(z.object({ node })),
    pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
  });
interface Connection<T> {
  readonly edges: readonly { readonly node: T }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** Of all pages, in their order; none where there is no such connection. */
export async function everyNode<T>(page: (after: string | null) => Promise<Connection<T> | undefined>): Promise<T[]> {
  const found: T[] = [];
  for (let after: string | null = null; ;) {
    const read: Connection<T> | undefined = await page(after);
    if (read === undefined) return found;
    found.push(...read.edges.map(({ node }) => node));
    after = read.pageInfo.endCursor;
    if (!read.pageInfo.hasNextPage || after === null) return found;
  }
}
