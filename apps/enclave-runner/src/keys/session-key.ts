import { combine, deriveSessionKey, keyCommitment, type Share } from '@usufruct/crypto';
import { fromHex, refuse, UsufructError } from '@usufruct/kernel';
import { heldKeys, TAGS, type Manifest } from '@usufruct/protocol';

/**
 * The key of a contribution's envelope from the shares that came. Shares that are not on the committed polynomial are
 * dropped as long as enough others are left.
 *
 * Refuses `SHARES_INSUFFICIENT`, `SHARE_INVALID` (not enough good ones; the bad ones by index) and
 * `KEY_COMMITMENT_MISMATCH` (the contributor committed to another key than was dealt).
 */
export function sessionKeyOf(manifest: Manifest, shares: readonly Share[]): Uint8Array {
  return keyOfSecret(manifest, combineGood(shares, heldKeys(manifest).commitments));
}

/** The same from the secret itself, which is forgotten. Refuses `KEY_COMMITMENT_MISMATCH`. */
export function keyOfSecret(manifest: Manifest, secret: Uint8Array): Uint8Array {
  const context = fromHex(manifest.contributionId);
  const sessionKey = deriveSessionKey({ domainTag: TAGS.sessionKey, secret, context });
  secret.fill(0);
  if (keyCommitment({ domainTag: TAGS.keyCommitment, sessionKey, context }) !== manifest.keyCommitment) {
    throw refuse('KEY_COMMITMENT_MISMATCH', { contributionId: manifest.contributionId });
  }
  return sessionKey;
}

function combineGood(shares: readonly Share[], commitments: readonly Uint8Array[]): Uint8Array {
  try {
    return combine(shares, commitments);
  } catch (error) {
    if (!(error instanceof UsufructError) || error.code !== 'SHARE_INVALID') throw error;
    const bad = new Set((error.details['index'] ?? '').split(',').map(Number));
    const good = shares.filter((share) => !bad.has(share.index));
    if (good.length === shares.length || good.length < commitments.length) throw error;
    return combine(good, commitments);
  }
}
