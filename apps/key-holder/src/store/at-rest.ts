import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { SQLOutputValue } from 'node:sqlite';
import { concatBytes, fromHex, refuse, toHex, type RandomSource } from '@usufruct/kernel';
import { STORAGE_ID_BYTES, type StorageKey } from '../keyring/contents.js';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = { start: 0, end: STORAGE_ID_BYTES } as const;
const HEADER_BYTES = STORAGE_ID_BYTES + NONCE_BYTES;

/** The generations of the storage key: those of the keyring. */
export interface StorageKeys {
  current(): StorageKey;
  byId(id: string): StorageKey | undefined;
}

/** A table whose column `encrypted` (null where destroyed) was made by `AtRest`. */
export interface EncryptedTable {
  readonly table: string;
  /** What the row was encrypted as, from its other columns. */
  readonly aboutRow: (row: Readonly<Record<string, SQLOutputValue>>) => Uint8Array;
  /** Of so many rows at once; fewer where a row may be megabytes. */
  readonly rowsAtOnce: number;
}

/**
 * AES-256-GCM of what this holder keeps: the database file alone opens nothing. Wire: id of the key's generation (8) ‖
 * nonce (12) ‖ ciphertext ‖ tag (16).
 *
 * Synchronous, so that what is written is encrypted in the transaction that writes it, under the key that is current
 * then: no row comes to be under a generation that a rotation has gone past.
 */
export class AtRest {
  constructor(
    private readonly keys: StorageKeys,
    private readonly random: RandomSource,
  ) {}

  /** To be called in the transaction. `about` says which row these bytes are of: no row can be swapped for another. */
  encrypt(about: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const { id, key } = this.keys.current();
    const nonce = this.random(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(about);
    return concatBytes(fromHex(id), nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
  }

  /** Refuses `INTERNAL` where its key is gone. Throws for another row's, and for bytes that were altered. */
  decrypt(about: Uint8Array, encrypted: Uint8Array): Uint8Array {
    const key = this.keys.byId(generationOf(encrypted))?.key;
    if (key === undefined) throw refuse('INTERNAL', { reason: 'no key of this generation' });
    const nonce = encrypted.subarray(KEY_ID.end, HEADER_BYTES);
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
      .setAAD(about)
      .setAuthTag(encrypted.subarray(-TAG_BYTES));
    return concatBytes(decipher.update(encrypted.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final());
  }

  /** Whether there still is a key for it: a row that was read before a rotation may have been encrypted anew since. */
  hasKeyOf(encrypted: Uint8Array): boolean {
    return this.keys.byId(generationOf(encrypted)) !== undefined;
  }
}

export const generationOf = (encrypted: Uint8Array): string => toHex(encrypted.subarray(KEY_ID.start, KEY_ID.end));
