import { toUsufructError, UsufructError, type BlobId, type Hex32 } from '@usufruct/kernel';
import type { BlobStore, CallOptions } from './blob-store.js';

/** A larger ciphertext is a blob of its own, and nobody looks for it in a quilt. */
export const QUILTED_AT_MOST_BYTES = 1024 ** 2;

/** What reading a part or a manifest needs of a store. */
export type PartReader = Pick<BlobStore, 'get' | 'getPatch'>;

/**
 * A part of a contribution, or its signed manifest, as the chain and the manifest name it. Small ones may lie in a quilt:
 * then the blob is the quilt, and the file in it is called by the digest that is signed and registered anyway (of a part
 * its SHA-256, of a manifest its digest), so that neither format nor contracts know of quilts.
 */
export interface PartName {
  readonly blobId: BlobId;
  readonly digest: Hex32;
  readonly sizeBytes: number;
}

/** What the file of this digest is called in a quilt. */
export const quiltIdentifier = (digest: Hex32): string => digest.slice(2);

/**
 * The bytes of a part, wherever they lie: in the quilt that the blob is, or the blob itself. `isRight` compares them with
 * what was signed, which makes the two ways equally safe. A small part that is a blob of its own costs one question in
 * vain. Refuses `BLOB_MISMATCH` where only other bytes are there, `BLOB_UNAVAILABLE` where none are, and as the store does.
 */
export async function readPart(
  store: PartReader,
  { blobId, digest, sizeBytes }: PartName,
  isRight: (bytes: Uint8Array) => boolean | Promise<boolean>,
  options: CallOptions & { readonly fresh?: boolean } = {},
): Promise<Uint8Array> {
  const attempt = async (read: () => Promise<Uint8Array>): Promise<Uint8Array | UsufructError> => {
    try {
      const bytes = await read();
      return (await isRight(bytes)) ? bytes : new OtherBytes(blobId, bytes.length);
    } catch (error) {
      // The caller has given up, or this is no refusal of a store at all.
      if (!(error instanceof UsufructError)) throw error;
      return error;
    }
  };
  const whole = () => attempt(() => store.get(blobId, options));
  const patch = (once: boolean) =>
    attempt(() => store.getPatch({ quiltId: blobId, identifier: quiltIdentifier(digest) }, { ...options, once }));
  if (sizeBytes > QUILTED_AT_MOST_BYTES) return bytesOf(await whole());
  const first = await patch(true);
  if (first instanceof Uint8Array) return first;
  const blob = await whole();
  if (blob instanceof Uint8Array) return blob;
  // The first question may have failed for the moment only.
  const again = await patch(false);
  if (again instanceof Uint8Array) return again;
  throw worse(again, blob, sizeBytes);
}

function bytesOf(read: Uint8Array | UsufructError): Uint8Array {
  if (read instanceof Uint8Array) return read;
  throw read;
}

/** Bytes came, and were not the right ones. */
class OtherBytes extends UsufructError {
  constructor(
    blobId: BlobId,
    readonly lengthBytes: number,
  ) {
    super('BLOB_MISMATCH', { blobId });
  }
}

/** Wrong bytes are said before no bytes. A whole quilt is not wrong because its files could not be asked for. */
function worse(patch: UsufructError, blob: UsufructError, sizeBytes: number): UsufructError {
  if (patch.code === 'BLOB_MISMATCH') return patch;
  const isQuilt = blob instanceof OtherBytes && blob.lengthBytes !== sizeBytes;
  if (blob.code === 'BLOB_MISMATCH' && !(isQuilt && isSilence(patch))) return blob;
  return blob.code === 'UPSTREAM_INVALID' || blob.code === 'BLOB_MISMATCH' ? patch : blob;
}

/** No answer, where "there is none" would be one: only then is a server named. */
const isSilence = (error: UsufructError): boolean => 'upstream' in toUsufructError(error).details;
