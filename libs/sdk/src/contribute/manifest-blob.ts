import { asBlobId, equalBytes, fromHex, toBase64Url, type BlobId, type Hex32 } from '@usufruct/kernel';
import { manifestDigest, SignedManifestBcs, type ContributionView } from '@usufruct/protocol';
import { readPart, type PartName, type PartReader } from '@usufruct/walrus';

export const blobIdOf = (blob: Hex32): BlobId => asBlobId(toBase64Url(fromHex(blob)));

export const manifestName = ({ manifestBlob, manifestDigest: digest }: Registered): PartName => ({
  blobId: blobIdOf(manifestBlob.blob),
  digest,
  sizeBytes: manifestBlob.sizeBytes,
});
type Registered = Pick<ContributionView, 'manifestBlob' | 'manifestDigest'>;

/** The manifest's own bytes, out of what is stored; null where it is none, or not the registered one. */
export function registeredManifest(stored: Uint8Array, { manifestDigest: digest }: Registered): Uint8Array | null {
  try {
    const { manifest } = SignedManifestBcs.parse(stored);
    return manifestDigest(manifest) === digest ? manifest : null;
  } catch {
    return null;
  }
}

/** The registered manifest, from a blob or out of a quilt. Refuses `BLOB_*` as the store does. */
export async function fetchManifest(store: PartReader, contribution: Registered): Promise<Uint8Array> {
  const isRight = (bytes: Uint8Array): boolean => registeredManifest(bytes, contribution) !== null;
  return SignedManifestBcs.parse(await readPart(store, manifestName(contribution), isRight)).manifest;
}

/**
 * Whether a whole blob can be where these bytes lie: it is them, or longer, as a quilt that holds them is. That it is that
 * quilt, only its id says.
 */
export const mayHold = (whole: Uint8Array, bytes: Uint8Array): boolean =>
  whole.length > bytes.length || equalBytes(whole, bytes);
