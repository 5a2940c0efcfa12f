import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TransactionDataBuilder } from '@mysten/sui/transactions';
import { toBase58 } from '@mysten/sui/utils';
import { isValidTransactionSignature } from '@mysten/sui/verify';
import { fromBase64, toUsufructError, type Address, type Hex32 } from '@usufruct/kernel';
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
import { packageDigest, type MovePackage } from './package-digest.js';
import { publishTransaction, type UpgradePolicy } from './publish-transactions.js';
import { dryRunPublish, publish, type Publication } from './publisher.js';

const DAY_MS = 24 * 60 * 60_000;
const publisher = testWallet('publisher');
const ids = {
  packageId: idOf<Hex32>('package'),
  publisherCap: idOf<Hex32>('publisher cap'),
  upgradeCap: idOf<Hex32>('upgrade cap'),
  registry: idOf<Hex32>('registry'),
  timelock: idOf<Hex32>('timelock'),
  admin: idOf<Hex32>('admin'),
};
let built: BuiltPackage;
let pack: MovePackage;
let sui: FakeSui;
let kept: Publication[];
beforeAll(async () => {
  built = await buildPackage();
  pack = { modules: built.modules, dependencies: built.dependencies as Hex32[] };
}, 120_000);
beforeEach(() => {
  kept = [];
  sui = new FakeSui({ compiled: readCompiled(built.modules), packageId: ids.packageId, nowMs: TEST_NOW_MS });
  const gas = { type: '0x2::coin::Coin<0x2::sui::SUI>', owner: publisher.address, balance: 10n ** 9n };
  sui.objects.set(idOf<Hex32>('gas'), gas);
  sui.makes = ({ commands }) => {
    if (!commands.some(({ $kind }) => $kind === 'Publish')) {
      return { [ids.registry]: `${ids.packageId}::registry::Registry`, ...locks(commands) };
    }
    sui.objects.set(ids.publisherCap, { type: 'registry::PublisherCap', owner: publisher.address });
    sui.objects.set(ids.upgradeCap, { type: '0x2::package::UpgradeCap', owner: publisher.address });
    return {
      [ids.packageId]: 'package',
      [ids.publisherCap]: `${ids.packageId}::registry::PublisherCap`,
      [ids.upgradeCap]: '0x2::package::UpgradeCap',
    };
  };
});
const locks = (commands: TransactionDataBuilder['commands']): Record<string, string> =>
  commands.some((command) => command.MoveCall?.module === 'upgrade_timelock')
    ? {
        [ids.timelock]: `${ids.packageId}::upgrade_timelock::UpgradeTimelock`,
        [ids.admin]: `${ids.packageId}::upgrade_timelock::UpgradeAdmin`,
      }
    : {};

const begin = (upgrades: UpgradePolicy = { delayMs: 30 * DAY_MS }): Publication => ({
  chainId: `sui:${FAKE_GENESIS}`,
  publisher: publisher.address,
  packageDigest: packageDigest(pack),
  upgrades,
  protocolAccount: idOf<Address>('protocol'),
});
const run = (begun: Publication) =>
  publish(pack, begun, { client: sui, signer: publisher, keep: (step) => void kept.push(step), lookUpAfterMs: [0, 1] });
const codeOf = (running: Promise<unknown>): Promise<string> =>
  running.then(
    () => 'ok',
    (error: unknown) => toUsufructError(error).code,
  );
const targets = () => sui.executed.map(({ calls }) => calls.map(({ target }) => target));

