import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  asBlobId,
  asTimestampMs,
  fromHex,
  toBase64Url,
  type ContributionId,
  type DatasetId,
  type Hex32,
  type HolderSetId,
} from '@usufruct/kernel';
import { combine, collect, decryptEnvelope, deriveSessionKey, sha256, streamOf } from '@usufruct/crypto';
import {
  actingChain,
  aDao,
  aDataset,
  aHolderSet,
  aPolicy,
  FakeHolder,
  FakeStore,
  fetchOf,
  idOf,
  ManualClock,
  seededRandom,
  TEST_NOW_MS,
  testWallet,
  type FakeChain,
} from '@usufruct/testing';
import {
  daoPolicyDigest,
  decodeManifest,
  heldKeys,
  LIMITS,
  SignedManifestBcs,
  TAGS,
  type SealedKeys,
  type SealingKeyCheck,
  type SealingKeyStatement,
} from '@usufruct/protocol';
import { refuse, toBase64 } from '@usufruct/kernel';
import fc from 'fast-check';
import { connect } from '../client.js';
import type { SecretSealer } from '../context.js';
import { memoryJournal, type Journal } from '../journal.js';
import { PART_BYTES } from './upload.js';

const CONTENT = new TextEncoder().encode('A vaccine fridge keeps between two and eight degrees.\n'.repeat(40));
const NAME = 'fridge.txt';
const DATASET = idOf<DatasetId>('dataset');
const WALLET = testWallet('contributor');

const patternOf = (lengthBytes: number): Uint8Array => new Uint8Array(lengthBytes).map((_, i) => (i * 31) % 251);

class Killed extends Error {}

/**
 * Stops the client at its n-th step to the outside: just before the step happens, or just after. From then on nothing
 * that it does has an effect any more, as if its process were gone.
 */
class Fuse {
  steps = 0;
  private isBlown = false;
  constructor(
    private readonly at: number,
    private readonly isAfter: boolean,
  ) {}
  async pass<T>(step: () => Promise<T>): Promise<T> {
    if (this.isBlown) throw new Killed();
    this.isBlown = this.steps++ === this.at;
    if (this.isBlown && !this.isAfter) throw new Killed();
    const result = await step();
    // Its own step, or one of another upload that was under way when the process ended.
    if (this.isBlown) throw new Killed();
    return result;
  }
}
const whole = (): Fuse => new Fuse(Number.POSITIVE_INFINITY, false);

interface World {
  readonly chain: FakeChain;
  readonly store: FakeStore;
  readonly holders: readonly FakeHolder[];
  readonly journal: Journal;
  readonly clock: ManualClock;
}
let holders: FakeHolder[];
beforeAll(async () => {
  holders = await Promise.all(['a', 'b', 'c'].map((name) => FakeHolder.create(name, 'local:test')));
});

function newWorld(): World {
  const chain = actingChain();
  const members = holders.map(({ member }) => ({
    operator: member.operator,
    signingPublicKey: toBase64(member.signingPublicKey),
    sealingPublicKey: toBase64(member.sealingPublicKey),
  }));
  for (const holder of holders) {
    holder.asked.length = 0;
    holder.shares.clear();
    holder.isDown = false;
  }
  chain.put('dao', aDao()).put('dataset', aDataset({ contributionCount: 0 }));
  chain.put('holder-set', aHolderSet({ members }));
  return { chain, store: new FakeStore(), holders, journal: memoryJournal(), clock: new ManualClock() };
}

