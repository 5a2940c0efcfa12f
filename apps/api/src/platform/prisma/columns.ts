import { asTimestampMs, type TimestampMs } from '@usufruct/kernel';
import { toWireJson } from '@usufruct/protocol';
import { Prisma } from './generated/client.js';

/** u64 as `Decimal(20,0)`, times as `timestamptz(3)`: the only places where the two sides meet. */
export const toColumn = (value: bigint): Prisma.Decimal => new Prisma.Decimal(value.toString());
export const toBigint = (column: Prisma.Decimal): bigint => BigInt(column.toFixed(0));
export const toDate = (ms: TimestampMs): Date => new Date(ms);
export const toMs = (date: Date): TimestampMs => asTimestampMs(date.getTime());
export const toDateOrNull = (atMs: TimestampMs | null): Date | null => (atMs === null ? null : toDate(atMs));
export const toMsOrNull = (date: Date | null): TimestampMs | null => (date === null ? null : toMs(date));

/** A value in its wire form (bigints as decimal strings), for a JSON column. */
export const toJson = (value: unknown): Prisma.InputJsonValue => JSON.parse(toWireJson(value)) as Prisma.InputJsonValue;

/** A unique key was taken: the statement that lost the race changed nothing. */
export const isUniqueViolation = (error: unknown): boolean =>
  error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