describe('publishing', () => {
  it('computes the digest of the package that the compiler computes', () => {
    expect(packageDigest(pack)).toBe(built.digest);
    expect(packageDigest({ ...pack, modules: pack.modules.slice(1) })).not.toBe(built.digest);
  });

  it('fits into one transaction, built and signed without a network', async () => {
    const tx = publishTransaction(pack, publisher.address, { delayMs: 7 * DAY_MS });
    tx.setGasPrice(1_000);
    tx.setGasBudget(1_000_000_000);
    tx.setGasPayment([{ objectId: idOf('gas'), version: '1', digest: toBase58(new Uint8Array(32)) }]);
    tx.setExpiration({ Epoch: 7 });
    const bytes = await tx.build();
    const signature = await publisher.signTransaction!(bytes);
    expect(await isValidTransactionSignature(bytes, signature, { address: publisher.address })).toBe(true);
    // Sui's limits: 128 KiB a transaction, 100 KiB a package.
    expect(bytes.length).toBeLessThan(128 * 1024);
    expect(pack.modules.reduce((sum, module) => sum + fromBase64(module).length, 0)).toBeLessThan(100 * 1024);
    const [command] = TransactionDataBuilder.fromBytes(bytes).commands;
    expect(command?.Publish?.modules).toEqual(pack.modules);
    expect(command?.Publish?.dependencies).toEqual(pack.dependencies);
  });

  it('opens the registry and puts the right to upgrade behind its delay', async () => {
    const done = await run(begin());
    expect(done).toMatchObject({
      packageId: ids.packageId,
      registryId: ids.registry,
      timelockId: ids.timelock,
      upgradeAdminId: ids.admin,
    });
    expect(targets()).toEqual([[], ['registry::open', 'upgrade_timelock::lock']]);
    expect(kept.at(-1)).toEqual(done);
  });

  it('destroys the right to upgrade at once where that is asked for', async () => {
    const done = await run(begin('burn'));
    expect([done.upgradeCap, done.timelockId, done.upgradeAdminId]).toEqual([null, null, null]);
    expect(targets()).toEqual([[], ['registry::open']]);
    const [first] = kept;
    const { commands } = TransactionDataBuilder.fromBytes(first!.publishing!.bytes);
    expect(commands.map(({ $kind, MoveCall }) => MoveCall?.function ?? $kind)).toEqual(['Publish', 'make_immutable']);
  });

  it('is kept before it is sent, and goes on from whatever was kept last', async () => {
    const done = await run(begin());
    const steps = kept.map((step) => Object.keys(step).at(-1));
    expect(steps).toEqual(['publishing', 'upgradeCap', 'opening', 'upgradeAdminId']);
    for (const step of kept) {
      const executed = sui.executed.length;
      expect(await run(step)).toEqual(done);
      expect(sui.executed).toHaveLength(executed);
    }
  });

  it('whose answer was lost is looked up and not published again', async () => {
    sui.loseNext = 'answer';
    await run(begin());
    expect(sui.executed).toHaveLength(2);
  });

  it('of which nothing is known stays unknown, and is sent again as it was signed', async () => {
    sui.loseNext = 'request';
    expect([await codeOf(run(begin())), sui.executed.length]).toEqual(['SETTLEMENT_UNKNOWN', 0]);
    const done = await run(kept.at(-1)!);
    expect([done.registryId, sui.executed.length]).toEqual([ids.registry, 2]);
  });

  it('is made anew when what was kept has failed', async () => {
    const execute = sui.executeTransaction.bind(sui);
    sui.executeTransaction = async (options) => {
      sui.refusal = (calls) =>
        calls.length === 0 ? null : { abortCode: '2100', location: { module: 'upgrade_timelock' } };
      return execute(options).finally(() => (sui.refusal = () => null));
    };
    expect(await codeOf(run(begin()))).toBe('INVALID_ARGUMENT');
    sui.executeTransaction = execute;
    // Another transaction, as the gas coin has another version by then.
    sui.epoch += 1n;
    const done = await run(kept.at(-1)!);
    expect([done.registryId, sui.executed.length]).toEqual([ids.registry, 3]);
  });

  it('does not go on in another network', async () => {
    await expect(run({ ...begin(), chainId: 'sui:other' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(sui.executed).toEqual([]);
  });

  it('can be tried without signing or sending anything', async () => {
    const { chainId, sizeBytes, gasBudgetMist } = await dryRunPublish(pack, publisher.address, 'burn', sui);
    expect([chainId, sizeBytes > 10_000, gasBudgetMist > 0n]).toEqual([`sui:${FAKE_GENESIS}`, true, true]);
    expect(sui.executed).toEqual([]);
  });
});
