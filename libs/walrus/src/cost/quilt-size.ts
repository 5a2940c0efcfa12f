import { refuse } from '@usufruct/kernel';
import { sourceSymbols } from './encoded-size.js';

/** Version and length of the index, at the beginning of the first column. */
const INDEX_PREFIX_BYTES = 5;
/** Of a file in the index: its last column, the length of its identifier, and that it has no tags. */
const INDEX_ENTRY_BYTES = 2 + 1 + 1;
/** Before a file: version, length, flags; and twice the length of its identifier, in two forms. */
const FILE_PREFIX_BYTES = 6 + 2 + 1;
const INDEX_AT_MOST_COLUMNS = 10;
/** Beyond this an identifier's length takes more than the one byte that is counted here. */
const IDENTIFIER_AT_MOST_BYTES = 127;
const SYMBOL_AT_MOST_BYTES = 65_534;

/** RedStuff's matrix has the index of a quilt in its first columns and a file in each other one, at most. */
export const mostQuiltFiles = (shards: number): number => sourceSymbols(shards).secondary - 1;

/**
 * How large the blob is that files of these sizes make as a quilt, each with an identifier of so many bytes and no tags:
 * every file fills columns of its own, and all columns are equally long. `null` where they do not fit. Source: `encodeQuilt`
 * in MystenLabs/ts-sdks, packages/walrus/src/utils/quilts.ts. Refuses `INVALID_ARGUMENT`.
 */
export function quiltBytes(sizesBytes: readonly number[], identifierBytes: number, shards: number): number | null {
  const isName =
    Number.isInteger(identifierBytes) && identifierBytes > 0 && identifierBytes <= IDENTIFIER_AT_MOST_BYTES;
  if (!isName) throw refuse('INVALID_ARGUMENT', { field: 'identifierBytes', expected: 'a whole number from 1 to 127' });
  if (sizesBytes.length === 0 || sizesBytes.some((size) => !Number.isSafeInteger(size) || size < 1))
    throw refuse('INVALID_ARGUMENT', { field: 'sizesBytes', expected: 'positive whole numbers of bytes' });
  const { primary: rows, secondary: columns } = sourceSymbols(shards);
  if (sizesBytes.length > columns - 1) return null;
  const countBytes = sizesBytes.length < 128 ? 1 : 2;
  const indexBytes = INDEX_PREFIX_BYTES + countBytes + sizesBytes.length * (INDEX_ENTRY_BYTES + identifierBytes);
  const fits = (symbolBytes: number): boolean => {
    const columnBytes = symbolBytes * rows;
    const indexColumns = Math.ceil(indexBytes / columnBytes);
    if (indexColumns > INDEX_AT_MOST_COLUMNS) return false;
    const needed = (size: number): number => Math.ceil((FILE_PREFIX_BYTES + identifierBytes + size) / columnBytes);
    return sizesBytes.reduce((sum, size) => sum + needed(size), indexColumns) <= columns;
  };
  // Symbols have even lengths. What fits into small ones fits into larger ones.
  let [least, most] = [1, SYMBOL_AT_MOST_BYTES / 2];
  if (!fits(2 * most)) return null;
  while (least < most) {
    const half = Math.floor((least + most) / 2);
    if (fits(2 * half)) most = half;
    else least = half + 1;
  }
  return 2 * least * rows * columns;
}
