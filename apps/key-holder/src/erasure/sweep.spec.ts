import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppraisalDesk, rootSetWithDevRoot } from '@usufruct/attestation';
import { seal } from '@usufruct/crypto';
import { asTimestampMs, fromBase64, fromHex, toBase64, toHex, type Address, type Logger } from '@usufruct/kernel';
import { ErasureStatementBcs, ShareBcs, shareSealInfo } from '@usufruct/protocol';
import {
  aContribution,
  aDao,
  aDataset,
  aHolderSet,
  dealManifest,
  FakeChain,
  idOf,
  ManualClock,
  seededRandom,
  signManifest,
  TEST_NOW_MS,
  testRunner,
  testWallet,
  type DealtManifest,
} from '@usufruct/testing';
import { depositShare } from '../decisions/deposit.js';
import { makeHolder, type Holder } from '../holder.js';
import { deriveHolderKeys } from '../identity.js';
import { openKeyring } from '../keyring/open.js';
import { openDatabase } from '../store/database.js';
import { erase } from './erase.js';
import { destroyRetired, UNREGISTERED_TERM_MS } from './sweep.js';

const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const wallet = testWallet('contributor');
const dealt = dealManifest(wallet.address);
const again = dealManifest(wallet.address, { createdAtMs: asTimestampMs(TEST_NOW_MS - 7) });
const other = dealManifest(wallet.address, { salt: idOf('another') });
const HOUR_MS = 3_600_000;

let folder: string;
let chain: FakeChain;
let clock: ManualClock;
let holder: Holder;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sweep-'));
  chain = new FakeChain();
  clock = new ManualClock();
  const keys = await Promise.all(['a', 'b', 'c'].map((name) => deriveHolderKeys(fromHex(idOf(name)))));
  const members = keys.map(({ operator, signing, sealing }) => ({
    operator: operator.address,
    signingPublicKey: toBase64(signing.publicKey),
    sealingPublicKey: toBase64(sealing.publicKey),
  }));
  chain.put('holder-set', aHolderSet({ members })).put('dao', aDao()).put('dataset', aDataset());
  const random = seededRandom('holder');
  const { rootPem } = await testRunner('ours');
  holder = makeHolder({
    keys: keys[0]!,
    keyring: await openKeyring({ dataDir: folder, keys: keys[0]!, clock, random }),
    chain,
    database: openDatabase(folder, toHex(keys[0]!.signing.publicKey)),
    desk: new AppraisalDesk({ roots: rootSetWithDevRoot(rootPem) }),
    standIns: ['test'],
    clock,
    random,
    logger: silent,
  });
});
afterEach(() => {
  holder.database.close();
  rmSync(folder, { recursive: true, force: true });
});

const deposit = async (made: DealtManifest): Promise<unknown> => {
  const { publicKey: recipientPublicKey } = await holder.subkeys.current();
  return depositShare(holder, {
    manifest: toBase64(made.bytes),
    signature: await signManifest(wallet, made),
    sealedTo: toBase64(recipientPublicKey),
    sealedShare: toBase64(
      await seal({
        recipientPublicKey,
        info: shareSealInfo(made.digest),
        aad: new Uint8Array(),
        plaintext: ShareBcs.serialize(made.shares[0]!).toBytes(),
      }),
    ),
  });
};
const register = ({ manifest: { contributionId: id, owner }, digest }: DealtManifest, retiredAtMs = 0): void =>
  void chain.put(
    'contribution',
    aContribution({
      id,
      owner,
      manifestDigest: digest,
      tombstonedAtMs: retiredAtMs === 0 ? null : asTimestampMs(retiredAtMs),
    }),
  );
const has = ({ digest }: DealtManifest): boolean => holder.shares.find(digest) !== undefined;
const onDisk = (bytes: Uint8Array): boolean =>
  readdirSync(folder)
    .map((name) => join(folder, name))
    .some((path) => statSync(path).isFile() && readFileSync(path).includes(Buffer.from(bytes)));
/** So much time passes, and the chain goes on. */
const pass = (ms: number): void => {
  clock.advance(ms);
  chainGoesOn();
};
const chainGoesOn = (atMs = clock.nowMs()): void =>
  void chain.putEvent(
    { type: 'Minted', to: idOf<Address>('somebody'), amountUnits: 1n as never },
    idOf<Address>('somebody'),
    atMs,
  );

