import { Prisma } from './generated/client.js';
import type { Database } from './prisma.service.js';

type Cell = string | number | Date | null;

/**
 * Rows of one table by their columns' names, all with the same ones, in one statement; how many were inserted. For what
 * every question writes: `createMany` is compiled anew each time that it is called, which takes longer than the statement.
 * Decimals are given as their digits. `skipDuplicates`: a row whose key is there already is left out.
 */
export async function insertRows(
  tx: Database,
  table: string,
  rows: readonly Readonly<Record<string, Cell>>[],
  { skipDuplicates = false } = {},
): Promise<number> {
  const [first] = rows;
  if (first === undefined) return 0;
  const columns = Object.keys(first);
  const values = rows.map((row) => Prisma.sql`(${Prisma.join(columns.map((column) => row[column] ?? null))})`);
  const into = Prisma.raw(`insert into "${table}" (${columns.map((column) => `"${column}"`).join()}) values `);
  const end = Prisma.raw(skipDuplicates ? ' on conflict do nothing' : '');
  return tx.$executeRaw`${into}${Prisma.join(values)}${end}`;
}