/** A client as a fresh process would make it: it shares nothing with an earlier one but the journal. */
function client(
  { chain, store, journal, clock }: World,
  fuse: Fuse,
  process = 'one',
  wallet = WALLET,
  secretSealer?: SecretSealer,
) {
  const reach = fetchOf(holders);
  return connect({
    apiUrl: 'http://api.test',
    signer: {
      address: wallet.address,
      signPersonalMessage: (message) => fuse.pass(() => wallet.signPersonalMessage(message)),
    },
    chain: Object.assign(Object.create(chain) as FakeChain, {
      prepare: (...args: Parameters<FakeChain['prepare']>) => fuse.pass(() => chain.prepare(...args)),
      send: (...args: Parameters<FakeChain['send']>) => fuse.pass(() => chain.send(...args)),
    }),
    store: Object.assign(Object.create(store) as FakeStore, {
      put: (...args: Parameters<FakeStore['put']>) => fuse.pass(() => store.put(...args)),
      get: (...args: Parameters<FakeStore['get']>) => fuse.pass(() => store.get(...args)),
    }),
    holders: holders.map(({ url }) => ({ url })),
    journal: {
      get: (key) => journal.get(key),
      keys: (prefix) => journal.keys(prefix),
      put: (key, value) => fuse.pass(() => journal.put(key, value)),
      delete: (key) => fuse.pass(() => journal.delete(key)),
    },
    fetch: (input, init) => fuse.pass(() => reach(input, init)),
    ...(secretSealer !== undefined && { secretSealer }),
    clock,
    random: seededRandom(process),
  });
}

const contribution = (content: Uint8Array = CONTENT) => ({
  key: 'file',
  datasetId: DATASET,
  fileName: NAME,
  sizeBytes: content.length,
  source: () => streamOf(content),
});

/** One registered contribution, a valid share at every holder, and what any two open is the file. */
async function expectContributed(world: World, content: Uint8Array = CONTENT): Promise<void> {
  const registered = await world.chain.contributionsOf(DATASET);
  expect(registered).toHaveLength(1);
  const { manifestDigest, parts, id } = registered[0]!;
  const deposits = holders.map((holder) => holder.shares.get(manifestDigest));
  expect(deposits.map((deposit) => deposit?.share.index)).toEqual([1, 2, 3]);
  const { manifest } = deposits[0]!;
  expect(manifest.contributionId).toBe(id);
  expect(parts.map(({ blob }) => blob)).toEqual(manifest.parts.map(({ blob }) => blob));
  for (const pair of [
    [0, 1],
    [0, 2],
    [1, 2],
  ] as const) {
    const secret = combine(
      pair.map((i) => deposits[i]!.share),
      heldKeys(manifest).commitments,
    );
    const sessionKey = deriveSessionKey({ domainTag: TAGS.sessionKey, secret, context: fromHex(id) });
    const blobs = await Promise.all(parts.map(({ blob }) => world.store.get(asBlobId(toBase64Url(fromHex(blob))))));
    const { fileName, body } = await decryptEnvelope({ source: streamOf(...blobs), sessionKey });
    expect(fileName).toBe(NAME);
    expect(Buffer.from(await collect(body, LIMITS.fileBytes)).equals(content)).toBe(true);
  }
}

/** Days later, when holders have other sealing keys and have given up what nobody registered. */
async function giveUp({ clock }: World): Promise<void> {
  clock.advance(8 * 24 * 3_600_000);
  for (const holder of holders) {
    holder.shares.clear();
    await holder.rotate(clock.nowMs());
  }
}
afterEach(() => Promise.all(holders.map((holder) => holder.rotate())));

/** The result stays; the seed, and everything that leads to it, is gone. */
async function expectNoSecret({ journal }: World): Promise<void> {
  expect(await journal.keys('contribute/')).toEqual(['contribute/file/done']);
}

