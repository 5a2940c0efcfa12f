import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { asTimestampMs, fromBase64, systemRandom, toHex32, toUsufructError, type Digest } from '@usufruct/kernel';
import { ErasureStatementBcs } from '@usufruct/protocol';
import { aContribution, TEST_NOW_MS } from '@usufruct/testing';
import { backUp } from '../../apps/key-holder/src/backup/backing-up.js';
import { makeBackupKey } from '../../apps/key-holder/src/backup/recipient.js';
import { restoreBackup } from '../../apps/key-holder/src/backup/restore.js';
import { erase } from '../../apps/key-holder/src/erasure/erase.js';
import { destroyRetired } from '../../apps/key-holder/src/erasure/sweep.js';
import { deriveHolderKeys } from '../../apps/key-holder/src/identity.js';
import { ReleaseWorld, SET, secretOf } from './release-world.js';

const TERM_MS = 90 * 86_400_000;
let world: ReleaseWorld;
let folder: string;
let privateKey: string;
beforeEach(async () => {
  world = await ReleaseWorld.of(2);
  folder = mkdtempSync(join(tmpdir(), 'holder-backups-'));
  const made = await makeBackupKey(systemRandom, TEST_NOW_MS, TERM_MS);
  writeFileSync(join(folder, 'recipient.json'), made.recipientFile);
  privateKey = made.privateFile;
});
afterEach(async () => {
  await world.close();
  rmSync(folder, { recursive: true, force: true });
});

const first = () => world.holders[0]!.holder;
async function backUpFirst(): Promise<string> {
  const settings = { dir: folder, recipientFile: join(folder, 'recipient.json'), retentionMs: TERM_MS };
  return (await backUp(first(), settings)).path;
}
/** The first holder's disk is gone; another has what is in the backup. */
async function restoreFirst(file: string): Promise<void> {
  await world.holders[0]!.close();
  rmSync(world.folderOf(0), { recursive: true });
  const keys = await deriveHolderKeys(secretOf(0));
  const clock = world.holderClocks[0]!;
  await restoreBackup({ file, privateKey, dataDir: world.folderOf(0), keys, clock, random: systemRandom });
  await world.startHolder(0);
}
/** What a runner gets that reaches two of the three: it needs both. */
const outcomes = async (): Promise<string[]> =>
  world.outcomes(await world.runner({ holders: world.ports().slice(0, 2) }));
const anchored = (): void => {
  const { log, keys } = first();
  world.chain.putEvent(
    {
      type: 'TreeHeadAnchored',
      holderSetId: SET,
      member: 0,
      treeSize: log.size,
      rootHash: toHex32<Digest>(log.root(log.size)),
    },
    keys.operator.address,
  );
};

describe('a holder that lost its disk', () => {
  it('releases again once it is restored from a backup with all of its log', async () => {
    expect(await outcomes()).toEqual(['KEY', 'KEY']);
    anchored();
    const backup = await backUpFirst();
    const size = first().log.size;
    await restoreFirst(backup);
    expect(await outcomes()).toEqual(['KEY', 'KEY']);
    expect(first().log.size).toBeGreaterThan(size);
    // What was restored is by now under a key that is in no backup.
    await first().scrubber.finish();
    expect(first().keyring.storage.all().length).toBeLessThanOrEqual(2);
  });

  it('releases nothing from a backup that is older than the log on the chain', async () => {
    const backup = await backUpFirst();
    expect(await outcomes()).toEqual(['KEY', 'KEY']);
    anchored();
    await restoreFirst(backup);
    expect(new Set(await outcomes())).toEqual(new Set(['SHARES_INSUFFICIENT']));
    await expect(first().caughtUp.require()).rejects.toMatchObject({ code: 'LOG_BEHIND' });
    expect(first().log.size).toBe(0);
  });

  it('has a share again that was erased since, does not release it, and destroys it again; its word said until when', async () => {
    const [erased] = world.dealt;
    const { contributionId: id, datasetId } = erased!.manifest;
    const backup = await backUpFirst();
    const retired = aContribution({
      ...(await world.chain.contribution(id)),
      tombstonedAtMs: asTimestampMs(TEST_NOW_MS - 1),
    });
    world.chain.put('contribution', retired);
    const { statement } = await erase(first(), { contributionId: id });
    expect(ErasureStatementBcs.parse(fromBase64(statement))).toMatchObject({
      datasetId,
      manifestDigests: [erased!.digest],
      backupsUntilMs: TEST_NOW_MS + TERM_MS,
    });
    expect(first().shares.find(erased!.digest)).toBeUndefined();
    await restoreFirst(backup);
    expect((await outcomes())[0]).not.toBe('KEY');
    await destroyRetired(first());
    expect(first().shares.find(erased!.digest)).toBeUndefined();
    // From its time on nobody opens that backup, also with the private key.
    world.holderClocks[0]!.advance(TERM_MS);
    const code = await restoreFirst(backup).catch((error: unknown) => toUsufructError(error).code);
    expect(code).toBe('BACKUP_INVALID');
  });
});
