import { concatBytes, refuse, type RandomSource } from '@usufruct/kernel';
import { requireBytes } from '../guards.js';
import { SESSION_KEY_BYTES } from '../session-key.js';
import { encodeFileName } from './file-name.js';
import {
  chunkCipher,
  FORMAT_BINARY,
  MAX_CHUNK_BYTES,
  MIN_CHUNK_BYTES,
  seipdHeader,
  TAG_LITERAL,
  TAG_SEIPD,
  type ChunkCipher,
} from './format.js';
import { InFlight, windowFor } from './in-flight.js';
import { chunkPacket, framePacket } from './packet-writer.js';

/**
 * Measured on 2 cores (test/bench/envelope.ts): 256 KiB pays more for each call of WebCrypto, 1 MiB is no faster and
 * leaves 30 MB more to the garbage collector.
 */
export const DEFAULT_CHUNK_BYTES = 512 * 1024;

export interface EncryptEnvelopeParams {
  /** The file. Read once; a piece may be of any size and is not kept. */
  readonly source: AsyncIterable<Uint8Array>;
  /** 32 bytes (`deriveSessionKey`). One key encrypts one envelope. */
  readonly sessionKey: Uint8Array;
  /** Travels inside the encryption. At most 255 bytes of UTF-8; no path separators or control characters. */
  readonly fileName: string;
  /** 32 bytes of salt are drawn. */
  readonly random: RandomSource;
  /** A power of two from 512 bytes to 4 MiB. */
  readonly chunkBytes?: number;
}

/**
 * Encrypt a file of any length as an OpenPGP message (RFC 9580, version 2 encrypted data, AES-256-GCM) that any
 * implementation of that RFC opens with the session key. The total length need not be known. Memory is a few chunks.
 *
 * Refuses `INVALID_ARGUMENT` before reading anything. An error of the source is passed on. The ciphertext shows the
 * file's length to within a few bytes: pad the file where that matters. It does not show who encrypted.
 */
export function encryptEnvelope(params: EncryptEnvelopeParams): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const chunkBytes = params.chunkBytes ?? DEFAULT_CHUNK_BYTES;
  requireBytes(params.sessionKey, SESSION_KEY_BYTES, 'sessionKey');
  if (chunkBytes < MIN_CHUNK_BYTES || chunkBytes > MAX_CHUNK_BYTES || !Number.isInteger(Math.log2(chunkBytes))) {
    throw refuse('INVALID_ARGUMENT', {
      field: 'chunkBytes',
      expected: `a power of two from ${MIN_CHUNK_BYTES} to ${MAX_CHUNK_BYTES}`,
    });
  }
  const fileName = encodeFileName(params.fileName);
  const literalStart = concatBytes(Uint8Array.of(FORMAT_BINARY, fileName.length), fileName, NO_DATE);
  const header = seipdHeader(chunkBytes, params.random(32));
  const chunks = chunkPacket(TAG_LITERAL, literalStart, params.source, chunkBytes);
  return framePacket(TAG_SEIPD, encryptChunks(chunks, params.sessionKey, header, chunkBytes), chunkBytes);
}

/** The RFC's "not known": a date would tell when, and is nobody's business. */
const NO_DATE = new Uint8Array(4);

async function* encryptChunks(
  chunks: AsyncIterable<Uint8Array<ArrayBuffer>>,
  sessionKey: Uint8Array,
  header: Uint8Array,
  chunkBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const cipher: ChunkCipher = await chunkCipher(sessionKey, header);
  yield Uint8Array.from(header);
  const underWay = new InFlight<Uint8Array<ArrayBuffer>>();
  const window = windowFor(chunkBytes);
  let index = 0;
  let totalBytes = 0;
  for await (const chunk of chunks) {
    underWay.start(cipher.encrypt(index++, chunk));
    totalBytes += chunk.length;
    yield* underWay.drainTo(window);
  }
  underWay.start(cipher.finalTag(index, totalBytes));
  yield* underWay.drainTo(0);
}
