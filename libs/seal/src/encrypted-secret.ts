import { EncryptedObject } from '@mysten/seal';
import { equalBytes, refuse, type ContributionId, type Hex32 } from '@usufruct/kernel';
import type { SealedKeys } from '@usufruct/protocol';

export const SECRET_BYTES = 32;
/** Seal's AES-256-GCM adds its tag. */
const BLOB_BYTES = SECRET_BYTES + 16;

/**
 * The contribution's identity within our package, as the contract's `seal_approve` compares it: its id, as hex without
 * prefix, which is how Seal's client writes identities.
 */
export const identityOf = (contributionId: ContributionId): string => contributionId.slice(2);

/**
 * That what a manifest calls its encrypted secret is one secret, under the identity of this contribution in our
 * package, to the servers and with the threshold that the manifest names. What fails is found before any server is
 * asked. Refuses `MANIFEST_INVALID` naming what differs. Does not prove that it can be opened, or to which key: the
 * manifest's key commitment shows that once it is.
 */
export function requireEncryptedSecret(keys: SealedKeys, packageId: Hex32, contributionId: ContributionId): void {
  const flaw = flawOf(keys, packageId, contributionId);
  if (flaw !== null) throw refuse('MANIFEST_INVALID', { field: 'encryptedSecret', check: flaw });
}

function flawOf(keys: SealedKeys, packageId: Hex32, contributionId: ContributionId): string | null {
  const object = parsed(keys.encryptedSecret);
  if (object === null) return 'encoding';
  if (object.version !== 0) return 'version';
  if (object.packageId !== packageId) return 'packageId';
  if (object.id !== identityOf(contributionId)) return 'identity';
  if (object.threshold !== keys.threshold) return 'threshold';
  const { services, encryptedShares, ciphertext } = object;
  const isSameList =
    services.length === keys.keyServers.length && services.every(([id], i) => id === keys.keyServers[i]);
  if (!isSameList) return 'keyServers';
  // Two shares at one place, or one at zero, would be no sharing.
  const places = new Set(services.map(([, index]) => index));
  if (places.size !== services.length || places.has(0)) return 'shares';
  if (encryptedShares.BonehFranklinBLS12381.encryptedShares.length !== services.length) return 'shares';
  return ciphertext.Aes256Gcm?.blob.length === BLOB_BYTES ? null : 'ciphertext';
}

function parsed(bytes: Uint8Array) {
  try {
    const object = EncryptedObject.parse(bytes);
    return equalBytes(EncryptedObject.serialize(object).toBytes(), bytes) ? object : null;
  } catch {
    return null;
  }
}
