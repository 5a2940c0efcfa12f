import { Prisma, type PrismaService } from '../prisma/index.js';
import type { Page } from './connection.js';
import { groupBy, type Loaders } from './loaders.js';

/** A list under a parent, sorted by one integer column. The names are ours, never a client's. */
export interface ChildList {
  readonly table: string;
  readonly parent: string;
  readonly key: string;
  readonly order: 'asc' | 'desc';
  /** A further condition on a column of the table. */
  readonly where?: { readonly column: string; readonly equals: string } | undefined;
}

export interface ChildPage<Row> {
  readonly list: ChildList;
  readonly parent: string;
  readonly page: Page;
  readonly rows: (keys: readonly number[]) => Promise<Row[]>;
  readonly keyOf: (row: Row) => number;
  readonly parentOf: (row: Row) => string;
}

/**
 * One page of children for each of many parents, in two statements however many parents there are: first the sort
 * keys that are on the pages, then their rows.
 */
export async function pageKeys<Row>(
  loaders: Loaders,
  prisma: PrismaService,
  { list, parent, page, rows, keyOf, parentOf }: ChildPage<Row>,
): Promise<Row[]> {
  const name = ['children', list.table, list.parent, list.where?.equals ?? '', page.take, page.after?.[0] ?? ''];
  const direction = list.order === 'asc' ? 1 : -1;
  const found = await loaders.load(name.join(':'), parent, async (parents) => {
    const keys = await selectKeys(prisma, list, parents, page);
    const children = keys.length === 0 ? [] : await rows(keys);
    return groupBy(
      children.sort((a, b) => direction * (keyOf(a) - keyOf(b))),
      parentOf,
    );
  });
  return found ?? [];
}

async function selectKeys(
  prisma: PrismaService,
  list: ChildList,
  parents: readonly string[],
  page: Page,
): Promise<number[]> {
  const [table, parent, key] = [list.table, list.parent, list.key].map((each) => Prisma.raw(`"${each}"`));
  const order = Prisma.raw(list.order);
  const compare = Prisma.raw(list.order === 'asc' ? '>' : '<');
  const after = page.after?.[0];
  const beyond = after === undefined ? Prisma.empty : Prisma.sql`and ${key} ${compare} ${after}`;
  const filter =
    list.where === undefined
      ? Prisma.empty
      : Prisma.sql`and ${Prisma.raw(`"${list.where.column}"`)} = ${list.where.equals}`;
  const found = await prisma.$queryRaw<{ key: number }[]>`
    select key from (
      select ${key} as key, row_number() over (partition by ${parent} order by ${key} ${order}) as position
      from ${table} where ${parent} = any(${[...parents]}) ${filter} ${beyond}
    ) ranked where position <= ${page.take}`;
  return found.map((row) => row.key);
}
