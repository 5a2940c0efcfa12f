import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TransactionDataBuilder } from '@mysten/sui/transactions';
import { asTimestampMs, fromHex, toUsufructError, type Address, type Hex32 } from '@usufruct/kernel';
import {
  buildPackage,
  FAKE_GENESIS,
  FakeSui,
  idOf,
  readCompiled,
  TEST_NOW_MS,
  testWallet,
  type BuiltPackage,
} from '@usufruct/testing';
import { upgradeTimelockObject } from '../layout/objects.js';
import { packageDigest, type MovePackage } from './package-digest.js';
import type { Publication } from './publisher.js';
import { changeUpgrade, readTimelock, type UpgradeChange } from './upgrader.js';

const DAY_MS = 24 * 60 * 60_000;
const admin = testWallet('publisher');
const ids = {
  packageId: idOf<Hex32>('package'),
  next: idOf<Hex32>('package 2'),
  timelock: idOf<Hex32>('timelock'),
  admin: idOf<Hex32>('admin'),
};
const OTHER = 'ab'.repeat(32);
let built: BuiltPackage;
let pack: MovePackage;
let digest: string;
let sui: FakeSui;
let kept: Publication[];

beforeAll(async () => {
  built = await buildPackage();
  pack = { modules: built.modules, dependencies: built.dependencies as Hex32[] };
  digest = packageDigest(pack);
}, 120_000);
beforeEach(() => {
  kept = [];
  sui = new FakeSui({ compiled: readCompiled(built.modules), packageId: ids.packageId, nowMs: TEST_NOW_MS });
  const gas = { type: '0x2::coin::Coin<0x2::sui::SUI>', owner: admin.address, balance: 10n ** 9n };
  sui.objects.set(idOf<Hex32>('gas'), gas);
  sui.objects.set(ids.admin, { type: 'upgrade_timelock::UpgradeAdmin', owner: admin.address });
  announced(null);
  sui.makes = ({ commands }): Record<string, string> =>
    commands.some(({ $kind }) => $kind === 'Upgrade') ? { [ids.next]: 'package' } : {};
});

/** What the timelock says, as the chain stores it. */
function announced(told: string | null): void {
  const content = upgradeTimelockObject.bcs
    .serialize({
      id: ids.timelock,
      cap: { id: idOf('cap'), package: ids.packageId, version: 1, policy: 0 },
      delay_ms: 7 * DAY_MS,
      announced:
        told === null
          ? null
          : {
              digest: fromHex(told),
              ready_at_ms: asTimestampMs(TEST_NOW_MS + 7 * DAY_MS),
              lapses_at_ms: asTimestampMs(TEST_NOW_MS + 37 * DAY_MS),
            },
    })
    .toBytes();
  sui.objects.set(ids.timelock, { type: 'upgrade_timelock::UpgradeTimelock', content });
}

const published = (): Publication => ({
  chainId: `sui:${FAKE_GENESIS}`,
  publisher: admin.address,
  packageDigest: digest,
  upgrades: { delayMs: 7 * DAY_MS },
  protocolAccount: idOf<Address>('protocol'),
  packageId: ids.packageId,
  registryId: idOf<Hex32>('registry'),
  timelockId: ids.timelock,
  upgradeAdminId: ids.admin,
});
const run = (change: UpgradeChange, known: Publication = published()) =>
  changeUpgrade(known, change, {
    client: sui,
    signer: admin,
    keep: (step) => void kept.push(step),
    lookUpAfterMs: [0, 1],
  });
const refusal = (running: Promise<unknown>): Promise<string> =>
  running.then(
    () => 'ok',
    (error: unknown) => toUsufructError(error).code,
  );
const targets = () => sui.executed.map(({ calls }) => calls.map(({ target }) => target));
const announce = (): UpgradeChange => ({ kind: 'announce', digest });

