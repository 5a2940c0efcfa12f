import { createHash } from 'node:crypto';
import { toHex32, type Hex32, type UsufructError } from '@usufruct/kernel';
import { encodedBlobBytes } from '../cost/index.js';
import type { Lease } from './lease-table.js';
import type { Stored } from './local-store.js';

/** A `Blob` object as Walrus's publisher prints it. */
export function blobObject(lease: Lease, shards: number): object {
  const { objectId, blobId, sizeBytes, deletable, registeredEpoch, certifiedEpoch, endEpoch } = lease;
  return {
    id: objectId,
    registeredEpoch,
    blobId,
    size: sizeBytes,
    encodingType: 'RS2',
    certifiedEpoch,
    storage: {
      id: storageId(objectId),
      startEpoch: registeredEpoch,
      endEpoch,
      storageSize: encodedBlobBytes(sizeBytes, shards),
    },
    deletable,
  };
}

/** What a publisher answers to an upload. Named by its object where there was a lease already: there is no event. */
export function putAnswer({ lease, costFrost }: Stored, shards: number): object {
  const { blobId, objectId, endEpoch, registeredEpoch } = lease;
  if (costFrost === null) return { alreadyCertified: { blobId, object: objectId, endEpoch } };
  const encodedLength = encodedBlobBytes(lease.sizeBytes, shards);
  return {
    newlyCreated: {
      blobObject: blobObject(lease, shards),
      resourceOperation: { registerFromScratch: { encodedLength, epochsAhead: endEpoch - registeredEpoch } },
      cost: Number(costFrost),
    },
  };
}

/** The stand-in's own: with the owner, whom on Sui the object itself names. */
export const leaseAnswer = (lease: Lease, shards: number): object => ({
  owner: lease.owner,
  blobObject: blobObject(lease, shards),
});

/** The general kind of an error in Walrus's answers, by HTTP status. */
const KINDS: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  409: 'FAILED_PRECONDITION',
  416: 'OUT_OF_RANGE',
};

/** A refusal in both languages: ours, and in `error` the form in which Walrus's services refuse. */
export function refusalBody(error: UsufructError, status: number): object {
  const reason = reasonOf(error, status);
  const details = [{ '@type': 'ErrorInfo', reason, domain: 'local-store.usufruct' }];
  return {
    ...error.toWire(),
    error: { status: KINDS[status] ?? 'INTERNAL', code: status, message: error.message, details },
  };
}

function reasonOf({ code, details }: UsufructError, status: number): string {
  if (status === 416 || details.field === 'length') return 'INVALID_BYTE_RANGE';
  if (code === 'INVALID_ARGUMENT' && details.field === 'persistence') return 'INVALID_BLOB_PERSISTENCE';
  if (code !== 'NOT_FOUND') return code;
  return 'patch' in details ? 'QUILT_PATCH_NOT_FOUND' : 'BLOB_NOT_FOUND';
}

const storageId = (objectId: Hex32): Hex32 => toHex32(createHash('sha256').update(`storage of ${objectId}`).digest());
