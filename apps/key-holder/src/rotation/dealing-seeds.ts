import type { DatabaseSync } from 'node:sqlite';
import { deriveSessionKey } from '@usufruct/crypto';
import { concatBytes, fromHex, lengthPrefixed, refuse, utf8, type Digest, type RandomSource } from '@usufruct/kernel';
import { TAGS } from '@usufruct/protocol';
import { inTransaction } from '@usufruct/service';
import type { AtRest, EncryptedTable } from '../store/at-rest.js';

const SEED_BYTES = 32;

/**
 * One random seed for each share that this holder deals for a version, so that it deals the same whenever it is asked: a
 * second polynomial for the same share would leave receivers with shares that do not combine. With a seed one sub-share
 * says what the share was, so each is destroyed with its own; following from the holder's secret, or from one seed for
 * all, it would outlive the share.
 */
export class DealingSeeds {
  constructor(
    private readonly database: DatabaseSync,
    private readonly atRest: AtRest,
    private readonly random: RandomSource,
  ) {}

  /** In the order given, durable when it returns. Refuses `NOT_FOUND` for a share that is gone meanwhile. */
  readOrMake(manifestDigests: readonly Digest[], toVersion: number): Uint8Array[] {
    const missing = manifestDigests.filter((digest) => this.find(digest, toVersion) === undefined);
    inTransaction(this.database, () => {
      // Of two requests at once the first decides; and no seed comes back for a share that was replaced since.
      const insert = this.database.prepare(
        `INSERT OR IGNORE INTO dealing_seeds SELECT ?1, ?2, ?3 FROM shares
         WHERE manifest_digest = ?1 AND NOT (commitments IS NOT NULL AND set_version = ?2)`,
      );
      for (const digest of missing) {
        insert.run(digest, toVersion, this.atRest.encrypt(aboutOf(digest, toVersion), this.random(SEED_BYTES)));
      }
    });
    return manifestDigests.map((digest) => {
      const encrypted = this.find(digest, toVersion);
      if (encrypted === undefined) throw refuse('NOT_FOUND', { manifestDigest: digest });
      return this.atRest.decrypt(aboutOf(digest, toVersion), encrypted);
    });
  }

  /** For all versions. To be called in a transaction. */
  destroy(manifestDigest: Digest): void {
    this.database.prepare('DELETE FROM dealing_seeds WHERE manifest_digest = ?').run(manifestDigest);
  }

  private find(manifestDigest: Digest, toVersion: number): Uint8Array | undefined {
    const query = 'SELECT encrypted FROM dealing_seeds WHERE manifest_digest = ? AND to_version = ?';
    return this.database.prepare(query).get(manifestDigest, toVersion)?.['encrypted'] as Uint8Array | undefined;
  }
}

const aboutOf = (manifestDigest: Digest, toVersion: number): Uint8Array =>
  lengthPrefixed(utf8(TAGS.dealingSeed), fromHex(manifestDigest), utf8(String(toVersion)));

export const DEALING_SEEDS_TABLE: EncryptedTable = {
  table: 'dealing_seeds',
  aboutRow: (row) => aboutOf(row['manifest_digest'] as Digest, row['to_version'] as number),
  rowsAtOnce: 256,
};

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
