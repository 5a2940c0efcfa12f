import { mkdirSync } from 'node:fs';
import type { Share } from '@usufruct/crypto';
import { systemClock, systemRandom, toHex, type Digest } from '@usufruct/kernel';
import { ShareBcs, type Manifest } from '@usufruct/protocol';
import { inTransaction } from '@usufruct/service';
import { openKeyring } from '#holder/keyring/open.js';
import type { HolderKeys } from '#holder/identity.js';
import { AtRest } from '#holder/store/at-rest.js';
import { openDatabase } from '#holder/store/database.js';
import { ShareStore } from '#holder/store/shares.js';

export interface Dealt {
  readonly manifest: Manifest;
  readonly digest: Digest;
  readonly shares: readonly Share[];
}

/**
 * Write holder `n`'s shares into its database before it is started, sealed as a deposit would: depositing is not what is
 * measured.
 */
export async function giveShares(dataDir: string, keys: HolderKeys, n: number, dealt: readonly Dealt[]): Promise<void> {
  mkdirSync(dataDir, { recursive: true });
  const keyring = await openKeyring({ dataDir, keys, clock: systemClock, random: systemRandom });
  const database = openDatabase(dataDir, toHex(keys.signing.publicKey));
  const store = new ShareStore(database, new AtRest(keyring.storage, systemRandom));
  const rows = dealt.map(({ manifest: { contributionId, datasetId, owner, holderSetId }, digest, shares }) => ({
    manifestDigest: digest,
    contributionId,
    datasetId,
    owner,
    holderSetId,
    index: n + 1,
    version: 1,
    commitments: null,
    share: ShareBcs.serialize(shares[n]!).toBytes(),
  }));
  const nowMs = systemClock.nowMs();
  inTransaction(database, () => rows.forEach((row) => store.insert(row, nowMs)));
  database.close();
}
