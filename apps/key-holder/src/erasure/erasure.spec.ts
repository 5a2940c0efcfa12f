import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppraisalDesk, rootSetWithDevRoot } from '@usufruct/attestation';
import { seal, verify } from '@usufruct/crypto';
import {
  asTimestampMs,
  fromBase64,
  fromHex,
  toBase64,
  type ContributionId,
  type JobId,
  type Logger,
} from '@usufruct/kernel';
import { ErasureStatementBcs, ShareBcs, shareSealInfo, TAGS } from '@usufruct/protocol';
import {
  aContribution,
  aDao,
  aDataset,
  aGrant,
  aHolderSet,
  aJob,
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
  type TestRunner,
} from '@usufruct/testing';
import { deriveHolderKeys } from '../identity.js';
import { startKeyHolder, type RunningHolder } from '../start.js';
import { destroyShares } from './erase.js';
import { fileHas } from './scrub.js';
import { destroyRetired } from './sweep.js';

const JOB = idOf<JobId>('job');
const SECRET = fromHex(idOf('holder'));
const wallet = testWallet('contributor');
const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const TOMBSTONED_AT = asTimestampMs(TEST_NOW_MS - 5_000);

let runner: TestRunner;
let chain: FakeChain;
let clock: ManualClock;
let folder: string;
let running: RunningHolder;
let dealt: DealtManifest;
let other: DealtManifest;

const data = (): string => join(folder, 'data');
const start = async (): Promise<RunningHolder> => {
  running = await startKeyHolder({
    host: '127.0.0.1',
    port: 0,
    dataDir: data(),
    holderSecret: SECRET,
    allowedOrigins: [],
    anchorIntervalMs: 60_000,
    erasureIntervalMs: 86_400_000,
    standIns: [],
    chain,
    desk: new AppraisalDesk({ roots: rootSetWithDevRoot(runner.rootPem) }),
    clock,
    random: seededRandom(`random-${Math.random()}`),
    logger: silent,
  });
  return running;
};

async function call<T = { code?: string }>(path: string, body: unknown): Promise<T & { code?: string }> {
  const init = { method: 'POST', body: JSON.stringify(body), headers: { connection: 'close' } };
  return (await (await fetch(`${running.url}${path}`, init)).json()) as T & { code?: string };
}
const deposit = async (made: DealtManifest) => {
  const { publicKey: sealedTo } = await running.holder.subkeys.current();
  const sealedShare = await seal({
    recipientPublicKey: sealedTo,
    info: shareSealInfo(made.digest),
    aad: new Uint8Array(),
    plaintext: ShareBcs.serialize(made.shares[0]!).toBytes(),
  });
  return call('/v1/shares', {
    manifest: toBase64(made.bytes),
    signature: await signManifest(wallet, made),
    sealedTo: toBase64(sealedTo),
    sealedShare: toBase64(sealedShare),
  });
};
const idOfMade = ({ manifest }: DealtManifest): ContributionId => manifest.contributionId;
const register = (made: DealtManifest, tombstonedAtMs: typeof TOMBSTONED_AT | null = null): void => {
  const { contributionId, owner } = made.manifest;
  chain.put('contribution', aContribution({ id: contributionId, owner, manifestDigest: made.digest, tombstonedAtMs }));
  chain.put('grant', aGrant({ id: idOf(`grant ${contributionId}`), contributionId, grantor: owner }));
};
const retire = (): void => register(dealt, TOMBSTONED_AT);
const erase = (made = dealt) =>
  call<{ statement: string; signature: string }>('/v1/erasures', { contributionId: idOfMade(made) });
const countOf = (made: DealtManifest): number => running.holder.shares.countOf(idOfMade(made));
const encryptedOf = (made: DealtManifest): Uint8Array => running.holder.shares.find(made.digest)!.encrypted;
/** Whether these bytes are in any file of the holder, its write-ahead log included. */
const onDisk = (bytes: Uint8Array): boolean =>
  readdirSync(data(), { recursive: true, withFileTypes: true }).some(
    (file) => file.isFile() && readFileSync(join(file.parentPath, file.name)).includes(Buffer.from(bytes)),
  );
