import { bcs } from '@mysten/bcs';
import { sourceSymbols } from './cost/index.js';

/** Where a file lies: in the columns from `startIndex` up to, and not with, `endIndex`. */
export interface Patch {
  readonly identifier: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly startIndex: number;
  readonly endIndex: number;
}

const VERSION = 1;
/** Version and length of the index, at the beginning of the first column. */
const INDEX_PREFIX_BYTES = 5;
/** Version, length and what else is there, at the beginning of each file's first column. */
const PATCH_HEADER_BYTES = 6;
const HAS_TAGS = 1;

const IndexBcs = bcs.struct('QuiltIndexV1', {
  patches: bcs.vector(
    bcs.struct('QuiltPatchV1', {
      endIndex: bcs.u16(),
      identifier: bcs.string(),
      tags: bcs.map(bcs.string(), bcs.string()),
    }),
  ),
});
/** What a quilt's index says. `null` for a blob that is no quilt: anybody may store one that looks nearly like it. */
export function readPatches(quilt: Uint8Array, shards: number): Patch[] | null {
  try {
    const columns = new Columns(quilt, shards);
    const prefix = columns.read(0, 0, INDEX_PREFIX_BYTES);
    const indexBytes = new DataView(prefix.buffer).getUint32(1, true);
    if (prefix[0] !== VERSION) return null;
    const { patches } = IndexBcs.parse(columns.read(0, INDEX_PREFIX_BYTES, indexBytes));
    let startIndex = Math.ceil((INDEX_PREFIX_BYTES + indexBytes) / columns.columnBytes);
    return patches.map(({ identifier, endIndex, tags }) => {
      const patch = { identifier, tags: Object.fromEntries(tags), startIndex, endIndex };
      startIndex = endIndex;
      return patch;
    });
  } catch {
    return null;
  }
}

/** The bytes of one file. `null` when the quilt does not hold what its index says. */
export function readPatch(quilt: Uint8Array, { startIndex, endIndex }: Patch, shards: number): Uint8Array | null {
  try {
    const columns = new Columns(quilt, shards);
    const header = columns.read(startIndex, 0, PATCH_HEADER_BYTES);
    const length = new DataView(header.buffer).getUint32(1, true);
    if (PATCH_HEADER_BYTES + length > (endIndex - startIndex) * columns.columnBytes) return null;
    const lengthAt = (offset: number): number =>
      new DataView(columns.read(startIndex, offset, 2).buffer).getUint16(0, true);
    let offset = PATCH_HEADER_BYTES;
    offset += 2 + lengthAt(offset);
    if ((header[5]! & HAS_TAGS) !== 0) offset += 2 + lengthAt(offset);
    return columns.read(startIndex, offset, PATCH_HEADER_BYTES + length - offset);
  } catch {
    return null;
  }
}

/** A quilt is a matrix of symbols, stored row by row and filled column by column. */
class Columns {
  readonly columnBytes: number;
  private readonly rows: number;
  private readonly rowBytes: number;
  private readonly symbolBytes: number;

  constructor(
    private readonly quilt: Uint8Array,
    shards: number,
  ) {
    const { primary, secondary } = sourceSymbols(shards);
    this.rows = primary;
    this.symbolBytes = quilt.length / (primary * secondary);
    this.rowBytes = this.symbolBytes * secondary;
    this.columnBytes = this.symbolBytes * primary;
    if (!Number.isInteger(this.symbolBytes) || this.symbolBytes === 0) throw new RangeError('no quilt');
  }

  /** So many bytes, counted down the columns from the head of one. Throws a `RangeError` beyond the matrix. */
  read(column: number, offset: number, length: number): Uint8Array<ArrayBuffer> {
    const from = column * this.columnBytes + offset;
    if (length < 0 || from + length > this.quilt.length) throw new RangeError('beyond the quilt');
    const bytes = new Uint8Array(length);
    for (let filled = 0; filled < length;) {
      const symbol = Math.floor((from + filled) / this.symbolBytes);
      const within = (from + filled) % this.symbolBytes;
      const start = (symbol % this.rows) * this.rowBytes + Math.floor(symbol / this.rows) * this.symbolBytes + within;
      const piece = this.quilt.subarray(start, start + Math.min(this.symbolBytes - within, length - filled));
      bytes.set(piece, filled);
      filled += piece.length;
    }
    return bytes;
  }
}
