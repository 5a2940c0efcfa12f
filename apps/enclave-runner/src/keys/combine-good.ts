import { combine, type Share } from '@usufruct/crypto';
import { UsufructError } from '@usufruct/kernel';

/**
 * The secret from shares of one polynomial; wrong ones are dropped as long as enough others are left. Refuses
 * `SHARES_INSUFFICIENT` and `SHARE_INVALID`, naming the wrong ones.
 */
export function combineGood(shares: readonly Share[], commitments: readonly Uint8Array[]): Uint8Array {
  try {
    return combine(shares, commitments);
  } catch (error) {
    if (!(error instanceof UsufructError) || error.code !== 'SHARE_INVALID') throw error;
    const bad = new Set((error.details['index'] ?? '').split(',').map(Number));
    const good = shares.filter(({ index }) => !bad.has(index));
    if (good.length === shares.length || good.length < commitments.length) throw error;
    return combine(good, commitments);
  }
}
