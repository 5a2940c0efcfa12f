import { decryptEnvelope, deriveSessionKey, encryptEnvelope } from '@usufruct/crypto';
import type { RandomSource } from '@usufruct/kernel';
import { lengthFirst } from './document-bytes.js';
import { RecordReader } from './record-reader.js';

/** A header is names and versions. */
const MOST_HEADER_BYTES = 16 * 1024;

export interface FileKey {
  readonly domainTag: string;
  /** 32 bytes. The file's own key follows from it and from the whole header, which is public. */
  readonly secret: Uint8Array;
}

/**
 * A file on a disk that is the host's: header ‖ the envelope of the plaintext (AES-256-GCM in chunks, with a salt of its
 * own, RFC 9580). Every byte of the header decides the key, so a file opens under its own header or not at all.
 */
export async function* sealFile(
  header: Uint8Array,
  { domainTag, secret }: FileKey,
  plaintext: AsyncIterable<Uint8Array>,
  random: RandomSource,
): AsyncGenerator<Uint8Array, void> {
  yield* lengthFirst(header);
  const sessionKey = deriveSessionKey({ domainTag, secret, context: header });
  try {
    yield* encryptEnvelope({ source: plaintext, sessionKey, fileName: 'stored', random });
  } finally {
    sessionKey.fill(0);
  }
}

export interface SplitFile {
  readonly header: Uint8Array;
  readonly envelope: Uint8Array;
}

/** Null for what is none. Nothing of it is proven. */
export function splitFile(file: Uint8Array): SplitFile | null {
  if (file.length < 4) return null;
  const length = new DataView(file.buffer, file.byteOffset).getUint32(0, true);
  if (length > MOST_HEADER_BYTES || 4 + length > file.length) return null;
  return { header: file.slice(4, 4 + length), envelope: file.subarray(4 + length) };
}

/** Of a header that is JSON; undefined for what is not. */
export function headerJson(header: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(header).toString('utf8'));
  } catch {
    return undefined;
  }
}

/**
 * What `read` makes of the plaintext; it is given out only when all of it was read and is authentic. Throws for another
 * key, another header, and bytes that were changed, cut or added.
 */
export async function openFile<T>(
  { header, envelope }: SplitFile,
  { domainTag, secret }: FileKey,
  read: (reader: RecordReader) => Promise<T>,
): Promise<T> {
  const sessionKey = deriveSessionKey({ domainTag, secret, context: header });
  try {
    const { body } = await decryptEnvelope({ source: pieces(envelope), sessionKey });
    const reader = new RecordReader(body);
    try {
      const found = await read(reader);
      await reader.end();
      return found;
    } finally {
      await reader.close();
    }
  } finally {
    sessionKey.fill(0);
  }
}

const PIECE_BYTES = 512 * 1024;
async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}
