import { bcs } from '@mysten/bcs';
import type { EncodeQuiltOptions } from '@mysten/walrus';
import { concatBytes, fromBase64Url, fromUtf8, refuse, toBase64Url, utf8, type BlobId } from '@usufruct/kernel';
import { z } from 'zod';
import { maxBlobBytes, sourceSymbols } from '../cost/index.js';
import type { FormPart } from './multipart.js';

export interface QuiltFile {
  readonly identifier: string;
  readonly contents: Uint8Array;
  readonly tags: Readonly<Record<string, string>>;
}
/** Where a file lies: in the columns from `startIndex` up to, and not with, `endIndex`. */
export interface Patch {
  readonly identifier: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly startIndex: number;
  readonly endIndex: number;
}

const METADATA = '_metadata';
const VERSION = 1;
/** Version and length of the index, at the beginning of the first column. */
const INDEX_PREFIX_BYTES = 5;
/** Version, length and what else is there, at the beginning of each file's first column. */
const PATCH_HEADER_BYTES = 6;
const HAS_TAGS = 1;
const PATCH_ID_BYTES = 32 + 5;
/** RedStuff's matrix has the index in its first columns and a file in each other one, at most. */
export const mostQuiltFiles = (shards: number): number => sourceSymbols(shards).secondary - 1;

const IndexBcs = bcs.struct('QuiltIndexV1', {
  patches: bcs.vector(
    bcs.struct('QuiltPatchV1', {
      endIndex: bcs.u16(),
      identifier: bcs.string(),
      tags: bcs.map(bcs.string(), bcs.string()),
    }),
  ),
});
const zMetadata = z.array(
  z.object({ identifier: z.string(), tags: z.record(z.string(), z.json()).default({}) }).strict(),
);

/** The files of a form, with the tags that its `_metadata` gives them. Refuses `MALFORMED_REQUEST`, `INVALID_ARGUMENT`. */
export function filesOf(parts: readonly FormPart[]): QuiltFile[] {
  const tags = new Map<string, Record<string, string>>();
  for (const { name, bytes } of parts) {
    if (name !== METADATA) continue;
    for (const entry of parseMetadata(bytes)) {
      if (tags.has(entry.identifier)) throw refuse('INVALID_ARGUMENT', { field: METADATA, expected: 'each file once' });
      tags.set(
        entry.identifier,
        Object.fromEntries(Object.entries(entry.tags).map(([key, tag]) => [key, asText(tag)])),
      );
    }
  }
  const files = parts.filter(({ name }) => name !== METADATA);
  if (files.length === 0) throw refuse('MALFORMED_REQUEST', { expected: 'at least one file' });
  return files.map(({ name, bytes }) => ({ identifier: name, contents: bytes, tags: tags.get(name) ?? {} }));
}

/** The quilt as Walrus's SDK encodes it. Refuses `INVALID_ARGUMENT`, and `REQUEST_TOO_LARGE` for what does not fit. */
export async function makeQuilt(
  files: readonly QuiltFile[],
  shards: number,
): Promise<{ readonly bytes: Uint8Array; readonly patches: readonly Patch[] }> {
  const mostFiles = mostQuiltFiles(shards);
  if (files.length > mostFiles) throw refuse('REQUEST_TOO_LARGE', { mostFiles: String(mostFiles) });
  for (const { identifier } of files) requireIdentifier(identifier);
  if (new Set(files.map(({ identifier }) => identifier)).size !== files.length)
    throw refuse('INVALID_ARGUMENT', { field: 'identifier', expected: 'each only once' });
  // Only when it is needed: with its client for Sui it is most of what the process would load at its start.
  const { encodeQuilt } = await import('@mysten/walrus');
  try {
    const { quilt, index } = encodeQuilt({ blobs: files.map(toSdkBlob), numShards: shards });
    const patches = index.patches.map(({ identifier, startIndex, endIndex }) => {
      const tags = files.find((file) => file.identifier === identifier)?.tags ?? {};
      return { identifier, tags, startIndex, endIndex };
    });
    return { bytes: quilt, patches };
  } catch (cause) {
    // What is left for the encoder to refuse is size.
    throw refuse('REQUEST_TOO_LARGE', { limitBytes: String(maxBlobBytes(shards)) }, cause);
  }
}

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

export function encodePatchId(quiltId: BlobId, { startIndex, endIndex }: Patch): string {
  const place = new Uint8Array(5);
  const view = new DataView(place.buffer);
  view.setUint8(0, VERSION);
  view.setUint16(1, startIndex, true);
  view.setUint16(3, endIndex, true);
  return toBase64Url(concatBytes(fromBase64Url(quiltId), place));
}

export function decodePatchId(
  text: string,
): { readonly quiltId: BlobId; readonly startIndex: number; readonly endIndex: number } | null {
  try {
    const bytes = fromBase64Url(text);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    if (bytes.length !== PATCH_ID_BYTES || view.getUint8(32) !== VERSION) return null;
    const quiltId = toBase64Url(bytes.subarray(0, 32)) as BlobId;
    return { quiltId, startIndex: view.getUint16(33, true), endIndex: view.getUint16(35, true) };
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

function parseMetadata(bytes: Uint8Array): z.output<typeof zMetadata> {
  let json: unknown;
  try {
    json = JSON.parse(fromUtf8(bytes));
  } catch {
    throw refuse('MALFORMED_REQUEST', { field: METADATA, expected: 'JSON' });
  }
  const parsed = zMetadata.safeParse(json);
  if (!parsed.success) throw refuse('INVALID_ARGUMENT', { field: METADATA, expected: 'a list of {identifier, tags}' });
  return parsed.data;
}

/** Walrus: begins with a letter or a digit, ends with no blank, and is at most 64 KB long. */
function requireIdentifier(identifier: string): void {
  if (!/^[\p{Alphabetic}\p{N}]/u.test(identifier) || /\s$/u.test(identifier) || utf8(identifier).length >= 65_535)
    throw refuse('INVALID_ARGUMENT', {
      field: 'identifier',
      expected: 'a letter or digit first, no blank last, at most 64 KB',
    });
}

const asText = (tag: unknown): string => (typeof tag === 'string' ? tag : JSON.stringify(tag));
const toSdkBlob = ({ contents, identifier, tags }: QuiltFile): EncodeQuiltOptions['blobs'][number] => ({
  contents,
  identifier,
  tags: { ...tags },
});
