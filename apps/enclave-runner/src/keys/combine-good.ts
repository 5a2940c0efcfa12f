import { combine, verifyShare, type Share } from '@usufruct/crypto';
import { UsufructError } from '@usufruct/kernel';

/**
 * The secret from shares of one polynomial; wrong ones are dropped as long as enough others are left, and `onBad` hears
 * of them. Refuses `SHARES_INSUFFICIENT` and `SHARE_INVALID`, naming the wrong ones.
 */
export function combineGood(
  shares: readonly Share[],
  commitments: readonly Uint8Array[],
  onBad: (bad: readonly Share[]) => void = () => undefined,
): Uint8Array {
  try {
    return combine(shares, commitments);
  } catch (error) {
    if (!(error instanceof UsufructError) || error.code !== 'SHARE_INVALID') throw error;
    const bad = shares.filter((share) => !verifyShare(share, commitments));
    onBad(bad);
    const good = uniqueByIndex(shares.filter((share) => !bad.includes(share)));
    if (good.length === shares.length || good.length < commitments.length) throw error;
    return combine(good, commitments);
  }
}

/** The same good share from two holders is one share. */
const uniqueByIndex = (shares: readonly Share[]): Share[] => [
  ...new Map(shares.map((share) => [share.index, share])).values(),
];