describe('a share that nobody registers', () => {
  it('is given up after a week, and is out of the files; one that is registered stays', async () => {
    await deposit(dealt);
    await deposit(other);
    register(other);
    const gone = holder.shares.find(dealt.digest)!.encrypted;
    pass(UNREGISTERED_TERM_MS - 1);
    await destroyRetired(holder);
    expect([has(dealt), has(other), onDisk(gone)]).toEqual([true, true, true]);
    pass(1);
    await destroyRetired(holder);
    expect([has(dealt), has(other), onDisk(gone)]).toEqual([false, true, false]);
    // Nobody retired it: its owner may begin anew.
    await deposit(dealt);
    expect(has(dealt)).toBe(true);
  });

  it('is kept for a week more each time that it is asked for', async () => {
    await deposit(dealt);
    pass(UNREGISTERED_TERM_MS - HOUR_MS);
    await deposit(dealt);
    pass(UNREGISTERED_TERM_MS - HOUR_MS);
    await destroyRetired(holder);
    expect(has(dealt)).toBe(true);
    pass(HOUR_MS);
    await destroyRetired(holder);
    expect(has(dealt)).toBe(false);
  });

  it('is given up, too, where another manifest of the contribution was registered instead', async () => {
    await deposit(dealt);
    await deposit(again);
    register(again);
    pass(UNREGISTERED_TERM_MS);
    await destroyRetired(holder);
    expect([has(dealt), has(again)]).toEqual([false, true]);
  });

  it('is kept while the chain cannot be read, and while the node has not come so far', async () => {
    await deposit(dealt);
    pass(HOUR_MS);
    clock.advance(2 * UNREGISTERED_TERM_MS);
    await destroyRetired(holder);
    expect(has(dealt)).toBe(true);
    chainGoesOn(asTimestampMs(TEST_NOW_MS + UNREGISTERED_TERM_MS - 1));
    await destroyRetired(holder);
    expect(has(dealt)).toBe(true);
    chain.isDown = true;
    await destroyRetired(holder);
    chain.isDown = false;
    expect(has(dealt)).toBe(true);
    chainGoesOn();
    await destroyRetired(holder);
    expect(has(dealt)).toBe(false);
  });

  it("is kept by a holder whose node lacks what it has anchored, and by the holder's own clock, too", async () => {
    await deposit(dealt);
    // A chain that is ahead gives up nothing of which the time has not come here.
    chainGoesOn(asTimestampMs(TEST_NOW_MS + 2 * UNREGISTERED_TERM_MS));
    await destroyRetired(holder);
    expect(has(dealt)).toBe(true);
    const head = { holderSetId: dealt.manifest.holderSetId, member: 0, treeSize: 5, rootHash: idOf<never>('longer') };
    chain.putEvent({ type: 'TreeHeadAnchored', ...head }, holder.keys.operator.address);
    pass(UNREGISTERED_TERM_MS);
    await destroyRetired(holder);
    expect(has(dealt)).toBe(true);
  });

  it('is none once it was seen on the chain, whatever a node shows later', async () => {
    await deposit(dealt);
    register(dealt);
    pass(HOUR_MS);
    await destroyRetired(holder);
    chain.contributionsOf = async () => [];
    pass(2 * UNREGISTERED_TERM_MS);
    await destroyRetired(holder);
    expect(has(dealt)).toBe(true);
  });

  it('is kept where it was asked for again while the chain was read', async () => {
    await deposit(dealt);
    pass(UNREGISTERED_TERM_MS);
    const dataset = chain.dataset.bind(chain);
    chain.dataset = async (id) => {
      chain.dataset = dataset;
      await deposit(dealt);
      return dataset(id);
    };
    await destroyRetired(holder);
    expect(has(dealt)).toBe(true);
  });
});

describe('the shares of a dataset that is retired', () => {
  const RETIRED_AT = asTimestampMs(TEST_NOW_MS + 1);
  it('are destroyed as those of a retired contribution are, and those that nobody registered at once', async () => {
    for (const one of [dealt, other]) await deposit(one);
    register(dealt);
    const gone = [dealt, other].map(({ digest }) => holder.shares.find(digest)!.encrypted);
    chain.put('dataset', aDataset({ tombstonedAtMs: RETIRED_AT }));
    pass(HOUR_MS);
    await destroyRetired(holder);
    expect([has(dealt), has(other), ...gone.map(onDisk)]).toEqual([false, false, false, false]);
    await expect(deposit(dealt)).rejects.toMatchObject({ code: 'TOMBSTONED' });
  });

  it('stay where it cannot be read whether it is', async () => {
    await deposit(dealt);
    register(dealt);
    chain.remove('dataset', dealt.manifest.datasetId);
    await destroyRetired(holder);
    expect(has(dealt)).toBe(true);
  });

  it('are spoken of once more, with what was destroyed, where their owner retires them, too', async () => {
    await deposit(dealt);
    register(dealt);
    chain.put('dataset', aDataset({ tombstonedAtMs: RETIRED_AT }));
    await destroyRetired(holder);
    const { contributionId } = dealt.manifest;
    await expect(erase(holder, { contributionId })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    register(dealt, RETIRED_AT + 5);
    clock.advance(HOUR_MS);
    const answer = await erase(holder, { contributionId });
    expect(ErasureStatementBcs.parse(fromBase64(answer.statement))).toMatchObject({
      manifestDigests: [dealt.digest],
      tombstonedAtMs: RETIRED_AT + 5,
      destroyedAtMs: clock.nowMs(),
    });
    clock.advance(HOUR_MS);
    expect(await erase(holder, { contributionId })).toEqual(answer);
  });
});
