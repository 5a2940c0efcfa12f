import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { toUsufructError, type Hex32 } from '@usufruct/kernel';
import { connect, memoryJournal, type Journal, type UsufructClient } from '@usufruct/sdk';
import {
  buildPackage,
  FakeStore,
  idOf,
  readCompiled,
  TEST_NOW_MS,
  testWallet,
  type CompiledPackage,
} from '@usufruct/testing';
import { CustodyWorld, ENCODED_BYTES, EPOCH, Memory, NAME, OBJECT } from './custody-world.js';
import { BLOB_TYPE, STORAGE_PRICE, WAL } from './fake-walrus-node.js';

let compiled: CompiledPackage;
beforeAll(async () => {
  compiled = readCompiled((await buildPackage()).modules);
}, 120_000);

const RENEWAL = ['blob_custody::take_for_renewal', 'blob_custody::put_back', 'contribution::renew_lease'];
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'done',
    (error: unknown) => toUsufructError(error).code,
  );
const again = { isDeleted: true };

/** Our calls are checked against the compiled contracts, Walrus's against its sources' signatures; both over types. */
describe('custody on Sui', () => {
  let world: CustodyWorld;
  let memory: Memory;
  beforeEach(() => {
    world = new CustodyWorld(compiled);
    memory = new Memory();
  });
  const held = async () => (await world.custody().held(NAME.contributionId, [idOf('another'), NAME.blob]))[1];

  it('takes the object of a wallet, and shows it as what it is', async () => {
    expect(await held()).toBeNull();
    const [owned] = await world.custody().owned();
    expect(owned).toEqual({ ...(await describeOwned()), objectId: OBJECT, blob: NAME.blob });
    await world.custody().put(NAME, OBJECT, memory);
    expect(world.calls).toEqual([['blob_custody::put']]);
    expect(await held()).toEqual(owned);
    expect(await world.custody().owned()).toEqual([]);
    await world.custody().put(NAME, OBJECT, memory);
    expect(world.calls).toHaveLength(1);
  });
  const describeOwned = async () => ({ sizeBytes: 1_000, endEpoch: EPOCH + 5, deletable: true, certified: true });

  it('sees no object of another type, which anybody could have put in', async () => {
    world.blob({}, OBJECT, `${idOf('forger')}::blob::Blob`);
    world.hold();
    expect(await held()).toBeNull();
  });

  it('is renewed by a steward in one transaction, for exactly what Walrus asks', async () => {
    // 15 symbols of 26,668 bytes: 7 · (8 · 26,668 + 480), which is two units.
    world.blob({ size: 400_000, storageSize: 1_496_768 });
    world.hold();
    const steward = world.custody('steward');
    const coins: bigint[] = [];
    const { makes } = world.sui;
    world.sui.makes = (data) => {
      const split = data.commands.find(({ SplitCoins }) => SplitCoins)?.SplitCoins?.amounts[0];
      const bytes = split?.$kind === 'Input' ? data.inputs[split.Input]?.Pure?.bytes : undefined;
      coins.push(Buffer.from(bytes ?? '', 'base64').readBigUInt64LE());
      return makes(data);
    };
    expect(await steward.renew(NAME, EPOCH + 12, memory)).toEqual({ endEpoch: EPOCH + 12 });
    expect(world.calls).toEqual([RENEWAL]);
    // 7 epochs more, of 2 units each.
    expect(coins).toEqual([BigInt(7 * 2 * STORAGE_PRICE)]);
    expect(world.ownerOf()).toBe('a dynamic field');
    expect(await steward.renew(NAME, EPOCH + 12, memory)).toEqual({ endEpoch: EPOCH + 12 });
    expect(await steward.renew(NAME, EPOCH + 3, memory)).toEqual({ endEpoch: EPOCH + 12 });
    expect(world.calls).toHaveLength(1);
  });

  it('is not renewed where its owner gave a small blob more storage than it takes, to have it back made longer', async () => {
    world.blob({ storageSize: ENCODED_BYTES + 1 });
    world.hold();
    expect(await codeOf(world.custody('steward').renew(NAME, EPOCH + 12, memory))).toBe('MANIFEST_MISMATCH');
    expect([world.calls, memory.writes]).toEqual([[], 0]);
  });

  it('costs what a wallet without WAL has not', async () => {
    world.hold();
    const [coin] = [...world.sui.objects].find(([, { type }]) => type === `0x2::coin::Coin<${WAL}>`)!;
    world.sui.objects.delete(coin);
    expect(await codeOf(world.custody('steward').renew(NAME, EPOCH + 12, memory))).toBe('INSUFFICIENT_BALANCE');
    expect([world.calls, memory.writes]).toEqual([[], 0]);
  });

  it('gives the object back, or deletes it in the same step where that can be', async () => {
    world.hold();
    await world.custody().withdraw(NAME, { isDeleted: false }, memory);
    expect(world.ownerOf()).toBe(testWallet('founder').address);
    world.hold();
    await world.custody().withdraw(NAME, again, memory);
    expect(world.ownerOf()).toBeUndefined();
    expect(await held()).toBeNull();
    await world.custody().withdraw(NAME, again, memory);
    expect(world.calls).toEqual([['blob_custody::withdraw'], ['blob_custody::withdraw']]);
  });

  it.each([
    ['is permanent', { deletable: false }],
    ['has ended', { endEpoch: EPOCH }],
  ])('does not try to delete a blob that %s', async (_, change) => {
    world.blob(change);
    world.hold();
    await world.custody().withdraw(NAME, again, memory);
    expect(world.ownerOf()).toBe(testWallet('founder').address);
  });

  it('renews no lease that has ended, and nothing that is not there', async () => {
    expect(await codeOf(world.custody('steward').renew(NAME, EPOCH + 12, memory))).toBe('NOT_FOUND');
    world.hold();
    world.walrusEpoch = EPOCH + 5;
    expect(await codeOf(world.custody('steward').renew(NAME, EPOCH + 12, memory))).toBe('BLOB_UNAVAILABLE');
    expect(await codeOf(world.custody().held(idOf('nowhere'), [NAME.blob]))).toBe('NOT_FOUND');
    expect(world.calls).toEqual([]);
  });

  type Step = 'put' | 'renew' | 'withdraw';
  const take = (step: Step, custody = world.custody('steward')): Promise<unknown> => {
    if (step !== 'put' && memory.writes === 0) world.hold();
    if (step === 'put') return world.custody().put(NAME, OBJECT, memory);
    if (step === 'renew') return custody.renew(NAME, EPOCH + 12, memory);
    return world.custody().withdraw(NAME, again, memory);
  };
  it.each<[string, Step, bigint, string, string]>([
    ['an object of another blob', 'put', 2000n, 'blob_custody', 'INVALID_ARGUMENT'],
    ['a second object of a blob', 'put', 2001n, 'blob_custody', 'ALREADY_EXISTS'],
    ['a deletable object where permanent ones are wanted', 'put', 2005n, 'blob_custody', 'INVALID_ARGUMENT'],
    ['what is in use', 'withdraw', 2003n, 'blob_custody', 'FORBIDDEN'],
    ['what was withdrawn meanwhile', 'renew', 2002n, 'blob_custody', 'NOT_FOUND'],
    ['a renewal by who is no steward', 'renew', 908n, 'contribution', 'FORBIDDEN'],
    ['an end that the chain notes already', 'renew', 151n, 'blob_reference', 'INVALID_ARGUMENT'],
    ['what Walrus refuses, by a number like ours', 'renew', 2002n, 'system_state_inner', 'UPSTREAM_INVALID'],
  ])('refuses %s before anything is signed', async (_, step, abortCode, name, code) => {
    world.sui.refusal = () => ({ abortCode: String(abortCode), location: { module: name } });
    expect(await codeOf(take(step))).toBe(code);
    expect([world.calls, memory.writes]).toEqual([[], 0]);
  });

  describe.each<Step>(['put', 'renew', 'withdraw'])('%s', (step) => {
    it.each(['request', 'answer'] as const)('happens once where the %s is lost', async (lost) => {
      world.sui.loseNext = lost;
      expect(await codeOf(take(step))).toBe(lost === 'request' ? 'SETTLEMENT_UNKNOWN' : 'done');
      expect(await codeOf(take(step))).toBe('done');
      expect(world.calls).toHaveLength(1);
      expect(memory.kept).toBeNull();
    });

    // 0: before it is remembered; 1: when it has happened, before that is noted.
    it.each([0, 1])('happens once when killed at write %d', async (killAtWrite) => {
      memory.killAtWrite = killAtWrite;
      await take(step).catch(() => undefined);
      expect(world.calls).toHaveLength(killAtWrite);
      world.world.restart();
      expect(await codeOf(take(step))).toBe('done');
      expect(world.calls).toHaveLength(1);
    });

    it('is made anew when what was lost can happen no more', async () => {
      world.sui.loseNext = 'request';
      await codeOf(take(step));
      world.sui.epoch++;
      expect(await codeOf(take(step))).toBe('done');
      expect(world.calls).toHaveLength(1);
    });
  });

  it('is made anew at once when another transaction changed the object meanwhile', async () => {
    const write = memory.write;
    memory.write = async (prepared) => {
      await write(prepared);
      // Somebody else's process, with the same wallet, made its lease longer.
      if (memory.writes === 1) world.blob({ endEpoch: EPOCH + 6 });
    };
    expect(await codeOf(world.custody().put(NAME, OBJECT, memory))).toBe('done');
    expect(world.calls).toHaveLength(1);
    expect(await held()).toMatchObject({ endEpoch: EPOCH + 6 });
  });

  it('is not made anew while the node may only be behind', async () => {
    world.blob({});
    world.sui.loseNext = 'request';
    await codeOf(world.custody().put(NAME, OBJECT, memory));
    const { digest } = memory.kept!;
    world.sui.objects.set(OBJECT, { ...world.sui.objects.get(OBJECT)!, version: '1' }); // it was built over version 2
    world.sui.loseNext = 'request';
    expect(await codeOf(world.custody().put(NAME, OBJECT, memory))).toBe('SETTLEMENT_UNKNOWN');
    expect(memory.kept?.digest).toBe(digest);
  });

  it('is used by the client: killed at any record, and begun again by the next process, each step happens once', async () => {
    const records = memoryJournal();
    let writesLeft = Infinity;
    const journal: Journal = {
      ...records,
      put: async (key, value) => {
        if (writesLeft-- === 0) throw new Error('killed');
        await records.put(key, value);
      },
      delete: async (key) => {
        if (writesLeft-- === 0) throw new Error('killed');
        await records.delete(key);
      },
    };
    const untilDone = async (act: (client: UsufructClient) => Promise<unknown>): Promise<void> => {
      for (let n = 0; ; n++) {
        writesLeft = n;
        const chain = world.world.restart();
        const custody = async () => world.custody('founder', chain);
        const signer = testWallet('founder');
        const rest = { apiUrl: 'http://api.test', store: new FakeStore(), holders: [] };
        const done = await codeOf(act(connect({ ...rest, chain, signer, journal, custody })));
        if (done === 'done') return;
      }
    };
    world.contribution();
    await untilDone(({ contributions }) => contributions.putInCustody(NAME.contributionId));
    expect([world.calls, (await held())?.objectId]).toEqual([[['blob_custody::put']], OBJECT]);
    world.contribution(TEST_NOW_MS);
    await untilDone(({ contributions }) => contributions.withdrawFromCustody(NAME.contributionId, again));
    expect(world.calls.slice(1)).toEqual([['blob_custody::withdraw']]);
    expect([await held(), world.ownerOf(), await records.keys('')]).toEqual([null, undefined, []]);
  });

  it('is of the type that Walrus has in force', async () => {
    await world.custody().put(NAME, OBJECT, memory);
    expect(world.sui.executed[0]!.calls[0]!.typeArguments).toEqual([BLOB_TYPE]);
    const others: Hex32[] = [idOf('x')];
    expect(await world.custody().held(NAME.contributionId, others)).toEqual([null]);
  });
});
