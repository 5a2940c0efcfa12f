import { crc32, inflateRawSync } from 'node:zlib';
import { broken, DocumentRefusal, tooLarge } from '../refusal.js';
import type { ParseLimits } from '../types.js';

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  /** Of the packed bytes in the file. */
  readonly start: number;
}

const END_BYTES = 22;
const CENTRAL_BYTES = 46;
const LOCAL_BYTES = 30;
const [STORED, DEFLATED] = [0, 8];
/** Below this an entry may be packed as tightly as DEFLATE can. */
const SMALL_BYTES = 1024 ** 2;

/**
 * A ZIP archive (APPNOTE 6.3) as office documents are: one file, no ZIP64, stored or deflated. The central directory
 * says what there is; nothing is unpacked before it is read by name. An archive is refused whole when its directory
 * and its entries do not agree, when two entries have one name or share bytes (small "bombs" are made of entries that
 * overlap), or when it has more entries than the limit.
 *
 * Refuses `FORMAT_BROKEN`, `FILE_TOO_LARGE` (entries, unpacked bytes, how tightly one is packed), `DOCUMENT_LOCKED`
 * (encrypted entries).
 */
export class ZipArchive {
  readonly #file: Uint8Array;
  readonly #limits: ParseLimits;
  readonly #entries: ReadonlyMap<string, Entry>;
  #unpackedBytes = 0;

  constructor(file: Uint8Array, limits: ParseLimits) {
    this.#file = file;
    this.#limits = limits;
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    this.#entries = directoryOf(file, view, limits);
  }

  /** Parts are compared without regard to the case of ASCII letters (ECMA-376 part 2 §6.2.2.3). */
  has(name: string): boolean {
    return this.#entries.has(name.toLowerCase());
  }

  /** The unpacked bytes, or null where there is no such entry. They are those whose CRC-32 the directory has. */
  read(name: string): Uint8Array | null {
    const entry = this.#entries.get(name.toLowerCase());
    if (entry === undefined) return null;
    if (entry.bytes > SMALL_BYTES && entry.bytes > entry.packedBytes * this.#limits.zipRatio)
      throw tooLarge(`unpacked ${this.#limits.zipRatio} times what is packed`);
    this.#unpackedBytes += entry.bytes;
    if (this.#unpackedBytes > this.#limits.zipBytes) throw tooLarge(`${this.#limits.zipBytes} bytes unpacked`);
    const packed = this.#file.subarray(entry.start, entry.start + entry.packedBytes);
    const bytes = entry.method === STORED ? packed : inflated(packed, entry.bytes);
    if (bytes.length !== entry.bytes || crc32(bytes) !== entry.crc) throw broken('ZIP');
    return bytes;
  }
}

/** Stops at one byte more than the directory says there are. */
function inflated(packed: Uint8Array, bytes: number): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, bytes), chunkSize: 256 * 1024 });
  } catch {
    throw broken('ZIP');
  }
}

function directoryOf(file: Uint8Array, view: DataView, limits: ParseLimits): Map<string, Entry> {
  const end = endOf(view);
  const count = view.getUint16(end + 10, true);
  const [size, start] = [view.getUint32(end + 12, true), view.getUint32(end + 16, true)];
  const isOneFile = view.getUint32(end + 4, true) === 0 && view.getUint16(end + 8, true) === count;
  if (!isOneFile || start + size > end) throw broken('ZIP');
  if (count > limits.zipEntries) throw tooLarge(`${limits.zipEntries} entries`);
  const entries = new Map<string, Entry>();
  const ranges: { start: number; end: number }[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== 0x02014b50) throw broken('ZIP');
    const { entry, range } = entryAt(file, view, at);
    const key = entry.name.toLowerCase();
    if (entries.has(key) || range.end > start) throw broken('ZIP');
    entries.set(key, entry);
    ranges.push(range);
    at += CENTRAL_BYTES + [28, 30, 32].reduce((sum, field) => sum + view.getUint16(at + field, true), 0);
  }
  ranges.sort((left, right) => left.start - right.start);
  if (ranges.some((range, i) => i > 0 && range.start < ranges[i - 1]!.end)) throw broken('ZIP');
  return entries;
}

/** The end record stands at the end, its comment after it and nothing else. */
function endOf(view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - 0xffff); at--) {
    const isEnd = view.getUint32(at, true) === 0x06054b50 && view.getUint16(at + 20, true) === last - at;
    if (isEnd) return at;
  }
  throw broken('ZIP');
}

function entryAt(file: Uint8Array, view: DataView, at: number) {
  const nameBytes = view.getUint16(at + 28, true);
  const name = file.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameBytes);
  if ((view.getUint16(at + 8, true) & 1) !== 0) throw new DocumentRefusal('DOCUMENT_LOCKED');
  const method = view.getUint16(at + 10, true);
  const local = view.getUint32(at + 42, true);
  const [packedBytes, bytes] = [view.getUint32(at + 20, true), view.getUint32(at + 24, true)];
  if (local + LOCAL_BYTES > view.byteLength || view.getUint32(local, true) !== 0x04034b50) throw broken('ZIP');
  // A reader that goes by local headers must see the same files as one that goes by the directory.
  const nameAgain = file.subarray(local + LOCAL_BYTES, local + LOCAL_BYTES + view.getUint16(local + 26, true));
  const start = local + LOCAL_BYTES + nameAgain.length + view.getUint16(local + 28, true);
  const isSound =
    (method === STORED ? packedBytes === bytes : method === DEFLATED) &&
    view.getUint16(local + 8, true) === method &&
    Buffer.compare(name, nameAgain) === 0;
  if (!isSound) throw broken('ZIP');
  const crc = view.getUint32(at + 16, true);
  const entry: Entry = { name: new TextDecoder().decode(name), method, crc, packedBytes, bytes, start };
  return { entry, range: { start: local, end: start + packedBytes } };
}