describe('contribute', () => {
  it('registers one contribution, deposits every share, and forgets the secret', async () => {
    const world = newWorld();
    const steps: string[] = [];
    const done = await client(world, whole()).contributions.contribute({
      ...contribution(),
      onProgress: ({ step }) => void (steps.at(-1) !== step && steps.push(step)),
    });
    expect(done).toMatchObject({ fileName: NAME, sizeBytes: CONTENT.length, parts: 1, datasetId: DATASET });
    expect(steps).toEqual(['planning', 'uploading', 'signing', 'depositing', 'registering', 'done']);
    await expectContributed(world);
    await expectNoSecret(world);
  });

  const countOf = (path: string): number[] => holders.map(({ asked }) => asked.filter((one) => one === path).length);
  const several = (count: number, first = 0) =>
    Array.from({ length: count }, (_, i) => ({ ...contribution(), key: `file ${first + i}` }));

  it('asks each holder once for the key to seal to, however many files there are, until it is nearly over', async () => {
    const world = newWorld();
    const { contributions } = client(world, whole());
    await Promise.all(several(3).map((one) => contributions.contribute(one)));
    for (const one of several(3, 3)) await contributions.contribute(one);
    expect([countOf('/v1/shares'), countOf('/v1/sealing-key')]).toEqual([
      [6, 6, 6],
      [1, 1, 1],
    ]);
    // The statement is good for a day; a minute before its end it is not counted on any more.
    world.clock.advance(24 * 60 * 60_000 - LIMITS.clockSkewMs - 1);
    for (const one of several(1, 6)) await contributions.contribute(one);
    expect(countOf('/v1/sealing-key')).toEqual([1, 1, 1]);
    world.clock.advance(1);
    for (const one of several(1, 7)) await contributions.contribute(one);
    expect(countOf('/v1/sealing-key')).toEqual([2, 2, 2]);
  });

  it('seals anew where a holder has another key by now', async () => {
    const world = newWorld();
    const { contributions } = client(world, whole());
    await contributions.contribute({ ...contribution(), key: 'before' });
    await holders[1]!.rotate();
    await contributions.contribute({ ...contribution(), key: 'after' });
    expect(countOf('/v1/sealing-key')).toEqual([1, 2, 1]);
    expect(holders.map(({ shares }) => shares.size)).toEqual([2, 2, 2]);
  });

  it.each(['deletable', 'permanent'] as const)('stores as the policy of the DAO says: %s', async (blobs) => {
    const world = newWorld();
    const dao = await world.chain.dao((await world.chain.dataset(DATASET)).daoId);
    const policy = { ...dao.policy, blobs };
    world.chain.put('dao', { ...dao, policy, policyDigest: daoPolicyDigest(policy) });
    const { contributionId } = await client(world, whole()).contributions.contribute(contribution());
    const { parts, manifestBlob } = await world.chain.contribution(contributionId);
    for (const { blob } of [...parts, manifestBlob]) {
      const { deletable } = await world.store.status(asBlobId(toBase64Url(fromHex(blob))));
      expect(deletable).toBe(blobs === 'deletable');
    }
  });

  it('refuses a store that cannot do what the policy says, before anything is sent', async () => {
    const world = newWorld();
    Object.assign(world.store, { abilities: { ...world.store.abilities, deletable: false } });
    const sent = client(world, whole()).contributions.contribute(contribution());
    await expect(sent).rejects.toMatchObject({ code: 'STORE_UNSUPPORTED', details: { ability: 'deletable' } });
    expect(world.store.puts).toEqual([]);
  });

  it('gives the same result again, and sends nothing', async () => {
    const world = newWorld();
    const first = await client(world, whole()).contributions.contribute(contribution());
    const sent = world.store.puts.length;
    const again = await client(world, whole(), 'two').contributions.contribute(contribution());
    expect(again).toEqual(first);
    expect(world.store.puts).toHaveLength(sent);
    expect(world.chain.executed).toHaveLength(1);
  });

  it.each([
    ['name', { fileName: 'other.txt' }],
    ['size', { sizeBytes: CONTENT.length + 1 }],
    ['dataset', { datasetId: idOf<typeof DATASET>('another dataset') }],
  ])('refuses the key of what was contributed for a file of another %s', async (_what, change) => {
    const world = newWorld();
    await client(world, whole()).contributions.contribute(contribution());
    const sent = world.store.puts.length;
    const again = client(world, whole(), 'two').contributions.contribute({ ...contribution(), ...change });
    await expect(again).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(world.store.puts).toHaveLength(sent);
  });

  describe("with its key under Seal's key servers", () => {
    const keyServers = [idOf<Hex32>('server a'), idOf<Hex32>('server b')];
    /** Remembers what it was given: the real one is tested with key servers, in its own package. */
    class Sealer implements SecretSealer {
      readonly given: [ContributionId, Uint8Array][] = [];
      async seal(contributionId: ContributionId, secret: Uint8Array): Promise<SealedKeys> {
        this.given.push([contributionId, secret]);
        return { kind: 'seal', threshold: 2, keyServers, encryptedSecret: sha256(secret) };
      }
    }
    const sealing = (world: World, sealer?: SecretSealer, process = 'one') =>
      client(world, whole(), process, WALLET, sealer).contributions;
    const sealed = { ...contribution(), keyMode: 'seal' as const };

    it('gives no holder a share, and seals the secret of the key that the file is under', async () => {
      const world = newWorld();
      const sealer = new Sealer();
      const done = await sealing(world, sealer).contribute(sealed);
      expect(done.keyMode).toBe('seal');
      expect(holders.map(({ shares }) => shares.size)).toEqual([0, 0, 0]);
      const [id, secret] = sealer.given[0]!;
      expect([id, sealer.given.length]).toEqual([done.contributionId, 1]);
      const { parts, manifestBlob } = (await world.chain.contributionsOf(DATASET))[0]!;
      const get = (blob: Hex32) => world.store.get(asBlobId(toBase64Url(fromHex(blob))));
      const manifest = decodeManifest(SignedManifestBcs.parse(await get(manifestBlob.blob)).manifest);
      expect(manifest.keys).toMatchObject({ kind: 'seal', keyServers, encryptedSecret: sha256(secret) });
      const sessionKey = deriveSessionKey({ domainTag: TAGS.sessionKey, secret, context: fromHex(id) });
      const { body } = await decryptEnvelope({ source: streamOf(await get(parts[0]!.blob)), sessionKey });
      expect(Buffer.from(await collect(body, LIMITS.fileBytes)).equals(CONTENT)).toBe(true);
      await expectNoSecret(world);
    });

    it('is refused where no key servers are named, and where the DAO pays in epochs, before anything is sent', async () => {
      const world = newWorld();
      await expect(sealing(world).contribute(sealed)).rejects.toMatchObject({ code: 'KEY_MODE_UNAVAILABLE' });
      world.chain.put('dao', aDao({ payoutRules: { ...aDao().payoutRules, mode: 'epoch' } }));
      const refused = sealing(world, new Sealer()).contribute(sealed);
      await expect(refused).rejects.toMatchObject({ code: 'KEY_MODE_UNAVAILABLE' });
      expect([world.store.puts, world.chain.executed]).toEqual([[], []]);
    });

    it('is never put in place of the other mode, nor the other in its place', async () => {
      const world = newWorld();
      await sealing(world, new Sealer()).contribute(sealed);
      const again = sealing(world, new Sealer(), 'two').contribute(contribution());
      await expect(again).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
      const other = { ...contribution(), key: 'other' };
      await sealing(world, new Sealer(), 'three').contribute(other);
      const changed = sealing(world, new Sealer(), 'four').contribute({ ...other, keyMode: 'seal' });
      await expect(changed).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    });

    it('can be seen by everybody, and what cannot be read is not taken for either mode', async () => {
      const world = newWorld();
      const first = await sealing(world, new Sealer()).contribute(sealed);
      const second = await sealing(world, new Sealer(), 'two').contribute({ ...contribution(), key: 'two' });
      const modes = async () => (await client(world, whole()).datasets.keyModes(DATASET)).modes;
      expect([...(await modes())]).toEqual([
        [second.contributionId, 'holders'],
        [first.contributionId, 'seal'],
      ]);
      const { manifestBlob } = (await world.chain.contributionsOf(DATASET))[0]!;
      world.store.tamper(asBlobId(toBase64Url(fromHex(manifestBlob.blob))));
      expect((await modes()).get(first.contributionId)).toBeNull();
    });
  });

  it('contributes a file that was renamed meanwhile under its new name', async () => {
    const world = newWorld();
    holders[2]!.isDown = true;
    await expect(client(world, whole()).contributions.contribute(contribution())).rejects.toBeDefined();
    holders[2]!.isDown = false;
    const done = await client(world, whole(), 'two').contributions.contribute({
      ...contribution(),
      fileName: 'renamed.txt',
    });
    expect(done.fileName).toBe('renamed.txt');
    await expectNoSecret(world);
  });

  it.each<[string, (world: World) => Promise<void>]>([
    ['of which the leases have ended', async ({ store }) => void (store.epoch += 30)],
    ['of which the manifest was deleted', async ({ store }) => store.delete({ blobId: store.puts.at(-1)! })],
  ])('begins anew with what was stored long ago, %s, and registers nothing that cannot be read', async (_, lose) => {
    const world = newWorld();
    holders[2]!.isDown = true;
    await expect(client(world, whole()).contributions.contribute(contribution())).rejects.toBeDefined();
    holders[2]!.isDown = false;
    const before = world.store.puts.length;
    await lose(world);
    await client(world, whole(), 'two').contributions.contribute(contribution());
    expect(world.store.puts.length).toBe(2 * before);
    const [registered, ...others] = await world.chain.contributionsOf(DATASET);
    expect(others).toEqual([]);
    for (const { blob, endEpoch } of [...registered!.parts, registered!.manifestBlob]) {
      expect(endEpoch).toBeGreaterThan(world.store.epoch);
      expect(await world.store.status(asBlobId(toBase64Url(fromHex(blob))))).toMatchObject({ available: true });
    }
    await expectNoSecret(world);
  });

  it.each([
    ['begins anew where its registration was signed, never sent, and is too late by now', 1, 2],
    ['does not begin anew where its registration may still happen', 0, 1],
  ])('%s, though the leases have ended', async (_, lateMs, times) => {
    const world = newWorld();
    const { send } = world.chain;
    world.chain.send = () => Promise.reject(new Killed());
    await expect(client(world, whole()).contributions.contribute(contribution())).rejects.toThrow(Killed);
    world.chain.send = send;
    const before = world.store.puts.length;
    world.store.epoch += 30;
    world.clock.advance(LIMITS.transactionTermMs + LIMITS.clockSkewMs + lateMs);
    await client(world, whole(), 'two').contributions.contribute(contribution());
    expect(world.store.puts.length).toBe(times * before);
    const registered = await world.chain.contributionsOf(DATASET);
    expect(registered).toHaveLength(1);
    const isReadable = registered[0]!.manifestBlob.endEpoch > world.store.epoch;
    expect(isReadable).toBe(times === 2);
  });

  it('does not begin anew because the store is silent', async () => {
    const world = newWorld();
    holders[2]!.isDown = true;
    await expect(client(world, whole()).contributions.contribute(contribution())).rejects.toBeDefined();
    holders[2]!.isDown = false;
    const sent = [...world.store.puts];
    world.store.status = () => Promise.reject(refuse('BLOB_UNAVAILABLE'));
    await client(world, whole(), 'two').contributions.contribute(contribution());
    expect(world.store.puts).toEqual(sent);
    await expectContributed(world);
  });

  it('leaves the unfinished contribution of a key that begins with its own alone', async () => {
    const world = newWorld();
    holders[2]!.isDown = true;
    const longer = { ...contribution(), key: 'file/two' };
    await expect(client(world, whole()).contributions.contribute(longer)).rejects.toBeDefined();
    holders[2]!.isDown = false;
    const before = await world.journal.keys('contribute/file%2Ftwo/');
    expect(before).toContain('contribute/file%2Ftwo/plan');
    await client(world, whole(), 'two').contributions.contribute(contribution());
    expect(await world.journal.keys('contribute/file%2Ftwo/')).toEqual(before);
  });

  it('ends in exactly one contribution with all shares, whatever step it is killed at', async () => {
    const counting = whole();
    await client(newWorld(), counting).contributions.contribute(contribution());
    expect(counting.steps).toBeGreaterThan(20);
    for (let at = 0; at < counting.steps; at++) {
      for (const isAfter of [false, true]) {
        const world = newWorld();
        await expect(
          client(world, new Fuse(at, isAfter)).contributions.contribute(contribution()),
        ).rejects.toBeDefined();
        await client(world, whole(), 'two').contributions.contribute(contribution());
        await expectContributed(world);
        await expectNoSecret(world);
      }
    }
  });

  it('survives being killed several times, at any steps', async () => {
    const kills = fc.array(fc.tuple(fc.nat(30), fc.boolean()), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(kills, async (list) => {
        const world = newWorld();
        for (const [i, [at, isAfter]] of list.entries()) {
          await client(world, new Fuse(at, isAfter), `process ${i}`)
            .contributions.contribute(contribution())
            .catch(() => undefined);
        }
        await client(world, whole(), 'last').contributions.contribute(contribution());
        await expectContributed(world);
        await expectNoSecret(world);
      }),
      { numRuns: 15 },
    );
  });

  it('does not send a part twice that was stored before the kill', async () => {
    const world = newWorld();
    const content = patternOf(2 * PART_BYTES + 1_000);
    for (const holder of holders) holder.isDown = true;
    await expect(client(world, whole()).contributions.contribute(contribution(content))).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { upstream: 'key holder 1' },
    });
    const sent = [...world.store.puts];
    expect(sent).toHaveLength(4); // three parts and the manifest
    for (const holder of holders) holder.isDown = false;
    await client(world, whole(), 'two').contributions.contribute(contribution(content));
    expect(world.store.puts).toEqual(sent);
    await expectContributed(world, content);
  });

  it('takes a new key when the file has changed since, and sends nothing else under the old one', async () => {
    const world = newWorld();
    const before = patternOf(PART_BYTES + 5_000);
    const after = Uint8Array.from(before);
    after[PART_BYTES + 2_000] = after[PART_BYTES + 2_000]! ^ 1; // in the second part
    const putsBeforeKill = 2;
    let puts = 0;
    const { put } = world.store;
    world.store.put = async (bytes) => {
      const stored = await put(bytes);
      if (++puts === putsBeforeKill) throw new Killed(); // stored, but the client never knew
      return stored;
    };
    await expect(client(world, whole()).contributions.contribute(contribution(before))).rejects.toThrow(Killed);
    world.store.put = put;
    await client(world, whole(), 'two').contributions.contribute(contribution(after));
    await expectContributed(world, after);
    // Two parts of the old key, then two of the new one and its manifest: the changed part never left under the old.
    expect(world.store.puts).toHaveLength(5);
    expect(new Set(world.store.puts).size).toBe(5);
  });

  it('starts anew when the DAO has another policy since', async () => {
    const world = newWorld();
    holders[2]!.isDown = true;
    await expect(client(world, whole()).contributions.contribute(contribution())).rejects.toBeDefined();
    const policy = aPolicy({ verifierThreshold: 1 });
    world.chain.put('dao', aDao({ policy, policyVersion: 2 }));
    holders[2]!.isDown = false;
    await client(world, whole(), 'two').contributions.contribute(contribution());
    await expectContributed(world);
    const [registered] = await world.chain.contributionsOf(DATASET);
    expect(registered?.policyDigest).toBe(daoPolicyDigest(policy));
  });

  it('serves the holders that answer, and goes on with the others later', async () => {
    const world = newWorld();
    holders[1]!.isDown = true;
    await expect(client(world, whole()).contributions.contribute(contribution())).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { upstream: 'key holder 2' },
    });
    expect(holders.map(({ shares }) => shares.size)).toEqual([1, 0, 1]);
    expect(await world.chain.contributionsOf(DATASET)).toEqual([]);
    holders[1]!.isDown = false;
    await client(world, whole(), 'two').contributions.contribute(contribution());
    await expectContributed(world);
  });

  it('has every holder say again that it keeps its share, where they said so days ago', async () => {
    const world = newWorld();
    holders[2]!.isDown = true;
    await expect(client(world, whole()).contributions.contribute(contribution())).rejects.toBeDefined();
    holders[2]!.isDown = false;
    await giveUp(world);
    await client(world, whole(), 'two').contributions.contribute(contribution());
    await expectContributed(world);
  });

  it('asks nobody again who said so within a day', async () => {
    const world = newWorld();
    holders[2]!.isDown = true;
    await expect(client(world, whole()).contributions.contribute(contribution())).rejects.toBeDefined();
    holders[2]!.isDown = false;
    for (const holder of holders) holder.shares.clear();
    world.clock.advance(LIMITS.shareReceiptTermMs);
    await client(world, whole(), 'two').contributions.contribute(contribution());
    expect(holders.map(({ shares }) => shares.size)).toEqual([0, 0, 1]);
  });

  it('gives them their shares again where a wallet confirms the registration days later', async () => {
    const world = newWorld();
    const { send } = world.chain;
    world.chain.send = async (...args) => {
      const outcome = await send(...args);
      await giveUp(world);
      return outcome;
    };
    await client(world, whole()).contributions.contribute(contribution());
    await expectContributed(world);
  });

  it('forgets the secret of a contribution that is given up', async () => {
    const world = newWorld();
    holders[0]!.isDown = true;
    await expect(client(world, whole()).contributions.contribute(contribution())).rejects.toBeDefined();
    expect(await seedOf(world)).not.toBeNull();
    await client(world, whole(), 'two').contributions.abandon('file');
    expect(await world.journal.keys('')).toEqual([]);
  });
});

