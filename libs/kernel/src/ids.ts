import type { Brand } from './brand.js';
import { refuse } from './errors.js';

/**
 * Every object on the chain has a 32-byte id, written as Sui writes addresses: `0x` and 64 lower-case hex digits.
 * Ids that a client may have to send twice (job, contribution, grant, …) are derived from a salt that the client
 * stores before it sends anything, so a repeated request names the same object instead of making a second one.
 */
export type Hex32 = `0x${string}`;
export type Address = Brand<Hex32, 'Address'>;
export type DaoId = Brand<Hex32, 'DaoId'>;
export type DatasetId = Brand<Hex32, 'DatasetId'>;
export type ContributionId = Brand<Hex32, 'ContributionId'>;
export type GrantId = Brand<Hex32, 'GrantId'>;
export type HolderSetId = Brand<Hex32, 'HolderSetId'>;
export type JobId = Brand<Hex32, 'JobId'>;
export type QuestionId = Brand<Hex32, 'QuestionId'>;
export type RunnerId = Brand<Hex32, 'RunnerId'>;
export type ProposalId = Brand<Hex32, 'ProposalId'>;
/** A registered signer of receipts that is no runner: an MPC set or an FHE host. */
export type SignerId = Brand<Hex32, 'SignerId'>;
export type EpochId = Brand<Hex32, 'EpochId'>;
export type LicenceId = Brand<Hex32, 'LicenceId'>;
/** A SHA-256 digest. */
export type Digest = Brand<Hex32, 'Digest'>;
/** A Walrus blob id: 32 bytes, base64url without padding, as Walrus's HTTP interface writes it. */
export type BlobId = Brand<string, 'BlobId'>;

const HEX32 = /^0x[0-9a-f]{64}$/;
const BLOB_ID = /^[A-Za-z0-9_-]{43}$/;

export const isHex32 = (value: unknown): value is Hex32 => typeof value === 'string' && HEX32.test(value);

/** Brand a validated id. Throws `INVALID_ARGUMENT` with the field's name; never echoes the value. */
export function asId<T extends Hex32>(value: string, field: string): T {
  if (!isHex32(value)) throw refuse('INVALID_ARGUMENT', { field, expected: '0x and 64 lower-case hex digits' });
  return value as T;
}

export function asBlobId(value: string): BlobId {
  if (!BLOB_ID.test(value)) throw refuse('INVALID_ARGUMENT', { field: 'blobId', expected: '43 base64url characters' });
  return value as BlobId;
}
