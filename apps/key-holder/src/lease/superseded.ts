import type { GrantSet } from '@usufruct/consent';
import { refuse, type UsufructError } from '@usufruct/kernel';
import type { DaoView, HolderSetView, LeasedKey } from '@usufruct/protocol';

/**
 * Why a key is not given out again, whoever asks: its term is over, the DAO's key holders are others than those that
 * have its shares, or the grants are others than those that it was made for. Null where it is still good.
 */
export function superseded(
  key: LeasedKey,
  now: {
    readonly grants: GrantSet;
    readonly dao: DaoView;
    readonly set: HolderSetView;
    readonly nowMs: number;
  },
): UsufructError | null {
  const no = (reason: string) => refuse('KEY_SUPERSEDED', { reason });
  if (now.nowMs >= key.expiresAtMs) return no('its term is over');
  const { holderSetId } = now.dao.policy;
  if (key.holderSetId !== holderSetId || now.set.id !== holderSetId || key.holderSetVersion !== now.set.version) {
    return no('the key holders are others');
  }
  return key.grantSetVersion === now.grants.version ? null : no('the grants in force are others');
}
