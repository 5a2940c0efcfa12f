import { refuse } from '@usufruct/kernel';

const FULL_CODES = new Set<unknown>(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** SQLITE_FULL (sqlite.org/rescode.html#full). */
const SQLITE_FULL = 13;

/** Runs what writes: a disk, file or database that is full is refused as `STORE_FULL`. */
export async function orFull<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isFull(error)) throw refuse('STORE_FULL', { part: 'disk' }, error);
    throw error;
  }
}

const isFull = (error: unknown): boolean =>
  typeof error === 'object' &&
  error !== null &&
  (('code' in error && FULL_CODES.has(error.code)) || ('errcode' in error && error.errcode === SQLITE_FULL));
