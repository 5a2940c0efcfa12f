import { concatBytes, refuse, type Digest } from '@usufruct/kernel';
import { requireInteger } from './guards.js';
import { digestOfPart } from './hash.js';

const MAX_PART_BYTES = 1024 ** 3;

/** One blob's worth of a stream. */
export interface StreamPart {
  /** From 0. */
  readonly index: number;
  /** A buffer of its own: the receiver may keep it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: Digest;
}

/**
 * Cut a stream into parts of exactly `partBytes` and a last shorter one, each with its SHA-256. An empty stream has no
 * parts. At most one part is in memory besides those that the receiver keeps.
 */
export async function* splitIntoParts(
  source: AsyncIterable<Uint8Array>,
  partBytes: number,
): AsyncGenerator<StreamPart, void> {
  requireInteger(partBytes, 1, MAX_PART_BYTES, 'partBytes');
  let [index, filled, part] = [0, 0, new Uint8Array(partBytes)];
  for await (const piece of source) {
    for (let taken = 0; taken < piece.length;) {
      const view = piece.subarray(taken, taken + partBytes - filled);
      part.set(view, filled);
      filled += view.length;
      taken += view.length;
      if (filled < partBytes) continue;
      yield await finishPart(index++, part);
      [filled, part] = [0, new Uint8Array(partBytes)];
    }
  }
  if (filled > 0) yield await finishPart(index, part.slice(0, filled));
}

async function finishPart(index: number, bytes: Uint8Array<ArrayBuffer>): Promise<StreamPart> {
  return { index, bytes, sha256: await digestOfPart(bytes) };
}

/** Bytes that are in memory already, as a stream. */
export async function* streamOf(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array, void> {
  yield* pieces;
}

/** A browser's stream (`file.stream()`, `response.body`) as an iterable: not every browser can iterate over its own. */
export async function* fromReadableStream(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const reader = stream.getReader();
  let isOver = false;
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
    isOver = true;
  } finally {
    if (!isOver) await reader.cancel().catch(() => undefined);
    reader.releaseLock();
  }
}

/** The whole of a stream of bounded size. Refuses `FILE_TOO_LARGE` as soon as more than `maxBytes` have come. */
export async function collect(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array<ArrayBuffer>> {
  requireInteger(maxBytes, 0, Number.MAX_SAFE_INTEGER, 'maxBytes');
  const pieces: Uint8Array[] = [];
  let totalBytes = 0;
  for await (const piece of source) {
    totalBytes += piece.length;
    if (totalBytes > maxBytes) throw refuse('FILE_TOO_LARGE', { limitBytes: String(maxBytes) });
    pieces.push(piece);
  }
  return concatBytes(...pieces);
}
