import { join } from 'node:path';
import type { Clock, RandomSource } from '@usufruct/kernel';
import type { HolderKeys } from '../identity.js';
import { hasDatabase } from '../store/database.js';
import { Keyring, type KeyringParts } from './keyring.js';

export interface KeyringSettings {
  readonly dataDir: string;
  /** In the data's folder unless given. */
  readonly keyringDir?: string | undefined;
  readonly keys: HolderKeys;
  readonly clock: Clock;
  readonly random: RandomSource;
}

export const keyringPartsOf = ({ dataDir, keyringDir, keys, clock, random }: KeyringSettings): KeyringParts => ({
  dir: keyringDir ?? join(dataDir, 'keyring'),
  lock: { key: keys.keyring, identity: keys.signing.publicKey },
  clock,
  random,
});

/**
 * The keyring of this holder's data; where there is neither, a new one, which has to be there before the data. Refuses
 * `CONFIG_INVALID` for data whose keyring is missing: a new one would open nothing of it.
 */
export async function openKeyring(settings: KeyringSettings): Promise<Keyring> {
  const parts = keyringPartsOf(settings);
  if (!hasDatabase(settings.dataDir) && !Keyring.exists(parts)) return Keyring.create(parts);
  return Keyring.open(parts);
}
