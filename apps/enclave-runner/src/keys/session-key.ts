import { combine, combineUnproven, deriveSessionKey, keyCommitment, type Share } from '@usufruct/crypto';
import { fromHex, refuse, UsufructError, type Logger } from '@usufruct/kernel';
import { heldKeys, TAGS, type Manifest } from '@usufruct/protocol';
import type { KeysReleased } from './release.js';

/**
 * The keys of contributions' envelopes from the shares that came.
 *
 * A key is the right one when it opens the commitment that the contributor signed with the manifest: nobody can find
 * shares that combine to another secret with the same commitment. So that is looked at first, which costs hashes; only
 * when it does not hold are the shares judged one by one against the polynomial's commitments, which costs points, and
 * the holders of wrong ones named in the log. Their shares are taken last from then on, so that a bad holder costs
 * every later contribution nothing.
 */
export class SessionKeys {
  /** Holder set and index of who gave a wrong share. */
  readonly #distrusted = new Set<string>();

  constructor(
    private readonly released: Pick<KeysReleased, 'shares'>,
    private readonly logger: Logger,
  ) {}

  /**
   * Wrong shares are dropped as long as enough others are left. Refuses `SHARES_INSUFFICIENT`, `SHARE_INVALID` (not
   * enough good ones; the bad ones by index) and `KEY_COMMITMENT_MISMATCH` (the contributor committed to another key
   * than was dealt).
   */
  keyOf(manifest: Manifest): Uint8Array {
    const shares = this.#inOrder(manifest);
    const { commitments } = heldKeys(manifest);
    const sessionKey = committedKey(manifest, combineUnproven(shares, commitments.length));
    if (sessionKey !== null) return sessionKey;
    return keyOfSecret(manifest, this.#combineGood(manifest, shares));
  }

  #inOrder({ contributionId, holderSetId }: Manifest): readonly Share[] {
    const shares = this.released.shares.get(contributionId) ?? [];
    if (this.#distrusted.size === 0) return shares;
    const isDistrusted = ({ index }: Share): boolean => this.#distrusted.has(`${holderSetId}/${index}`);
    return [...shares.filter((share) => !isDistrusted(share)), ...shares.filter(isDistrusted)];
  }

  #combineGood(manifest: Manifest, shares: readonly Share[]): Uint8Array {
    const { contributionId, holderSetId } = manifest;
    const { commitments } = heldKeys(manifest);
    try {
      return combine(shares, commitments);
    } catch (error) {
      if (!(error instanceof UsufructError) || error.code !== 'SHARE_INVALID') throw error;
      const bad = new Set((error.details['index'] ?? '').split(',').filter(Boolean).map(Number));
      for (const index of bad) this.#distrusted.add(`${holderSetId}/${index}`);
      this.logger.warn('release.bad_share', { contributionId, holderSetId, indexes: [...bad] });
      const good = shares.filter((share) => !bad.has(share.index));
      if (good.length === shares.length || good.length < commitments.length) throw error;
      return combine(good, commitments);
    }
  }
}

/** The same from the secret itself, which is forgotten. Refuses `KEY_COMMITMENT_MISMATCH`. */
export function keyOfSecret(manifest: Manifest, secret: Uint8Array): Uint8Array {
  const sessionKey = committedKey(manifest, secret);
  if (sessionKey === null) throw refuse('KEY_COMMITMENT_MISMATCH', { contributionId: manifest.contributionId });
  return sessionKey;
}

/** The session key of this secret if it is the one that the contributor committed to. The secret is erased. */
function committedKey(manifest: Manifest, secret: Uint8Array | null): Uint8Array | null {
  if (secret === null) return null;
  const context = fromHex(manifest.contributionId);
  const sessionKey = deriveSessionKey({ domainTag: TAGS.sessionKey, secret, context });
  secret.fill(0);
  if (keyCommitment({ domainTag: TAGS.keyCommitment, sessionKey, context }) === manifest.keyCommitment) {
    return sessionKey;
  }
  sessionKey.fill(0);
  return null;
}
