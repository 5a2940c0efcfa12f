import { requireBytes } from '../guards.js';
import { SESSION_KEY_BYTES } from '../session-key.js';
import { collect } from '../streams.js';
import { decodeFileName } from './file-name.js';
import {
  AUTH_TAG_BYTES,
  chunkBytesIn,
  chunkCipher,
  FORMAT_BINARY,
  malformed,
  SEIPD_HEADER_BYTES,
  TAG_LITERAL,
  TAG_SEIPD,
  type ChunkCipher,
} from './format.js';
import { InFlight, windowFor } from './in-flight.js';
import { ByteReader, PacketBody } from './packet-reader.js';

export interface DecryptEnvelopeParams {
  readonly source: AsyncIterable<Uint8Array>;
  readonly sessionKey: Uint8Array;
}

export interface DecryptedEnvelope {
  /** Chosen by the contributor: show it, never use it as a path. */
  readonly fileName: string;
  /** Read it to the end, or `break`, or `return()`: each lets go of the source. It can be read once. */
  readonly body: AsyncGenerator<Uint8Array<ArrayBuffer>, void>;
}

/**
 * Decrypt an envelope as a stream, in memory of a few chunks.
 *
 * !! DO NOT ACT ON ANYTHING BEFORE THE STREAM HAS ENDED WITHOUT AN ERROR. !!
 * Each piece that comes out is authentic and in its place, but only the last tag proves that the file is whole:
 * a ciphertext that was cut at a chunk's border gives all pieces before the cut and then the error. Write to a
 * temporary place and rename, or use `decryptWhole`, which gives out nothing early.
 *
 * Refuses, here or while `body` is read: `ENVELOPE_MALFORMED` (not the one shape of `format.ts`; OCB and EAX too;
 * bytes before, between or after the packets; ends inside a packet) and `ENVELOPE_TAMPERED` (a chunk or the last tag
 * fails: another key, a changed bit, chunks removed, repeated or moved). An error of the source is passed on.
 */
export async function decryptEnvelope({ source, sessionKey }: DecryptEnvelopeParams): Promise<DecryptedEnvelope> {
  requireBytes(sessionKey, SESSION_KEY_BYTES, 'sessionKey');
  let fileName = '';
  const body = readLiteral(new ByteReader(decryptChunks(source, sessionKey)), (name) => (fileName = name));
  // A generator that never ran would not clean up on `return()`, so it is brought to its first yield, after the name.
  await body.next();
  return { fileName, body };
}

export interface DecryptWholeParams extends DecryptEnvelopeParams {
  readonly maxBytes: number;
}

/**
 * Decrypt a file of bounded size; nothing is given out unless all of it is authentic and complete.
 * Refuses as `decryptEnvelope` does, and `FILE_TOO_LARGE` as soon as more than `maxBytes` have come.
 */
export async function decryptWhole({
  source,
  sessionKey,
  maxBytes,
}: DecryptWholeParams): Promise<{ fileName: string; bytes: Uint8Array<ArrayBuffer> }> {
  const { fileName, body } = await decryptEnvelope({ source, sessionKey });
  return { fileName, bytes: await collect(body, maxBytes) };
}

const DATE_BYTES = 4;

async function* readLiteral(
  reader: ByteReader<ArrayBuffer>,
  onName: (fileName: string) => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  try {
    const literal = await openPacket(reader, TAG_LITERAL);
    const [format, nameBytes] = await literal.exactly(2);
    if (format !== FORMAT_BINARY) throw malformed('the literal data is not binary');
    onName(decodeFileName(await literal.exactly(nameBytes!)));
    await literal.exactly(DATE_BYTES);
    yield new Uint8Array();
    for (let view = await literal.next(Infinity); view !== null; view = await literal.next(Infinity)) yield view;
    if ((await reader.next(1)) !== null) throw malformed('something follows the literal data');
  } finally {
    await reader.close();
  }
}

async function* decryptChunks(
  source: AsyncIterable<Uint8Array>,
  sessionKey: Uint8Array,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const reader = new ByteReader(source);
  try {
    const packet = await openPacket(reader, TAG_SEIPD);
    const header = await packet.exactly(SEIPD_HEADER_BYTES);
    const chunkBytes = chunkBytesIn(header);
    yield* decryptBody(packet, await chunkCipher(sessionKey, header), chunkBytes);
    if ((await reader.next(1)) !== null) throw malformed('something follows the encrypted data');
  } finally {
    await reader.close();
  }
}

async function* decryptBody(
  packet: PacketBody,
  cipher: ChunkCipher,
  chunkBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const sealedBytes = chunkBytes + AUTH_TAG_BYTES;
  // Room for the last tag too: what may be the packet's last 16 bytes is not a chunk's.
  const stage = new Uint8Array(sealedBytes + AUTH_TAG_BYTES);
  const underWay = new InFlight<Uint8Array<ArrayBuffer>>();
  const window = windowFor(chunkBytes);
  let index = 0;
  let filled = await packet.readInto(stage, 0);
  for (; filled === stage.length; filled = await packet.readInto(stage, AUTH_TAG_BYTES)) {
    underWay.start(cipher.decrypt(index++, stage.subarray(0, sealedBytes)));
    stage.copyWithin(0, sealedBytes);
    yield* underWay.drainTo(window);
  }
  const lastBytes = filled - AUTH_TAG_BYTES;
  if (lastBytes < 0 || (lastBytes > 0 && lastBytes <= AUTH_TAG_BYTES))
    throw malformed('ends inside an authentication tag');
  let totalBytes = index * chunkBytes;
  if (lastBytes > 0) {
    underWay.start(cipher.decrypt(index++, stage.subarray(0, lastBytes)));
    totalBytes += lastBytes - AUTH_TAG_BYTES;
  }
  yield* underWay.drainTo(0);
  await cipher.verifyFinalTag(index, totalBytes, stage.subarray(lastBytes, filled));
}

async function openPacket<B extends ArrayBufferLike>(reader: ByteReader<B>, tag: number): Promise<PacketBody<B>> {
  const packet = await PacketBody.open(reader);
  if (packet === null) throw malformed(`ends before packet ${tag}`);
  if (packet.tag !== tag) throw malformed(`packet ${packet.tag} where packet ${tag} must be`);
  return packet;
}
