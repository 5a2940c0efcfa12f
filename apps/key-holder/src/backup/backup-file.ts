import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open as hpkeOpen, seal, sha256, sign, verify, type SigningKey } from '@usufruct/crypto';
import {
  concatBytes,
  equalBytes,
  fromHex,
  lengthPrefixed,
  refuse,
  u32le,
  utf8,
  type Digest,
  type RandomSource,
} from '@usufruct/kernel';
import { BACKUP_LIMITS, BackupHeaderBcs, decodeCanonical, TAGS, type BackupHeader } from '@usufruct/protocol';
import type { BackupPrivateKey, BackupRecipient } from './recipient.js';

/**
 * One file: magic (8) ‖ length of the header (u32 LE) ‖ header (BCS) ‖ Ed25519 of the holder over it (64) ‖ pieces. Each
 * piece: length of what follows (u32 LE) ‖ AES-256-GCM ‖ tag. The first piece is the keyring's, the others are the
 * database's, in order. Their nonce counts them and marks the last (as STREAM does: Hoang, Reyhanitabar, Rogaway, Vizár
 * 2015), the key is this file's own, and the header is what they are about: a piece that is lost, swapped, or another
 * file's does not open, and neither does what goes on after the last or ends before it.
 */
const MAGIC = utf8('USUFBK01');
const SIGNATURE_BYTES = 64;
const MOST_HEADER_BYTES = 1024;
const KEY_BYTES = 32;
const TAG_BYTES = 16;

const invalid = (check: string) => refuse('BACKUP_INVALID', { check });

const keyInfo = (holderSigningKey: Uint8Array, recipientId: Digest): Uint8Array =>
  lengthPrefixed(utf8(TAGS.holderBackup), holderSigningKey, fromHex(recipientId));

function nonceOf(piece: number, isLast: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setUint32(7, piece, false);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

export interface BackupSource {
  readonly signing: SigningKey;
  readonly recipient: BackupRecipient;
  readonly about: Pick<BackupHeader, 'createdAtMs' | 'schemaVersion' | 'logSize' | 'databaseBytes'>;
  /** What is needed of the keyring. */
  readonly keyring: Uint8Array;
  readonly database: FileHandle;
  readonly random: RandomSource;
}

/** Writes everything from where the target is; the caller makes it durable. */
export async function writeBackup(target: FileHandle, source: BackupSource): Promise<void> {
  const { signing, recipient, about, database } = source;
  const key = source.random(KEY_BYTES);
  const sealedKey = await seal({
    recipientPublicKey: recipient.publicKey,
    info: keyInfo(signing.publicKey, recipient.id),
    aad: new Uint8Array(),
    plaintext: key,
  });
  const header = BackupHeaderBcs.serialize({
    holderSigningKey: signing.publicKey,
    recipientId: recipient.id,
    recipientExpiresAtMs: recipient.expiresAtMs,
    ...about,
    sealedKey,
  }).toBytes();
  const signature = await sign({ secretKey: signing.secretKey, domainTag: TAGS.holderBackup, message: header });
  await writeAll(target, concatBytes(MAGIC, u32le(header.length), header, signature));
  const aad = sha256(header);
  const pieces = Math.ceil(about.databaseBytes / BACKUP_LIMITS.chunkBytes);
  for (let piece = 0; piece <= pieces; piece += 1) {
    const plaintext = piece === 0 ? source.keyring : await readSome(database, BACKUP_LIMITS.chunkBytes);
    const cipher = createCipheriv('aes-256-gcm', key, nonceOf(piece, piece === pieces)).setAAD(aad);
    const sealed = concatBytes(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
    await writeAll(target, concatBytes(u32le(sealed.length), sealed));
  }
  key.fill(0);
}

export interface ReadHeader {
  readonly header: BackupHeader;
  readonly bytes: Uint8Array;
}

/**
 * The header, once it is shown to be the word of this holder. Refuses `BACKUP_INVALID`: `format`, `signature` (altered),
 * `holder` (another one's).
 */
export async function readHeader(file: FileHandle, holderSigningKey: Uint8Array): Promise<ReadHeader> {
  const start = await readSome(file, MAGIC.length + 4);
  if (start.length < MAGIC.length + 4 || !equalBytes(start.subarray(0, MAGIC.length), MAGIC)) throw invalid('format');
  const length = lengthIn(start.subarray(MAGIC.length));
  if (length > MOST_HEADER_BYTES) throw invalid('format');
  const bytes = await readSome(file, length);
  const signature = await readSome(file, SIGNATURE_BYTES);
  const header = decodeCanonical(BackupHeaderBcs, bytes, MOST_HEADER_BYTES);
  if (header === null || signature.length !== SIGNATURE_BYTES) throw invalid('format');
  if (!equalBytes(header.holderSigningKey, holderSigningKey)) throw invalid('holder');
  const publicKey = holderSigningKey;
  if (!(await verify({ publicKey, domainTag: TAGS.holderBackup, message: bytes, signature }))) {
    throw invalid('signature');
  }
  return { header, bytes };
}

/**
 * What follows the header: the keyring's part at once, the database into `target`. Nothing of it may be used before this
 * resolves. Refuses `BACKUP_INVALID`: `recipient` (another private key), `piece` (altered, cut, swapped, added to).
 */
export async function readPieces(
  file: FileHandle,
  target: FileHandle,
  { header, bytes }: ReadHeader,
  { privateKey, recipient }: BackupPrivateKey,
): Promise<{ readonly keyring: Uint8Array }> {
  if (recipient.id !== header.recipientId) throw invalid('recipient');
  const key = await hpkeOpen({
    privateKey,
    info: keyInfo(header.holderSigningKey, header.recipientId),
    aad: new Uint8Array(),
    sealed: header.sealedKey,
  }).catch(() => {
    throw invalid('recipient');
  });
  const aad = sha256(bytes);
  const pieces = Math.ceil(header.databaseBytes / BACKUP_LIMITS.chunkBytes);
  let keyring = new Uint8Array();
  let written = 0;
  for (let piece = 0; piece <= pieces; piece += 1) {
    const plaintext = opened(await readPiece(file), key, nonceOf(piece, piece === pieces), aad);
    if (piece === 0) keyring = plaintext;
    else await writeAll(target, plaintext);
    if (piece > 0) written += plaintext.length;
  }
  key.fill(0);
  if (written !== header.databaseBytes || (await readSome(file, 1)).length > 0) throw invalid('piece');
  return { keyring };
}

async function readPiece(file: FileHandle): Promise<Uint8Array> {
  const start = await readSome(file, 4);
  const length = start.length === 4 ? lengthIn(start) : 0;
  if (length < TAG_BYTES || length > BACKUP_LIMITS.chunkBytes + TAG_BYTES) throw invalid('piece');
  const sealed = await readSome(file, length);
  if (sealed.length !== length) throw invalid('piece');
  return sealed;
}

function opened(sealed: Uint8Array, key: Uint8Array, nonce: Uint8Array, aad: Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(aad)
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    return concatBytes(decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final());
  } catch {
    throw invalid('piece');
  }
}

const lengthIn = (bytes: Uint8Array): number => new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);

/** So many bytes from where the file is; fewer at its end. */
async function readSome(file: FileHandle, atMost: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(atMost);
  let filled = 0;
  while (filled < atMost) {
    const { bytesRead } = await file.read(bytes, filled, atMost - filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done)).bytesWritten;
}
