import type { DatabaseSync } from 'node:sqlite';
import { deriveSessionKey } from '@usufruct/crypto';
import {
  concatBytes,
  fromHex,
  lengthPrefixed,
  utf8,
  type Digest,
  type HolderSetId,
  type RandomSource,
} from '@usufruct/kernel';
import { TAGS } from '@usufruct/protocol';
import type { AtRest } from '../store/at-rest.js';

const SEED_BYTES = 32;

/**
 * One random seed for all that this holder deals for one version, so that it deals the same whenever it is asked: a
 * second polynomial for the same share would leave receivers with shares that do not combine. It is destroyed with the
 * shares that it was for; following from the holder's secret instead, it would give them back to whoever learns that.
 */
export class DealingSeeds {
  constructor(
    private readonly database: DatabaseSync,
    private readonly atRest: AtRest,
    private readonly random: RandomSource,
  ) {}

  async readOrMake(holderSetId: HolderSetId, toVersion: number): Promise<Uint8Array> {
    const about = lengthPrefixed(utf8(TAGS.dealingSeed), fromHex(holderSetId), utf8(String(toVersion)));
    const find = this.database.prepare(
      'SELECT encrypted FROM dealing_seeds WHERE holder_set_id = ? AND to_version = ?',
    );
    if (find.get(holderSetId, toVersion) === undefined) {
      const encrypted = await this.atRest.encrypt(about, this.random(SEED_BYTES));
      // Of two requests at once the first decides.
      this.database
        .prepare('INSERT OR IGNORE INTO dealing_seeds VALUES (?, ?, ?)')
        .run(holderSetId, toVersion, encrypted);
    }
    const { encrypted } = find.get(holderSetId, toVersion) as { encrypted: Uint8Array };
    return this.atRest.decrypt(about, encrypted);
  }

  /** For all versions up to this one. */
  destroy(holderSetId: HolderSetId, toVersion: number): void {
    this.database
      .prepare('DELETE FROM dealing_seeds WHERE holder_set_id = ? AND to_version <= ?')
      .run(holderSetId, toVersion);
  }
}

/** The bytes that the polynomial for one share is made of: HKDF-SHA256 by seed, polynomial and position. */
export function randomFrom(seed: Uint8Array, manifestDigest: Digest, from: Digest): RandomSource {
  let block = 0;
  const next = (): Uint8Array => {
    const context = lengthPrefixed(fromHex(manifestDigest), fromHex(from), utf8(String(block++)));
    return deriveSessionKey({ domainTag: TAGS.dealingSeed, secret: seed, context });
  };
  return (length) => {
    const blocks: Uint8Array[] = [];
    for (let made = 0; made < length; made += SEED_BYTES) blocks.push(next());
    return concatBytes(...blocks).slice(0, length);
  };
}