const askForBoth = async () => {
  const { challenge } = await call<{ challenge: string }>('/v1/challenges', { for: 'release', jobId: JOB });
  const contributionIds = [idOfMade(dealt), idOfMade(other)];
  const bundle = await runner.evidence([challenge], JOB);
  const request = await runner.asks({ jobId: JOB, challenge, bundle, contributionIds });
  return call<{ entries: { decision: string }[] }>('/v1/releases', request);
};
const decisions = async () => (await askForBoth()).entries.map(({ decision }) => decision);

beforeAll(async () => {
  runner = await testRunner('ours');
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'erasure-'));
  clock = new ManualClock();
  chain = new FakeChain();
  const keys = await Promise.all([SECRET, fromHex(idOf('b')), fromHex(idOf('c'))].map(deriveHolderKeys));
  const members = keys.map(({ operator, signing, sealing }) => ({
    operator: operator.address,
    signingPublicKey: toBase64(signing.publicKey),
    sealingPublicKey: toBase64(sealing.publicKey),
  }));
  chain
    .put('holder-set', aHolderSet({ members }))
    .put('dao', aDao())
    .put('dataset', aDataset({ contributionCount: 2 }));
  chain.put('job', aJob());
  dealt = dealManifest(wallet.address);
  other = dealManifest(wallet.address, { salt: idOf('another') });
  await start();
  for (const made of [dealt, other]) {
    await deposit(made);
    register(made);
  }
});
afterEach(async () => {
  await running.close().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
});

