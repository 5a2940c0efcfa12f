import { bcs } from '@mysten/bcs';
import {
  asBlobId,
  equalBytes,
  fromBase64,
  fromBase64Url,
  fromHex,
  toBase64,
  toBase64Url,
  type BlobId,
} from '@usufruct/kernel';
import { z } from 'zod';
import type { Certificate, LeaseView } from './ports.js';

/** Walrus's `StorageConfirmation`: intent (type 1, version 0, app 3), epoch, blob id, and which kind of blob. */
const Confirmation = bcs.struct('StorageConfirmation', {
  type: bcs.u8(),
  version: bcs.u8(),
  app: bcs.u8(),
  epoch: bcs.u32(),
  blobId: bcs.bytes(32),
  kind: bcs.enum('BlobPersistenceType', { Permanent: null, Deletable: bcs.bytes(32) }),
});
const CERTIFICATE_TYPE = 1;
const WALRUS_APP = 3;
const MOST_SIGNERS = 1_000;

const zCertificate = z.object({
  signers: z.array(z.int().min(0).max(65_535)).max(MOST_SIGNERS),
  message: z.string().max(1_024),
  signature: z.string().max(1_024),
});

export const writeCertificate = ({ signers, message, signature }: Certificate): string =>
  JSON.stringify({ signers, message: toBase64(message), signature: toBase64(signature) });

export function readCertificate(text: string): Certificate {
  const { signers, message, signature } = zCertificate.parse(JSON.parse(text));
  return { signers, message: fromBase64(message), signature: fromBase64(signature) };
}

/** Whether what the nodes signed is about this blob, and for this kind of lease. Proves nothing about the signature. */
export function certifies({ message }: Certificate, { blobId, deletable, objectId }: LeaseView): boolean {
  const parsed = parse(message);
  if (parsed === null || parsed.blobId !== blobId) return false;
  return deletable ? parsed.object !== null && equalBytes(parsed.object, fromHex(objectId)) : parsed.object === null;
}

function parse(message: Uint8Array): { blobId: BlobId; object: Uint8Array | null } | null {
  try {
    const { type, version, app, blobId, kind } = Confirmation.parse(message);
    if (type !== CERTIFICATE_TYPE || version !== 0 || app !== WALRUS_APP) return null;
    const object = kind.$kind === 'Deletable' ? Uint8Array.from(kind.Deletable) : null;
    return { blobId: asBlobId(toBase64Url(Uint8Array.from(blobId))), object };
  } catch {
    return null;
  }
}

/** What nodes sign for a lease: for fakes that are nodes. */
export const confirmationOf = ({ blobId, deletable, objectId }: LeaseView, epoch: number): Uint8Array =>
  Confirmation.serialize({
    type: CERTIFICATE_TYPE,
    version: 0,
    app: WALRUS_APP,
    epoch,
    blobId: fromBase64Url(blobId),
    kind: deletable ? { Deletable: fromHex(objectId) } : { Permanent: null },
  }).toBytes();
