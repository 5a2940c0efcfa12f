import { combineUnproven, deriveSessionKey, keyCommitment, type Share } from '@usufruct/crypto';
import { equalBytes, fromHex, refuse, toHex, type Logger } from '@usufruct/kernel';
import { heldKeys, TAGS, type Manifest } from '@usufruct/protocol';
import { combineGood } from './combine-good.js';
import type { KeysReleased } from './release.js';
import type { ReleasedShare } from './verify-release.js';

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
    const groups = byPolynomial(manifest, this.#inOrder(manifest));
    for (const { commitments, shares } of groups) {
      const sessionKey = committedKey(manifest, combineUnproven(shares, commitments.length));
      if (sessionKey !== null) return sessionKey;
    }
    return keyOfSecret(manifest, this.#anyGood(manifest, groups));
  }

  #inOrder({ contributionId, holderSetId }: Manifest): readonly ReleasedShare[] {
    const shares = this.released.shares.get(contributionId) ?? [];
    if (this.#distrusted.size === 0) return shares;
    const isDistrusted = ({ index }: Share): boolean => this.#distrusted.has(`${holderSetId}/${index}`);
    return [...shares.filter((share) => !isDistrusted(share)), ...shares.filter(isDistrusted)];
  }

  /** The secret from the first polynomial of which there are enough good shares, or why the fullest has not. */
  #anyGood(manifest: Manifest, groups: readonly OnePolynomial[]): Uint8Array {
    let refusal: unknown = null;
    for (const group of groups) {
      try {
        return this.#combineGood(manifest, group);
      } catch (error) {
        refusal ??= error;
      }
    }
    throw refusal;
  }

  #combineGood({ contributionId, holderSetId }: Manifest, { shares, commitments }: OnePolynomial): Uint8Array {
    return combineGood(shares, commitments, (bad) => {
      const indexes = [...new Set(bad.map(({ index }) => index))];
      for (const index of indexes) this.#distrusted.add(`${holderSetId}/${index}`);
      this.logger.warn('release.bad_share', { contributionId, holderSetId, indexes });
    });
  }
}

interface OnePolynomial {
  readonly commitments: readonly Uint8Array[];
  readonly shares: readonly Share[];
}

/**
 * Only shares of one polynomial are put together. What a holder says of it has to commit to the manifest's secret; if it
 * is made up all the same, no shares lie on it. The polynomial with the most shares first, the manifest's own among equals.
 */
function byPolynomial(manifest: Manifest, released: readonly ReleasedShare[]): OnePolynomial[] {
  const { commitments: origin } = heldKeys(manifest);
  const groups = new Map<string, { commitments: readonly Uint8Array[]; shares: Share[] }>([
    ['', { commitments: origin, shares: [] }],
  ]);
  for (const { commitments, index, value } of released) {
    if (commitments !== null && !equalBytes(commitments[0] ?? new Uint8Array(), origin[0]!)) continue;
    const key = commitments === null ? '' : commitments.map((point) => toHex(point)).join();
    const group = groups.get(key) ?? { commitments: commitments ?? origin, shares: [] };
    group.shares.push({ index, value });
    groups.set(key, group);
  }
  return [...groups.values()].sort((a, b) => b.shares.length - a.shares.length);
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