describe('the shares of a retired contribution', () => {
  it('are destroyed, also in the files, and the holder signs that they are', async () => {
    const gone = encryptedOf(dealt);
    const kept = encryptedOf(other);
    expect([onDisk(gone), onDisk(kept)]).toEqual([true, true]);
    retire();
    clock.advance(1_000);
    const { statement, signature } = await erase();
    expect([onDisk(gone), onDisk(kept)]).toEqual([false, true]);
    expect([countOf(dealt), countOf(other)]).toEqual([0, 1]);
    const message = fromBase64(statement);
    const publicKey = running.holder.keys.signing.publicKey;
    const signed = { publicKey, message, signature: fromBase64(signature) };
    expect(await verify({ ...signed, domainTag: TAGS.erasureStatement })).toBe(true);
    expect(await verify({ ...signed, domainTag: TAGS.runnerErasure })).toBe(false);
    expect(ErasureStatementBcs.parse(message)).toMatchObject({
      chainId: 'local:test',
      contributionId: idOfMade(dealt),
      holderSetId: dealt.manifest.holderSetId,
      holderSigningKey: publicKey,
      tombstonedAtMs: TOMBSTONED_AT,
      manifestDigests: [dealt.digest],
      destroyedAtMs: clock.nowMs(),
      backupsUntilMs: 0,
    });
  });

  it('may be in backups until the last private key of one is to be destroyed, as far as that is still to come', async () => {
    const { backups } = running.holder;
    const now = clock.nowMs();
    for (const [name, after] of [
      ['gone', 1_000],
      ['first', 60_000],
      ['second', 50_000],
    ] as const)
      backups.note({ id: idOf(name), expiresAtMs: asTimestampMs(now + after) }, now);
    retire();
    clock.advance(1_000);
    const { backupsUntilMs } = ErasureStatementBcs.parse(fromBase64((await erase()).statement));
    expect(backupsUntilMs).toBe(now + 60_000);
    clock.advance(59_000);
    expect(backups.openableUntilMs(clock.nowMs())).toBe(0);
  });

  it('are destroyed once: whoever asks again gets the same word', async () => {
    retire();
    const first = await erase();
    clock.advance(60_000);
    expect(await erase()).toEqual(first);
    await running.close();
    await start();
    expect(await erase()).toEqual(first);
  });

  it('are all destroyed, where it was dealt more than once', async () => {
    const again = dealManifest(wallet.address, { createdAtMs: asTimestampMs(TEST_NOW_MS - 7) });
    expect(idOfMade(again)).toBe(idOfMade(dealt));
    // Before anything is registered, a client that starts again deals again.
    chain.remove('contribution', idOfMade(dealt));
    expect((await deposit(again)).code).toBeUndefined();
    expect(countOf(dealt)).toBe(2);
    retire();
    const { statement } = await erase();
    const { manifestDigests } = ErasureStatementBcs.parse(fromBase64(statement));
    expect([...manifestDigests].sort()).toEqual([again.digest, dealt.digest].sort());
    expect(countOf(dealt)).toBe(0);
  });

  it('are neither released nor taken again', async () => {
    expect(await decisions()).toEqual(['RELEASED', 'RELEASED']);
    retire();
    expect(await decisions()).toEqual(['TOMBSTONED', 'RELEASED']);
    await erase();
    expect(await decisions()).toEqual(['TOMBSTONED', 'RELEASED']);
    expect((await deposit(dealt)).code).toBe('TOMBSTONED');
    // Whatever the chain says later, for example one that was restored itself.
    register(dealt);
    expect((await deposit(dealt)).code).toBe('TOMBSTONED');
    expect(countOf(dealt)).toBe(0);
  });

  it('do not leave with a release that read them before they were destroyed', async () => {
    await deposit(dealt);
    await deposit(other);
    const dataset = chain.dataset.bind(chain);
    let reads = 0;
    chain.dataset = async (id) => {
      reads += 1;
      if (reads === 2) {
        retire();
        await erase();
      }
      return dataset(id);
    };
    expect(await askForBoth()).toMatchObject({ code: 'TOMBSTONED' });
    expect(reads).toBe(2);
    expect(running.holder.log.size).toBe(0);
    expect(await decisions()).toEqual(['TOMBSTONED', 'RELEASED']);
  });

  it('are destroyed without being asked', async () => {
    retire();
    await destroyRetired(running.holder);
    expect([countOf(dealt), countOf(other)]).toEqual([0, 1]);
    expect(ErasureStatementBcs.parse(fromBase64((await erase()).statement)).manifestDigests).toEqual([dealt.digest]);
  });

  it('are destroyed again by a holder that was restored from an old backup', async () => {
    const gone = encryptedOf(dealt);
    await running.close();
    cpSync(data(), join(folder, 'backup'), { recursive: true });
    await start();
    retire();
    const first = ErasureStatementBcs.parse(fromBase64((await erase()).statement));
    await running.close();
    rmSync(data(), { recursive: true });
    cpSync(join(folder, 'backup'), data(), { recursive: true });
    expect(onDisk(gone)).toBe(true);
    // It cannot read the chain at first: it keeps the share, and releases nothing.
    chain.isDown = true;
    await start();
    await destroyRetired(running.holder);
    expect(countOf(dealt)).toBe(1);
    chain.isDown = false;
    expect(await decisions()).toEqual(['TOMBSTONED', 'RELEASED']);
    await destroyRetired(running.holder);
    expect([countOf(dealt), onDisk(gone)]).toEqual([0, false]);
    clock.advance(1);
    const second = ErasureStatementBcs.parse(fromBase64((await erase()).statement));
    expect(second.manifestDigests).toEqual(first.manifestDigests);
  });

  it('are looked for in the files also after a kill between the two', async () => {
    const gone = encryptedOf(dealt);
    retire();
    const { erasures, scrubber } = running.holder;
    const left = erasures.sharesLeft(idOfMade(dealt));
    const statement = ErasureStatementBcs.serialize({
      chainId: 'local:test',
      packageId: idOf('package'),
      contributionId: idOfMade(dealt),
      datasetId: dealt.manifest.datasetId,
      holderSetId: dealt.manifest.holderSetId,
      holderSigningKey: running.holder.keys.signing.publicKey,
      tombstonedAtMs: TOMBSTONED_AT,
      manifestDigests: left.manifestDigests,
      destroyedAtMs: clock.nowMs(),
      backupsUntilMs: asTimestampMs(0),
    }).toBytes();
    expect(erasures.destroy(idOfMade(dealt), left, statement, new Uint8Array(64))).toBe(true);
    expect([scrubber.isDue(), onDisk(gone)]).toEqual([true, true]); // the write-ahead log still has it
    await destroyRetired(running.holder);
    expect([scrubber.isDue(), onDisk(gone)]).toEqual([false, false]);
  });

  it('are not deleted under a statement that does not name them', () => {
    const { erasures } = running.holder;
    const none = { manifestDigests: [], encrypted: [] };
    expect(erasures.destroy(idOfMade(dealt), none, new Uint8Array(1), new Uint8Array(64))).toBe(false);
    expect([countOf(dealt), erasures.find(idOfMade(dealt))]).toEqual([1, undefined]);
  });
});

