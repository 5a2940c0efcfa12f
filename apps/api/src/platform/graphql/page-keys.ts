import { Prisma, type PrismaService } from '../prisma/index.js';
import type { Page } from './connection.js';
import { groupBy, type Loaders } from './loaders.js';

/** A list under a parent, sorted by one integer column. The names are ours, never a client's. */
export interface ChildList {
  readonly table: string;
  readonly parent: string;
  readonly key: string;
  /** A second column to sort by, where rows under one parent can have the same key. */
  readonly tie?: string | undefined;
  readonly order: 'asc' | 'desc';
  /** A further condition on the table's columns; `name` tells lists with different ones apart. */
  readonly where?: { readonly name: string; readonly condition: Prisma.Sql } | undefined;
}

export interface ChildPage<Row> {
  readonly list: ChildList;
  readonly parent: string;
  readonly page: Page;
  readonly rows: (keys: readonly number[]) => Promise<Row[]>;
  readonly keyOf: (row: Row) => number;
  readonly tieOf?: (row: Row) => number;
  readonly parentOf: (row: Row) => string;
}

interface Key {
  readonly parent: string;
  readonly key: number;
  readonly tie: number;
}
const nameOf = ({ parent, key, tie }: Key): string => `${parent}:${key}:${tie}`;

/** A list with a condition on one text column. */
export const whereEquals = (column: string, value: string): NonNullable<ChildList['where']> => ({
  name: `${column}=${value}`,
  condition: Prisma.sql`${Prisma.raw(`"${column}"`)} = ${value}`,
});

/**
 * One page of children for each of many parents, in two statements however many parents there are: first the sort
 * keys that are on the pages, then their rows.
 */
export async function pageKeys<Row>(
  loaders: Loaders,
  prisma: PrismaService,
  { list, parent, page, rows, keyOf, tieOf = () => 0, parentOf }: ChildPage<Row>,
): Promise<Row[]> {
  const name = ['children', list.table, list.parent, list.where?.name ?? '', page.take, ...(page.after ?? [])];
  const direction = list.order === 'asc' ? 1 : -1;
  const found = await loaders.load(name.join(':'), parent, async (parents) => {
    const keys = await selectKeys(prisma, list, parents, page);
    const onPage = new Set(keys.map(nameOf));
    const children = keys.length === 0 ? [] : await rows([...new Set(keys.map(({ key }) => key))]);
    return groupBy(
      children
        .filter((row) => onPage.has(nameOf({ parent: parentOf(row), key: keyOf(row), tie: tieOf(row) })))
        .sort((a, b) => direction * (keyOf(a) - keyOf(b) || tieOf(a) - tieOf(b))),
      parentOf,
    );
  });
  return found ?? [];
}

/** A list of rows that were each made by an event, in the chain's order. */
export interface EventPage<Row> extends Pick<ChildPage<Row>, 'parent' | 'page' | 'tieOf' | 'parentOf'> {
  readonly list: Omit<ChildList, 'key'>;
  readonly rows: (where: { readonly eventSeq: { readonly in: number[] } }) => Promise<Row[]>;
}

export const pageByEvent = <Row extends { readonly eventSeq: number }>(
  loaders: Loaders,
  prisma: PrismaService,
  { list, rows, ...page }: EventPage<Row>,
): Promise<Row[]> =>
  pageKeys(loaders, prisma, {
    ...page,
    list: { ...list, key: 'event_seq' },
    rows: (keys) => rows({ eventSeq: { in: [...keys] } }),
    keyOf: ({ eventSeq }) => eventSeq,
  });

async function selectKeys(
  prisma: PrismaService,
  list: ChildList,
  parents: readonly string[],
  page: Page,
): Promise<Key[]> {
  const column = (name: string): Prisma.Sql => Prisma.raw(`"${name}"`);
  const [table, parent, key] = [list.table, list.parent, list.key].map(column);
  const tie = list.tie === undefined ? Prisma.sql`0` : column(list.tie);
  const order = Prisma.raw(list.order);
  const compare = Prisma.raw(list.order === 'asc' ? '>' : '<');
  const [after, afterTie = 0] = page.after ?? [];
  const beyond =
    after === undefined ? Prisma.empty : Prisma.sql`and (${key}, ${tie}) ${compare} (${after}::int, ${afterTie}::int)`;
  const filter = list.where === undefined ? Prisma.empty : Prisma.sql`and ${list.where.condition}`;
  return prisma.$queryRaw<Key[]>`
    select parent, key, tie from (
      select ${parent} as parent, ${key} as key, ${tie} as tie,
        row_number() over (partition by ${parent} order by ${key} ${order}, ${tie} ${order}) as position
      from ${table} where ${parent} = any(${[...parents]}) ${filter} ${beyond}
    ) ranked where position <= ${page.take}`;
}
