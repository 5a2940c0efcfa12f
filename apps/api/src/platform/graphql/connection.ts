import { ArgsType, Field, Int, ObjectType } from '@nestjs/graphql';
import { fromBase64Url, fromUtf8, refuse, toBase64Url, utf8 } from '@usufruct/kernel';

export const PAGE_LIMIT = 100;
export const PAGE_DEFAULT = 20;
/** Sort keys are integers of four bytes: what is larger came from no list of ours. */
const MAX_KEY = 2 ** 31 - 1;

@ObjectType()
export class PageInfo {
  @Field()
  hasNextPage!: boolean;
  @Field()
  hasPreviousPage!: boolean;
  @Field(() => String, { nullable: true })
  startCursor!: string | null;
  @Field(() => String, { nullable: true })
  endCursor!: string | null;
}

@ArgsType()
export class PageArgs {
  @Field(() => Int, { defaultValue: PAGE_DEFAULT })
  first!: number;
  @Field(() => String, { nullable: true })
  after?: string | null;
}

export interface Edge<T> {
  readonly cursor: string;
  readonly node: T;
}
export interface Connection<T> {
  readonly edges: Edge<T>[];
  readonly pageInfo: PageInfo;
}

type Constructor<T> = abstract new (...args: never[]) => T;

/** The connection type of a node type; its edge type is made with it. */
export function connectionOf<T extends object>(node: Constructor<T>, name: string): Constructor<Connection<T>> {
  @ObjectType(`${name}Edge`)
  class NodeEdge {
    @Field()
    cursor!: string;
    @Field(() => node)
    node!: T;
  }
  @ObjectType(`${name}Connection`)
  class NodeConnection {
    @Field(() => [NodeEdge])
    edges!: Edge<T>[];
    @Field(() => PageInfo)
    pageInfo!: PageInfo;
  }
  return NodeConnection;
}

/** A page as a repository takes it. `take` is one more than asked for, to know whether there is a next page. */
export interface Page {
  readonly first: number;
  readonly take: number;
  /** The sort keys of the last row of the page before; null for the first page. */
  readonly after: readonly number[] | null;
}

/** Reads the arguments; `list` names the list, so that a cursor of another list is refused. */
export function pageOf(list: string, args: PageArgs): Page {
  if (!Number.isInteger(args.first) || args.first < 1 || args.first > PAGE_LIMIT) {
    throw refuse('INVALID_ARGUMENT', { field: 'first', expected: `1 to ${PAGE_LIMIT}` });
  }
  const after = args.after ?? null;
  return { first: args.first, take: args.first + 1, after: after === null ? null : readCursor(list, after) };
}

export function connectionFrom<Row, T>(
  list: string,
  page: Page,
  rows: readonly Row[],
  keysOf: (row: Row) => readonly number[],
  nodeOf: (row: Row) => T,
): Connection<T> {
  const edges = rows.slice(0, page.first).map((row) => ({ cursor: writeCursor(list, keysOf(row)), node: nodeOf(row) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: rows.length > page.first,
      hasPreviousPage: page.after !== null,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

const writeCursor = (list: string, keys: readonly number[]): string => toBase64Url(utf8([list, ...keys].join(':')));

function readCursor(list: string, cursor: string): number[] {
  const wrong = () => refuse('INVALID_ARGUMENT', { field: 'after', expected: 'a cursor of this list' });
  try {
    const [name, ...keys] = fromUtf8(fromBase64Url(cursor)).split(':');
    const numbers = keys.map(Number);
    if (
      name === list &&
      numbers.length > 0 &&
      numbers.every((key) => Number.isSafeInteger(key) && key >= 0 && key <= MAX_KEY)
    ) {
      return numbers;
    }
  } catch {
    throw wrong();
  }
  throw wrong();
}