it('manifests of one contribution are eight, also where two come at once', async () => {
  chain.remove('contribution', idOfMade(dealt));
  const made = Array.from({ length: 9 }, (_, i) =>
    dealManifest(wallet.address, { createdAtMs: asTimestampMs(TEST_NOW_MS - i - 10) }),
  );
  for (const one of made.slice(0, 6)) await deposit(one);
  const answers = await Promise.all(made.slice(6).map(deposit));
  expect(answers.map(({ code }) => code ?? 'taken').sort()).toEqual(['RATE_LIMITED', 'RATE_LIMITED', 'taken']);
  expect(countOf(dealt)).toBe(8);
});

describe('a request to erase', () => {
  it.each([
    ['what is not retired', 'FORBIDDEN', () => undefined],
    ['what the chain does not know', 'NOT_FOUND', () => void chain.remove('contribution', idOfMade(dealt))],
    ['while the chain is away', 'CHAIN_UNAVAILABLE', () => void (chain.isDown = true)],
  ])('%s destroys nothing', async (_what, code, arrange) => {
    arrange();
    expect((await erase()).code).toBe(code);
    expect(countOf(dealt)).toBe(1);
    chain.isDown = false;
  });

  it('about what was never here is answered by a word that says so', async () => {
    const nowhere = dealManifest(wallet.address, { salt: idOf('nowhere') });
    register(nowhere, TOMBSTONED_AT);
    expect(ErasureStatementBcs.parse(fromBase64((await erase(nowhere)).statement)).manifestDigests).toEqual([]);
  });

  it('is answered so often a minute, and malformed ones not at all', async () => {
    retire();
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 31; i += 1) codes.push((await erase()).code);
    expect(codes.filter((code) => code === 'RATE_LIMITED')).toHaveLength(1);
    expect((await call('/v1/erasures', { contributionId: 'all' })).code).toBe('INVALID_ARGUMENT');
  });

  it('by the owner of another contribution leaves this one alone', async () => {
    register(other, TOMBSTONED_AT);
    await erase(other);
    expect([countOf(dealt), countOf(other)]).toEqual([1, 0]);
    expect(() => destroyShares(running.holder, aContribution({ id: idOfMade(dealt) }))).toThrow();
  });
});

describe('looking for bytes in a file', () => {
  it('finds them across the pieces that it is read in', async () => {
    const path = join(folder, 'file');
    const bytes = Buffer.alloc(3 * 65_536, 1);
    const needle = Buffer.from('somewhere in the file');
    needle.copy(bytes, 65_536 - 5);
    writeFileSync(path, bytes);
    expect(existsSync(path)).toBe(true);
    expect(await fileHas(path, [Buffer.from('elsewhere'), needle])).toBe(true);
    expect(await fileHas(path, [Buffer.from('elsewhere')])).toBe(false);
  });
});