describe('the right to upgrade', () => {
  it.each<[string, () => UpgradeChange, string[]]>([
    ['announces', announce, ['announce']],
    ['cancels', () => ({ kind: 'cancel' }), ['cancel']],
    ['is used in one transaction', () => ({ kind: 'upgrade', pack }), ['authorize', 'commit']],
    ['is destroyed', () => ({ kind: 'burn' }), ['make_immutable']],
  ])('%s', async (_what, change, calls) => {
    announced(digest);
    await run(change());
    expect(targets()).toEqual([calls.map((name) => `upgrade_timelock::${name}`)]);
    expect(kept.map((step) => step.changing?.kind)).toEqual([change().kind, undefined]);
  });

  it('upgrades the version that runs, by the functions of the first, with the code that was announced', async () => {
    announced(digest);
    const once = await run({ kind: 'upgrade', pack });
    expect(once).toEqual({ ...published(), callPackageId: ids.next });
    await run({ kind: 'upgrade', pack }, once);
    const given = [0, 2].map((step) => {
      const { commands } = TransactionDataBuilder.fromBytes(kept[step]!.changing!.transaction.bytes);
      const [authorize, upgrade, commit] = commands;
      expect(commands.map(({ $kind }) => $kind)).toEqual(['MoveCall', 'Upgrade', 'MoveCall']);
      expect([authorize, commit].map((call) => call?.MoveCall?.package)).toEqual([ids.packageId, ids.packageId]);
      expect(upgrade?.Upgrade).toMatchObject({ modules: pack.modules, dependencies: pack.dependencies });
      return upgrade?.Upgrade?.package;
    });
    expect(given).toEqual([ids.packageId, ids.next]);
  });

  it.each([
    ['is not what was announced', OTHER, 'CONFIG_INVALID'],
    ['was not announced', null, 'NOT_FOUND'],
  ])('is not used for code that %s', async (_what, told, code) => {
    announced(told);
    expect(await refusal(run({ kind: 'upgrade', pack }))).toBe(code);
    expect([sui.executed, kept]).toEqual([[], []]);
  });

  it('is gone once it was destroyed', async () => {
    const done = await run({ kind: 'burn' });
    expect([done.timelockId, done.upgradeAdminId]).toEqual([null, null]);
    expect(await refusal(run(announce(), done))).toBe('NOT_FOUND');
    expect(sui.executed).toHaveLength(1);
  });

  it('goes on from whatever was kept last, and does nothing twice', async () => {
    sui.loseNext = 'answer';
    await run(announce());
    await run(announce(), kept[0]);
    expect(sui.executed).toHaveLength(1);
    sui.loseNext = 'request';
    expect(await refusal(run({ kind: 'cancel' }))).toBe('SETTLEMENT_UNKNOWN');
    await run({ kind: 'cancel' }, kept.at(-1)!);
    expect(targets()).toEqual([['upgrade_timelock::announce'], ['upgrade_timelock::cancel']]);
  });

  it('settles an earlier change first: what happened counts, what may still happen is waited for', async () => {
    announced(digest);
    const [upgrading] = await run({ kind: 'upgrade', pack }).then(() => kept);
    expect((await run({ kind: 'cancel' }, upgrading)).callPackageId).toBe(ids.next);

    sui.loseNext = 'request';
    await refusal(run(announce()));
    const open = kept.at(-1)!;
    expect(await refusal(run({ kind: 'cancel' }, open))).toBe('SETTLEMENT_UNKNOWN');
    sui.epoch += 1n;
    await run({ kind: 'cancel' }, open);
    expect(targets().at(-1)).toEqual(['upgrade_timelock::cancel']);
  });

  it('is not used in another network', async () => {
    expect(await refusal(run(announce(), { ...published(), chainId: 'sui:other' }))).toBe('CONFIG_INVALID');
  });

  it('is read from the chain', async () => {
    expect(await readTimelock(sui, ids.timelock)).toEqual({ delayMs: 7 * DAY_MS, announced: null });
    announced(OTHER);
    expect((await readTimelock(sui, ids.timelock)).announced?.digest).toBe(OTHER);
  });
});
