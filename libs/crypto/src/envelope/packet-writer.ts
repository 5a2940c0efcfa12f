import { concatBytes } from '@usufruct/kernel';
import { definiteLength, partialLength } from './packet-length.js';

/**
 * A packet around a body of unknown length: parts of `partBytes` and a last one of what is left. The body's bytes are
 * passed on as views, never copied; a part's length octet goes out only when the whole part is there.
 */
export async function* framePacket(
  tag: number,
  body: AsyncIterable<Uint8Array<ArrayBuffer>>,
  partBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  yield Uint8Array.of(0xc0 | tag);
  let waiting: Uint8Array<ArrayBuffer>[] = [];
  let waitingBytes = 0;
  for await (const piece of body) {
    waiting.push(piece);
    waitingBytes += piece.length;
    while (waitingBytes >= partBytes) {
      const last = waiting.pop()!;
      const beyondBytes = waitingBytes - partBytes;
      yield Uint8Array.of(partialLength(partBytes));
      yield* waiting;
      yield last.subarray(0, last.length - beyondBytes);
      waiting = [last.subarray(last.length - beyondBytes)];
      waitingBytes = beyondBytes;
    }
  }
  yield Uint8Array.from(definiteLength(waitingBytes));
  yield* waiting.filter((piece) => piece.length > 0);
}

/**
 * A packet with the given body start and then the source, as plaintext chunks of exactly `chunkBytes` and a last
 * shorter one. Each chunk is valid only until the next is asked for: the buffer is used again.
 *
 * Parts are as long as chunks. A part's length octet is written into the gap left for it once the part is full; only
 * then does the chunk that holds the octet go out. Part k's octet lies at offset k + 1 of its chunk, so what has to
 * be moved when a chunk goes out is a few bytes.
 */
export async function* chunkPacket(
  tag: number,
  bodyStart: Uint8Array,
  source: AsyncIterable<Uint8Array>,
  chunkBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const stage = new Uint8Array(2 * chunkBytes);
  stage[0] = 0xc0 | tag;
  let lengthAt = 1;
  let filled = 2;
  stage.set(bodyStart, filled);
  filled += bodyStart.length;

  for await (const piece of source) {
    for (let taken = 0; taken < piece.length;) {
      const part = piece.subarray(taken, taken + lengthAt + 1 + chunkBytes - filled);
      stage.set(part, filled);
      filled += part.length;
      taken += part.length;
      if (filled < lengthAt + 1 + chunkBytes) continue;
      stage[lengthAt] = partialLength(chunkBytes);
      yield stage.subarray(0, chunkBytes);
      stage.copyWithin(0, chunkBytes, filled);
      lengthAt = filled - chunkBytes;
      if (lengthAt === chunkBytes) {
        // After chunkBytes parts their length octets have added up to one more chunk.
        yield stage.subarray(0, chunkBytes);
        lengthAt = 0;
      }
      filled = lengthAt + 1;
    }
  }
  const lastLength = definiteLength(filled - lengthAt - 1);
  const rest = concatBytes(stage.subarray(0, lengthAt), lastLength, stage.subarray(lengthAt + 1, filled));
  for (let at = 0; at < rest.length; at += chunkBytes) yield rest.subarray(at, at + chunkBytes);
}
