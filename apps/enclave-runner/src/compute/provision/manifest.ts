import { verifyWalletSignature } from '@usufruct/crypto';
import { asBlobId, fromHex, refuse, toBase64Url, UsufructError, type Hex32 } from '@usufruct/kernel';
import {
  decodeManifest,
  manifestDigest,
  SignedManifestBcs,
  WALLET_ACTIONS,
  walletStatementBytes,
  type ContributionView,
  type HolderSetView,
  type Manifest,
  type SignedManifest,
} from '@usufruct/protocol';
import { readPart } from '@usufruct/walrus';
import type { BlobReader } from '../../context.js';

export const blobIdOf = (blob: Hex32) => asBlobId(toBase64Url(fromHex(blob)));

/**
 * Fetch a contribution's manifest and check it against the chain: the registered digest, the ids, the owner's wallet
 * signature, the parts and the holder set.
 *
 * Refuses `BLOB_UNAVAILABLE`, `MANIFEST_MISMATCH` (not the registered one, or it names other things than the chain),
 * `MANIFEST_INVALID`, `SIGNATURE_INVALID`.
 */
export async function fetchManifest(
  blobs: BlobReader,
  contribution: ContributionView,
  set: HolderSetView,
  chainId: string,
): Promise<Manifest> {
  const signed = await fetchSigned(blobs, contribution);
  const digest = contribution.manifestDigest;
  const manifest = decodeManifest(signed.manifest);
  const field = mismatch(manifest, contribution, set, chainId);
  if (field !== null) throw refuse('MANIFEST_MISMATCH', { field });
  const message = walletStatementBytes({ action: WALLET_ACTIONS.manifest, chainId, digest });
  await verifyWalletSignature({ address: contribution.owner, message, signature: signed.signature });
  return manifest;
}

/** As a blob, or out of a quilt. What is there and is not the registered one is refused for what it is. */
async function fetchSigned(
  blobs: BlobReader,
  { manifestBlob: { blob, sizeBytes }, manifestDigest: digest }: ContributionView,
): Promise<SignedManifest> {
  let flaw: UsufructError | null = null;
  const isRegistered = (bytes: Uint8Array): boolean => {
    try {
      const isIt = manifestDigest(SignedManifestBcs.parse(bytes).manifest) === digest;
      if (!isIt) flaw = refuse('MANIFEST_MISMATCH', { field: 'digest' });
      return isIt;
    } catch (cause) {
      flaw = refuse('MANIFEST_INVALID', { field: 'encoding' }, cause);
      return false;
    }
  };
  const name = { blobId: blobIdOf(blob), digest, sizeBytes };
  const bytes = await readPart(blobs, name, isRegistered).catch((error: unknown) => {
    throw error instanceof UsufructError && error.code === 'BLOB_MISMATCH' ? (flaw ?? error) : error;
  });
  return SignedManifestBcs.parse(bytes);
}

function mismatch(
  manifest: Manifest,
  contribution: ContributionView,
  set: HolderSetView,
  chainId: string,
): keyof Manifest | 'threshold' | 'holderCount' | null {
  if (manifest.chainId !== chainId) return 'chainId';
  if (manifest.contributionId !== contribution.id) return 'contributionId';
  if (manifest.datasetId !== contribution.datasetId) return 'datasetId';
  if (manifest.owner !== contribution.owner) return 'owner';
  if (manifest.holderSetId !== contribution.holderSetId) return 'holderSetId';
  const { keys } = manifest;
  // Once the set was rotated it may have other numbers than when the contributor dealt to it.
  const isFirst = set.version === 1;
  if (isFirst && keys.kind === 'holders' && keys.threshold !== set.threshold) return 'threshold';
  if (isFirst && keys.kind === 'holders' && keys.holderCount !== set.members.length) return 'holderCount';
  const { parts } = contribution;
  const areParts =
    manifest.parts.length === parts.length &&
    manifest.parts.every((part, i) => part.blob === parts[i]!.blob && part.sizeBytes === parts[i]!.sizeBytes);
  return areParts ? null : 'parts';
}
