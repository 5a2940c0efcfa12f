import { sha256 } from '@noble/hashes/sha2.js';
import {
  fromHex,
  lengthPrefixed,
  toHex32,
  utf8,
  type Address,
  type DaoId,
  type Digest,
  type Hex32,
} from '@usufruct/kernel';
import { TAGS, type Tag } from './domain-tags.js';

/** SHA-256 over the tag and every part, each length-prefixed. */
export const taggedDigest = (tag: Tag, ...parts: readonly Uint8Array[]): Digest =>
  toHex32<Digest>(sha256(lengthPrefixed(utf8(tag), ...parts)));

export type ObjectKind =
  'dao' | 'dataset' | 'contribution' | 'grant' | 'holder-set' | 'job' | 'question' | 'proposal' | 'licence';

/**
 * The id of an object that a client makes: SHA-256(tag ‖ kind ‖ parent ‖ owner ‖ salt), every part length-prefixed.
 * The owner is part of it, so nobody can take an id that another is about to use; the salt (32 random bytes) is
 * stored by the client before anything is sent, so that sending twice names the same object.
 */
export function deriveId<T extends Hex32>(kind: ObjectKind, parent: Hex32 | null, owner: Hex32, salt: Hex32): T {
  const parentBytes = parent === null ? new Uint8Array() : fromHex(parent);
  return taggedDigest(TAGS.objectId, utf8(kind), parentBytes, fromHex(owner), fromHex(salt)) as Hex32 as T;
}

/** The account of a DAO's treasury: a digest, so nobody has its key. */
export const treasuryAccountOf = (daoId: DaoId): Address =>
  taggedDigest(TAGS.objectId, utf8('treasury'), fromHex(daoId)) as string as Address;