const seedOf = ({ journal }: World): Promise<string | null> => journal.get('contribute/file/plan');

describe('what contribute refuses', () => {
  const rows: readonly [string, { fileName?: string; sizeBytes?: number }, string][] = [
    ['a file without bytes', { sizeBytes: 0 }, 'FILE_EMPTY'],
    ['a file over the limit', { sizeBytes: LIMITS.fileBytes + 1 }, 'FILE_TOO_LARGE'],
    ['a file of 14 GiB', { sizeBytes: 14 * 1024 ** 3 }, 'FILE_TOO_LARGE'],
    ['an ending that the runner cannot read', { fileName: 'film.mov' }, 'FORMAT_UNKNOWN'],
    ['a name without an ending', { fileName: 'README' }, 'FORMAT_UNKNOWN'],
    ['a path', { fileName: '../x.txt' }, 'INVALID_ARGUMENT'],
    ['a name that forges lines', { fileName: 'a\nb.txt' }, 'INVALID_ARGUMENT'],
    ['a size that is no size', { sizeBytes: -1 }, 'INVALID_ARGUMENT'],
    ['more bytes than announced', { sizeBytes: CONTENT.length - 1 }, 'INVALID_ARGUMENT'],
    ['fewer bytes than announced', { sizeBytes: CONTENT.length + 1 }, 'INVALID_ARGUMENT'],
  ];
  it.each(rows)('%s', async (_name, change, code) => {
    const world = newWorld();
    await expect(
      client(world, whole()).contributions.contribute({ ...contribution(), ...change }),
    ).rejects.toMatchObject({ code });
    expect(await world.chain.contributionsOf(DATASET)).toEqual([]);
    expect(holders.every(({ shares }) => shares.size === 0)).toBe(true);
  });

  it('a store that gives back other bytes', async () => {
    const world = newWorld();
    const { put } = world.store;
    world.store.put = async (bytes) => {
      const stored = await put(bytes);
      world.store.tamper(stored.blobId);
      return stored;
    };
    await expect(client(world, whole()).contributions.contribute(contribution())).rejects.toMatchObject({
      code: 'BLOB_MISMATCH',
    });
    expect(await world.chain.contributionsOf(DATASET)).toEqual([]);
  });

  it.each([
    ['another signature', { signature: toBase64(new Uint8Array(64).fill(1)) }, 'signature'],
    ['another manifest', { manifestDigest: idOf('x') }, 'manifestDigest or index'],
    ['another share', { index: 3 }, 'manifestDigest or index'],
  ])('a receipt of a holder with %s', async (_name, change, field) => {
    const world = newWorld();
    const honest = holders[1]!.answer.bind(holders[1]);
    holders[1]!.answer = async (path, body) => {
      const answer = await honest(path, body);
      return path === '/v1/shares' ? Response.json({ ...((await answer.json()) as object), ...change }) : answer;
    };
    const contributing = client(world, whole()).contributions.contribute(contribution());
    await expect(contributing).rejects.toMatchObject({ code: 'UPSTREAM_INVALID', details: { field } });
    holders[1]!.answer = honest;
    expect(await world.chain.contributionsOf(DATASET)).toEqual([]);
  });

  it.each<[string, Partial<SealingKeyStatement>, SealingKeyCheck]>([
    ['of another chain', { chainId: 'local:other' }, 'chain'],
    ['of another holder', { holderSigningKey: new Uint8Array(32).fill(1) }, 'holder'],
    ['that has expired', { notAfterMs: asTimestampMs(TEST_NOW_MS - LIMITS.clockSkewMs) }, 'expired'],
    ['that is not in force yet', { notBeforeMs: asTimestampMs(TEST_NOW_MS + LIMITS.clockSkewMs + 1) }, 'not-yet'],
  ])('a key to seal to by a statement %s, and seals to no other', async (_name, changes, check) => {
    const world = newWorld();
    const liar = holders[1]!;
    const times = changes.notAfterMs === undefined ? {} : { notBeforeMs: asTimestampMs(TEST_NOW_MS - 3_600_000) };
    const { sealingKey } = liar;
    liar.sealingKey = () => sealingKey.call(liar, { ...times, ...changes });
    const contributing = client(world, whole()).contributions.contribute(contribution());
    await expect(contributing).rejects.toMatchObject({
      code: 'SEALING_KEY_INVALID',
      details: { holder: toBase64(liar.member.signingPublicKey), check },
    });
    liar.sealingKey = sealingKey;
    expect(liar.asked).not.toContain('/v1/shares');
    expect(await world.chain.contributionsOf(DATASET)).toEqual([]);
  });

  it('to seal to the key on the chain, where whoever stands between gives another for the holder', async () => {
    const world = newWorld();
    const [between, holder] = [await FakeHolder.create('between', 'local:test'), holders[1]!];
    const { sealingKey } = holder;
    for (const word of [() => between.sealingKey(), () => Promise.reject(refuse('NOT_FOUND'))]) {
      holder.sealingKey = word;
      const contributing = client(world, whole()).contributions.contribute(contribution());
      await expect(contributing).rejects.toMatchObject({
        code: expect.stringMatching(/^(SEALING_KEY_INVALID|NOT_FOUND)$/),
      });
    }
    holder.sealingKey = sealingKey;
    expect(holder.asked).not.toContain('/v1/shares');
    await client(world, whole(), 'two').contributions.contribute(contribution());
    await expectContributed(world);
  });

  it('a holder that is not the one on the chain', async () => {
    const world = newWorld();
    const impostor = await FakeHolder.create('impostor', 'local:test');
    const set = await world.chain.holderSet(idOf<HolderSetId>('holder-set'));
    const members = set.members.map((member, i) =>
      i === 1 ? { ...member, signingPublicKey: toBase64(impostor.member.signingPublicKey) } : member,
    );
    world.chain.put('holder-set', { ...set, members });
    await expect(client(world, whole()).contributions.contribute(contribution())).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
      details: { upstream: 'key holder 2' },
    });
  });

  it('going on with another wallet', async () => {
    const world = newWorld();
    holders[0]!.isDown = true;
    await expect(client(world, whole()).contributions.contribute(contribution())).rejects.toBeDefined();
    holders[0]!.isDown = false;
    const thief = client(world, whole(), 'two', testWallet('thief'));
    await expect(thief.contributions.contribute(contribution())).rejects.toMatchObject({ code: 'WRONG_WALLET' });
    expect(await world.chain.contributionsOf(DATASET)).toEqual([]);
  });
});
