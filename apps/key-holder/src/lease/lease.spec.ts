import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppraisalDesk, rootSetWithDevRoot } from '@usufruct/attestation';
import { grantSetOf } from '@usufruct/consent';
import { combine, deal, leafHash, open, seal, sign, verify, verifyInclusion, type Share } from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  fromBase64,
  fromHex,
  refuse,
  toBase64,
  type ContributionId,
  type Digest,
  type GrantId,
  type JobId,
  type Logger,
  type TimestampMs,
} from '@usufruct/kernel';
import {
  EgressTokenBcs,
  encodeLeasedKey,
  isLetOut,
  LeaseActionBcs,
  LeasedShareReceiptBcs,
  leasedKeyId,
  leasedShareInfo,
  leasedShareSealInfo,
  LIMITS,
  LogLeafBcs,
  LeaseLeafBcs,
  ShareBcs,
  TAGS,
  TreeHeadBcs,
  egressTokenDigest,
  type EgressToken,
  logQueryDigest,
  WALLET_ACTIONS,
  walletStatementBytes,
  type JobView,
  type LeaseAnswer,
  type LogAnswer,
  type LeasedKey,
} from '@usufruct/protocol';
import {
  aContribution,
  aDao,
  aDataset,
  aGrant,
  aHolderSet,
  aJob,
  anAppraisalPolicy,
  aPolicy,
  FakeChain,
  idOf,
  ManualClock,
  seededRandom,
  someTerms,
  TEST_NOW_MS,
  testChainInfo,
  testReader,
  testRunner,
  testWallet,
  type TestRunner,
} from '@usufruct/testing';
import { deriveHolderKeys } from '../identity.js';
import { SEALING_TERMS, type Subkey } from '../sealing/subkeys.js';
import { startKeyHolder, type RunningHolder } from '../start.js';
import { destroySuperseded } from './sweep.js';

const MINUTE = 60_000;
const OTHER_CODE = 'cd'.repeat(48);
const SECRETS = ['holder a', 'holder b', 'holder c'].map((name) => fromHex(idOf(name)));
const RAG = aJob();
const LATER = aJob({ id: idOf<JobId>('a later session') });
const TRAIN = aJob({ id: idOf<JobId>('training'), kind: 'train' });
const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

let runner: TestRunner;
let other: TestRunner;
let stranger: TestRunner;
let chain: FakeChain;
let clock: ManualClock;
let folder: string;
let holders: RunningHolder[];

const start = (n: number): Promise<RunningHolder> =>
  startKeyHolder({
    host: '127.0.0.1',
    port: 0,
    dataDir: join(folder, `holder-${n}`),
    holderSecret: SECRETS[n]!,
    allowedOrigins: [],
    anchorIntervalMs: 86_400_000,
    erasureIntervalMs: 86_400_000,
    standIns: [],
    chain,
    desk: new AppraisalDesk({ roots: rootSetWithDevRoot(runner.rootPem) }),
    clock,
    random: seededRandom(`random-${Math.random()}`),
    logger: silent,
  });
/** As after a kill at this point: everything that was not durable is gone. */
const restart = async (n: number): Promise<void> => {
  await holders[n]!.close();
  holders[n] = await start(n);
};

type Reply<T> = T & { readonly code?: string; readonly details?: Record<string, string> };
async function call<T>(n: number, path: string, body: unknown): Promise<Reply<T>> {
  const init = { method: 'POST', body: JSON.stringify(body), headers: { connection: 'close' } };
  return (await (await fetch(`${holders[n]!.url}${path}`, init)).json()) as Reply<T>;
}

interface Asking {
  readonly job?: JobView;
  readonly by?: TestRunner;
  /** Instead of a fresh one. */
  readonly challenge?: string;
  /** What the runner signs instead of what it asks for. */
  readonly about?: Digest;
}
const challengeOf = async (n: number, what: 'lease' | 'egress', jobId: JobId): Promise<string> =>
  (await call<{ challenge: string }>(n, '/v1/challenges', { for: what, jobId })).challenge;

async function proof(n: number, action: 'deposit' | 'lease' | 'egress', about: Digest, asking: Asking) {
  const { job = RAG, by = runner } = asking;
  const challenge = asking.challenge ?? (await challengeOf(n, action === 'egress' ? 'egress' : 'lease', job.id));
  const message = LeaseActionBcs.serialize({
    chainId: 'local:test',
    action,
    jobId: job.id,
    challenge: fromBase64(challenge),
    about: asking.about ?? about,
  }).toBytes();
  const { secretKey } = by.signing;
  const signature = toBase64(await sign({ secretKey, domainTag: TAGS.leaseRequest, message }));
  return { challenge, bundle: await by.evidence([challenge], job.id), signature };
}

interface Made {
  readonly bytes: Uint8Array;
  readonly keyId: Digest;
  readonly key: LeasedKey;
  readonly shares: readonly Share[];
  readonly secret: Uint8Array;
}
const currentVersion = async (use: JobView): Promise<Digest> => {
  const contributions = await chain.contributionsOf(use.datasetId);
  const grants = await chain.grantsOfEach(contributions.map(({ id }) => id));
  const held = contributions.map((contribution, i) => ({ contribution, grants: grants[i]! }));
  return grantSetOf({ dataset: { id: use.datasetId }, contributions: held, use, nowMs: clock.nowMs() }).version;
};
let seeds = 0;
async function makeKey(changes: Partial<LeasedKey> = {}, job: JobView = RAG): Promise<Made> {
  const dealt = deal({ threshold: 2, holderCount: 3, random: seededRandom(`key ${seeds++}`) });
  const key: LeasedKey = {
    chainId: 'local:test',
    packageId: testChainInfo().packageId,
    daoId: job.daoId,
    datasetId: job.datasetId,
    holderSetId: aPolicy().holderSetId,
    holderSetVersion: 1,
    keyKind: job.kind === 'rag' ? 'index' : 'checkpoint',
    jobId: job.id,
    purpose: job.purpose,
    kind: job.kind,
    protection: job.protection,
    pricePerQuestionUnits: job.pricePerQuestionUnits,
    grantSetVersion: await currentVersion(job),
    expiresAtMs: job.kind === 'rag' ? asTimestampMs(clock.nowMs() + 3 * 60 * MINUTE) : job.expiresAtMs,
    commitments: dealt.commitments,
    keyCommitment: idOf<Digest>('commitment'),
    ...changes,
  };
  const bytes = encodeLeasedKey(key);
  return { bytes, keyId: leasedKeyId(bytes), key, shares: dealt.shares, secret: dealt.secret };
}
async function depositAt(
  n: number,
  made: Made,
  asking: Asking & { share?: Share; seals?: Digest; to?: Pick<Subkey, 'publicKey'> } = {},
) {
  const { publicKey: sealedTo } = asking.to ?? (await holders[n]!.holder.subkeys.current());
  const sealedShare = await seal({
    recipientPublicKey: sealedTo,
    info: leasedShareSealInfo(asking.seals ?? made.keyId),
    aad: new Uint8Array(),
    plaintext: ShareBcs.serialize(asking.share ?? made.shares[n]!).toBytes(),
  });
  return call<{ index: number; signature: string }>(n, '/v1/leases/keys', {
    key: toBase64(made.bytes),
    sealedTo: toBase64(sealedTo),
    sealedShare: toBase64(sealedShare),
    ...(await proof(n, 'deposit', made.keyId, asking)),
  });
}
/** The decision by its code, and the share where one came. */
async function leaseAt(n: number, made: Made, asking: Asking = {}) {
  const { job = LATER, by = runner } = asking;
  const sent = await proof(n, 'lease', made.keyId, { ...asking, job });
  const answer = await call<LeaseAnswer>(n, '/v1/leases', { jobId: job.id, keyId: made.keyId, ...sent });
  if (answer.code !== undefined) return { decision: answer.code, refused: true as const };
  const leaf = LeaseLeafBcs.parse(fromBase64(answer.leaf));
  const head = TreeHeadBcs.parse(fromBase64(answer.head.treeHead));
  const isIncluded = verifyInclusion({
    leafHash: leafHash(fromBase64(answer.leaf)),
    leafIndex: answer.leafIndex,
    treeSize: head.treeSize,
    proof: answer.inclusionProof.map((hash) => fromBase64(hash)),
    root: fromHex(head.rootHash),
  });
  expect(isIncluded).toBe(true);
  if (answer.sealedShare === undefined) return { decision: leaf.decision, leaf, refused: false as const };
  const info = leasedShareInfo({
    chainId: 'local:test',
    packageId: testChainInfo().packageId,
    policyDigest: (await chain.dao(job.daoId)).policyDigest,
    challenge: fromBase64(sent.challenge),
    jobId: job.id,
    keyId: made.keyId,
    leasedUntilMs: leaf.leasedUntilMs,
  });
  const sealed = fromBase64(answer.sealedShare);
  const share = ShareBcs.parse(await open({ privateKey: by.hpke.privateKey, info, aad: new Uint8Array(), sealed }));
  return { decision: leaf.decision, leaf, share, refused: false as const };
}
const decisionAt = async (...args: Parameters<typeof leaseAt>): Promise<string> => (await leaseAt(...args)).decision;

const idAt = (n: number) => idOf<ContributionId>(`contribution ${n}`);
const contribution = (n: number) => aContribution({ id: idAt(n), manifestDigest: idOf<Digest>(`manifest ${n}`) });
const grant = (n: number) =>
  aGrant({
    id: idOf<GrantId>(`grant ${n}`),
    contributionId: idAt(n),
    terms: someTerms({ kinds: ['rag', 'train'], budgetMicroEpsilon: 1_000n }),
  });
const revoke = (n: number, revokedAtMs: TimestampMs | null = clock.nowMs()): void =>
  void chain.put('grant', { ...grant(n), revokedAtMs });
/** What a holder's log has of leases and outputs of the dataset, oldest first. */
const logged = (n: number): string[] => {
  const { log } = holders[n]!.holder;
  return log.entriesOf(RAG.datasetId, log.size).map(({ leaf }) => {
    const entry = LogLeafBcs.parse(leaf);
    return `${entry.type} ${entry.leaf.decision}`;
  });
};
const onDisk = (n: number, bytes: Uint8Array): boolean =>
  readdirSync(join(folder, `holder-${n}`), { recursive: true, withFileTypes: true }).some(
    (file) => file.isFile() && readFileSync(join(file.parentPath, file.name)).includes(Buffer.from(bytes)),
  );

beforeAll(async () => {
  [runner, stranger] = await Promise.all([testRunner('ours'), testRunner('stranger')]);
  other = await testRunner('other code', OTHER_CODE, runner.pki);
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lease-'));
  clock = new ManualClock();
  chain = new FakeChain();
  const keys = await Promise.all(SECRETS.map(deriveHolderKeys));
  const members = keys.map(({ operator, signing, sealing }) => ({
    operator: operator.address,
    signingPublicKey: toBase64(signing.publicKey),
    sealingPublicKey: toBase64(sealing.publicKey),
  }));
  const policy = aPolicy({
    kinds: ['rag', 'train'],
    appraisal: {
      ...anAppraisalPolicy({ measurements: [...anAppraisalPolicy().measurements, OTHER_CODE] }),
    } as never,
  });
  chain.put('holder-set', aHolderSet({ members })).put('dao', aDao({ policy })).put('dataset', aDataset());
  for (const job of [RAG, LATER, TRAIN]) chain.put('job', job);
  for (const n of [1, 2, 3]) chain.put('contribution', contribution(n)).put('grant', grant(n));
  holders = await Promise.all([0, 1, 2].map(start));
});
afterEach(async () => {
  await Promise.all(holders.map((running) => running.close().catch(() => undefined)));
  rmSync(folder, { recursive: true, force: true });
});

describe('a leased key', () => {
  it('is given back, t of n, to a later session for the same use: for ten minutes, under an entry in the log', async () => {
    const made = await makeKey();
    for (const [n, holder] of holders.entries()) {
      const receipt = await depositAt(n, made);
      expect(receipt.index).toBe(n + 1);
      const message = LeasedShareReceiptBcs.serialize({
        keyId: made.keyId,
        holderSetId: made.key.holderSetId,
        index: n + 1,
      });
      const publicKey = holder.holder.keys.signing.publicKey;
      const signature = fromBase64(receipt.signature);
      expect(
        await verify({ publicKey, domainTag: TAGS.leasedShareReceipt, message: message.toBytes(), signature }),
      ).toBe(true);
    }
    const leases = await Promise.all([0, 2].map((n) => leaseAt(n, made)));
    const shares = leases.map((one) => ('share' in one ? one.share! : null)!);
    expect(combine(shares, made.key.commitments)).toEqual(made.secret);
    expect(leases[0]).toMatchObject({
      leaf: {
        jobId: LATER.id,
        keyId: made.keyId,
        keyKind: 'index',
        grantSetVersion: made.key.grantSetVersion,
        leasedUntilMs: TEST_NOW_MS + 10 * MINUTE,
      },
    });
    expect(logged(0)).toEqual(['lease STORED', 'lease LEASED']);
    expect(logged(1)).toEqual(['lease STORED']);
  });

  it('ends no later than the job, the key, and the first grant that it rests on', async () => {
    const ends = async (made: Made): Promise<number> => {
      const one = await leaseAt(0, made);
      return 'leaf' in one ? one.leaf!.leasedUntilMs - TEST_NOW_MS : 0;
    };
    const short = await makeKey({ expiresAtMs: asTimestampMs(TEST_NOW_MS + 4_000) });
    await depositAt(0, short);
    expect(await ends(short)).toBe(4_000);
    chain.put('job', { ...LATER, expiresAtMs: asTimestampMs(TEST_NOW_MS + 3_000) });
    expect(await ends(short)).toBe(3_000);
    chain.put('grant', { ...grant(2), terms: { ...grant(2).terms, expiresAtMs: asTimestampMs(TEST_NOW_MS + 2_000) } });
    // Grants never change on the chain: this is another world, with other versions only in their ends.
    const third = await makeKey();
    await depositAt(0, third);
    expect(await ends(third)).toBe(2_000);
  });

  it('is not in clear on the disk', async () => {
    const made = await makeKey();
    await depositAt(0, made);
    expect(onDisk(0, made.bytes)).toBe(true); // the search does find what is there
    expect(onDisk(0, made.shares[0]!.value)).toBe(false);
  });

  it('survives a restart between every two statements, and twice is once', async () => {
    const made = await makeKey();
    const first = await depositAt(0, made);
    await restart(0);
    expect(await depositAt(0, made)).toEqual(first);
    expect(logged(0)).toEqual(['lease STORED']);
    await restart(0);
    expect(await decisionAt(0, made)).toBe('LEASED');
    await restart(0);
    expect(await decisionAt(0, made)).toBe('LEASED');
    revoke(2);
    await restart(0);
    expect(await decisionAt(0, made)).toBe('KEY_SUPERSEDED');
    await restart(0);
    // Its share is gone: whatever the chain shows later.
    revoke(2, null);
    expect(holders[0]!.holder.leasedKeys.find(made.keyId)?.encrypted).toBeNull();
    expect(await decisionAt(0, made)).toBe('CHAIN_UNAVAILABLE');
  });
});

describe('after a change of the grants', () => {
  const CHANGES: [string, () => void][] = [
    ['one is revoked', () => revoke(2)],
    ['one expires', () => clock.advance(25 * 60 * MINUTE)],
    [
      'a contribution is retired',
      () => void chain.put('contribution', { ...contribution(2), tombstonedAtMs: clock.nowMs() }),
    ],
    ['another is accepted', () => void chain.put('contribution', contribution(4)).put('grant', grant(4))],
  ];
  it.each(CHANGES)('the key is not leased, and its share destroyed: %s', async (_what, change) => {
    const lasting = asTimestampMs(TEST_NOW_MS + 26 * 60 * MINUTE);
    for (const job of [RAG, LATER])
      chain.put('job', { ...job, expiresAtMs: asTimestampMs(TEST_NOW_MS + 48 * 60 * MINUTE) });
    for (const n of [1, 3]) {
      const terms = { ...grant(n).terms, expiresAtMs: asTimestampMs(TEST_NOW_MS + 72 * 60 * MINUTE) };
      chain.put('grant', { ...grant(n), terms });
    }
    const made = await makeKey({ expiresAtMs: lasting });
    await depositAt(0, made);
    const { encrypted } = holders[0]!.holder.leasedKeys.find(made.keyId)!;
    expect(await decisionAt(0, made)).toBe('LEASED');
    expect(onDisk(0, encrypted!)).toBe(true);
    change();
    expect(await leaseAt(0, made)).toMatchObject({ decision: 'KEY_SUPERSEDED', leaf: { leasedUntilMs: 0 } });
    expect(onDisk(0, encrypted!)).toBe(false);
    expect(logged(0)).toEqual(['lease STORED', 'lease LEASED', 'lease KEY_SUPERSEDED']);
    expect((await depositAt(0, made)).code).toBe('KEY_SUPERSEDED');
    // What is made for the grants as they are now is another key.
    const next = await makeKey({ expiresAtMs: lasting });
    expect((await depositAt(0, next)).index).toBe(1);
    expect(await decisionAt(0, next)).toBe('LEASED');
  });

  it('nothing is leased by who asks at the next holder, where the first one still gave its share', async () => {
    const made = await makeKey();
    for (const n of [0, 1, 2]) await depositAt(n, made);
    expect(await decisionAt(0, made)).toBe('LEASED');
    revoke(1);
    expect([await decisionAt(1, made), await decisionAt(2, made)]).toEqual(['KEY_SUPERSEDED', 'KEY_SUPERSEDED']);
  });

  it('an older view of the chain decides nothing, and neither does a clock that was set back', async () => {
    const made = await makeKey();
    await depositAt(0, made);
    // It sees the revocation while it leases for another price, and its node lags afterwards.
    revoke(2);
    const fresh = await makeKey();
    await depositAt(0, fresh);
    revoke(2, null);
    expect(await decisionAt(0, made)).toBe('CHAIN_UNAVAILABLE');
    expect((await depositAt(0, await makeKey())).code).toBe('CHAIN_UNAVAILABLE');
    revoke(2);
    expect(await decisionAt(0, fresh)).toBe('LEASED');
    chain.put('grant', { ...grant(3), terms: { ...grant(3).terms, expiresAtMs: asTimestampMs(TEST_NOW_MS + MINUTE) } });
    clock.advance(2 * MINUTE);
    await depositAt(0, await makeKey());
    clock.advance(-2 * MINUTE);
    expect(await decisionAt(0, fresh)).toBe('CHAIN_UNAVAILABLE');
  });

  it('shares are destroyed without being asked, and only those', async () => {
    const [gone, kept] = [
      await makeKey(),
      await makeKey(
        {
          kind: 'train',
          keyKind: 'checkpoint',
          jobId: TRAIN.id,
          grantSetVersion: await currentVersion(TRAIN),
          expiresAtMs: TRAIN.expiresAtMs,
        },
        RAG,
      ),
    ];
    await depositAt(0, gone);
    expect((await depositAt(0, kept, { job: TRAIN })).index).toBe(1);
    const { leasedKeys } = holders[0]!.holder;
    const { encrypted } = leasedKeys.find(gone.keyId)!;
    // A grant for questions alone ends: training rests on others.
    const extra = aGrant({ id: idOf<GrantId>('questions only'), contributionId: idAt(1), revokedAtMs: TEST_NOW_MS });
    chain.put('grant', extra);
    chain.isDown = true;
    await destroySuperseded(holders[0]!.holder);
    expect(leasedKeys.living()).toHaveLength(2);
    chain.isDown = false;
    await destroySuperseded(holders[0]!.holder);
    expect(leasedKeys.living().map(({ keyId }) => keyId)).toEqual([kept.keyId]);
    expect(onDisk(0, encrypted!)).toBe(false);
    chain.put('job', { ...TRAIN, state: 'succeeded' });
    await destroySuperseded(holders[0]!.holder);
    expect(leasedKeys.living()).toEqual([]);
  });

  it('a kill between deleting and looking through the files is made up for', async () => {
    const made = await makeKey();
    await depositAt(0, made);
    const { leasedKeys } = holders[0]!.holder;
    const { encrypted } = leasedKeys.find(made.keyId)!;
    leasedKeys.destroy([made.keyId]);
    const { scrubber } = holders[0]!.holder;
    expect([scrubber.isDue(), onDisk(0, encrypted!)]).toEqual([true, true]); // the write-ahead log has it
    await destroySuperseded(holders[0]!.holder);
    expect([scrubber.isDue(), onDisk(0, encrypted!)]).toEqual([false, false]);
  });
});

describe('the log', () => {
  /** What the owner of a contribution is told by holder 0. */
  const told = async (changes: Parameters<typeof aContribution>[0] = {}) => {
    const wallet = testWallet('owner');
    const contributionId = idAt(7);
    chain.put('contribution', aContribution({ id: contributionId, owner: wallet.address, ...changes }));
    const reader = testReader();
    const issuedAtMs = clock.nowMs();
    const digest = logQueryDigest({ contributionId, readerPublicKey: reader.publicKey, issuedAtMs });
    const statement = walletStatementBytes({ action: WALLET_ACTIONS.logQuery, chainId: 'local:test', digest });
    const answer = await call<LogAnswer>(0, '/v1/log/query', {
      contributionId,
      issuedAtMs,
      signature: await wallet.signPersonalMessage(statement),
      reader: await reader.forHolder(digest, holders[0]!.holder.keys.signing.publicKey),
    });
    return answer.entries.map(({ leaf }) => LogLeafBcs.parse(fromBase64(leaf)).leaf.decision);
  };

  it('knows to whom an index was leased, so that this holder can vouch for its uses in that job', async () => {
    const made = await makeKey();
    await depositAt(0, made);
    const { log } = holders[0]!.holder;
    const isLeased = (job: JobView, by: TestRunner): boolean =>
      log.hasLeasedIndex(RAG.datasetId, job.id, by.signing.publicKey);
    expect(isLeased(RAG, runner)).toBe(false); // it made the key, from keys that were released to it
    expect(isLeased(LATER, runner)).toBe(false);
    await decisionAt(0, made);
    expect([isLeased(LATER, runner), isLeased(LATER, other), isLeased(RAG, runner)]).toEqual([true, false, false]);
    revoke(2);
    await decisionAt(0, made, { by: other });
    const checkpoint = await makeKey({}, TRAIN);
    await depositAt(0, checkpoint, { job: TRAIN });
    expect(await decisionAt(0, checkpoint, { job: TRAIN })).toBe('LEASED');
    expect([isLeased(LATER, other), isLeased(TRAIN, runner)]).toEqual([false, false]);
  });

  it('tells the contributors of the dataset of its leased keys, and nobody else', async () => {
    const made = await makeKey();
    await depositAt(0, made);
    await decisionAt(0, made);
    revoke(2);
    await decisionAt(0, made);
    expect(await told()).toEqual(['STORED', 'LEASED', 'KEY_SUPERSEDED']);
    expect(await told({ datasetId: idOf('another dataset') })).toEqual([]);
  });
});

describe('a lease is refused', () => {
  const rows: [string, string, (made: Made) => Promise<string>][] = [
    [
      'to another purpose',
      'SCOPE_MISMATCH',
      async (made) => {
        chain.put('job', { ...LATER, purpose: 'DUO:0000042' });
        return decisionAt(0, made, { job: { ...LATER, purpose: 'DUO:0000042' } });
      },
    ],
    ['to training with the key of an index', 'SCOPE_MISMATCH', (made) => decisionAt(0, made, { job: TRAIN })],
    [
      'to a job of another dataset',
      'DATASET_MISMATCH',
      async (made) => {
        const job = aJob({ id: idOf<JobId>('elsewhere'), datasetId: idOf('another dataset') });
        chain.put('job', job).put('dataset', aDataset({ id: job.datasetId }));
        return decisionAt(0, made, { job });
      },
    ],
    [
      'to a job that is settled',
      'JOB_STATE',
      async (made) => {
        chain.put('job', { ...LATER, state: 'succeeded' });
        return decisionAt(0, made);
      },
    ],
    [
      'to a job that has expired',
      'JOB_EXPIRED',
      async (made) => {
        chain.put('job', { ...LATER, expiresAtMs: clock.nowMs() });
        return decisionAt(0, made);
      },
    ],
    [
      'of a paused DAO',
      'DAO_PAUSED',
      async (made) => {
        chain.put('dao', { ...(await chain.dao(RAG.daoId)), paused: true });
        return decisionAt(0, made);
      },
    ],
    [
      'of a retired dataset',
      'TOMBSTONED',
      async (made) => {
        chain.put('dataset', aDataset({ tombstonedAtMs: clock.nowMs() }));
        return decisionAt(0, made);
      },
    ],
    [
      'after the term of the key',
      'KEY_SUPERSEDED',
      async (made) => {
        chain.put('job', { ...LATER, expiresAtMs: asTimestampMs(TEST_NOW_MS + 300 * MINUTE) });
        clock.advance(180 * MINUTE);
        return decisionAt(0, made);
      },
    ],
    [
      'once the key holders are others',
      'KEY_SUPERSEDED',
      async (made) => {
        chain.put('holder-set', { ...(await chain.holderSet(made.key.holderSetId)), version: 2 });
        return decisionAt(0, made);
      },
    ],
    ['of a key that nobody deposited', 'NOT_FOUND', async () => decisionAt(0, await makeKey())],
    [
      'to code that the DAO has withdrawn',
      'ATTESTATION_REFUSED',
      async (made) => {
        expect(await decisionAt(0, made, { by: other })).toBe('LEASED');
        const dao = await chain.dao(RAG.daoId);
        chain.put('dao', { ...dao, policy: { ...dao.policy, appraisal: anAppraisalPolicy() as never } });
        return decisionAt(0, made, { by: other });
      },
    ],
    ['to evidence under other roots', 'ATTESTATION_REFUSED', (made) => decisionAt(0, made, { by: stranger })],
    [
      'for a challenge that was used',
      'CHALLENGE_USED',
      async (made) => {
        const challenge = await challengeOf(0, 'lease', LATER.id);
        expect(await decisionAt(0, made, { challenge })).toBe('LEASED');
        return decisionAt(0, made, { challenge });
      },
    ],
    [
      "for another holder's challenge",
      'CHALLENGE_UNKNOWN',
      async (made) => decisionAt(0, made, { challenge: await challengeOf(1, 'lease', LATER.id) }),
    ],
    [
      'for a challenge of another job',
      'CHALLENGE_UNKNOWN',
      async (made) => decisionAt(0, made, { challenge: await challengeOf(0, 'lease', RAG.id) }),
    ],
    [
      'for a challenge of another use',
      'CHALLENGE_UNKNOWN',
      async (made) => decisionAt(0, made, { challenge: await challengeOf(0, 'egress', LATER.id) }),
    ],
    [
      'for a challenge that is too old',
      'CHALLENGE_EXPIRED',
      async (made) => {
        const challenge = await challengeOf(0, 'lease', LATER.id);
        clock.advance(LIMITS.challengeTermMs + 1);
        return decisionAt(0, made, { challenge });
      },
    ],
    [
      'to who did not sign for this key',
      'SIGNATURE_INVALID',
      (made) => decisionAt(0, made, { about: idOf<Digest>('x') }),
    ],
    [
      'while the chain is away',
      'CHAIN_UNAVAILABLE',
      async (made) => {
        const challenge = await challengeOf(0, 'lease', LATER.id);
        const sent = await proof(0, 'lease', made.keyId, { job: LATER, challenge });
        chain.isDown = true;
        const { code } = await call(0, '/v1/leases', { jobId: LATER.id, keyId: made.keyId, ...sent });
        chain.isDown = false;
        return code ?? 'none';
      },
    ],
  ];
  it.each(rows)('%s', async (_what, code, ask) => {
    const made = await makeKey();
    await depositAt(0, made);
    const before = logged(0).length;
    expect(await ask(made)).toBe(code);
    // Who is known is written down.
    const isAnonymous = /^(CHALLENGE|ATTESTATION|SIGNATURE|NOT_FOUND|CHAIN)/.test(code);
    expect(logged(0).slice(before).at(-1)).toBe(isAnonymous ? logged(0).slice(before).at(-1) : `lease ${code}`);
    expect(logged(0).filter((entry) => entry.endsWith(code))).toHaveLength(isAnonymous ? 0 : 1);
  });

  it('of a checkpoint to another job', async () => {
    const made = await makeKey({}, TRAIN);
    await depositAt(0, made, { job: TRAIN });
    expect(await decisionAt(0, made, { job: TRAIN })).toBe('LEASED');
    const another = aJob({ id: idOf<JobId>('more training'), kind: 'train' });
    chain.put('job', another);
    expect(await decisionAt(0, made, { job: another })).toBe('SCOPE_MISMATCH');
  });

  it('to a job whose price is under the floor of a grant that the key rests on, and the key stays', async () => {
    const made = await makeKey();
    await depositAt(0, made);
    const cheap = aJob({ id: idOf<JobId>('cheap'), pricePerQuestionUnits: asAmount(1n) });
    chain.put('job', cheap);
    expect(await decisionAt(0, made, { job: cheap })).toBe('KEY_SUPERSEDED');
    expect(await decisionAt(0, made)).toBe('LEASED');
  });
});

describe('a deposit is refused', () => {
  const rows: [string, string, () => Promise<{ code?: string }>][] = [
    [
      'of the version of before a revocation',
      'KEY_SUPERSEDED',
      async () => {
        const made = await makeKey();
        revoke(1);
        return depositAt(0, made);
      },
    ],
    [
      "with another use's version",
      'KEY_SUPERSEDED',
      async () => depositAt(0, await makeKey({ grantSetVersion: await currentVersion(TRAIN) })),
    ],
    [
      "under another dataset's name",
      'INVALID_ARGUMENT',
      async () => depositAt(0, await makeKey({ datasetId: idOf('another') })),
    ],
    ['for another chain', 'INVALID_ARGUMENT', async () => depositAt(0, await makeKey({ chainId: 'local:other' }))],
    [
      'for another price',
      'INVALID_ARGUMENT',
      async () => depositAt(0, await makeKey({ pricePerQuestionUnits: asAmount(9n) })),
    ],
    [
      'for longer than an index lasts',
      'INVALID_ARGUMENT',
      async () => depositAt(0, await makeKey({ expiresAtMs: asTimestampMs(TEST_NOW_MS + 2 * LIMITS.indexKeyTermMs) })),
    ],
    [
      'of a checkpoint in a session of questions',
      'SCOPE_MISMATCH',
      async () => depositAt(0, await makeKey({ keyKind: 'checkpoint' })),
    ],
    [
      'of another version of the holder set',
      'KEY_SUPERSEDED',
      async () => depositAt(0, await makeKey({ holderSetVersion: 2 })),
    ],
    [
      'of a share that is not on the polynomial',
      'SHARE_INVALID',
      async () => depositAt(0, await makeKey(), { share: { index: 1, value: (await makeKey()).shares[0]!.value } }),
    ],
    [
      "of another holder's share",
      'SHARE_INVALID',
      async () => {
        const made = await makeKey();
        return depositAt(0, made, { share: made.shares[1]! });
      },
    ],
    [
      'of a share that was sealed for another key',
      'SHARE_INVALID',
      async () => depositAt(0, await makeKey(), { seals: idOf<Digest>('other') }),
    ],
    [
      'with commitments that are no points',
      'SHARE_INVALID',
      async () => {
        const commitments = [new Uint8Array(32).fill(255), new Uint8Array(32).fill(255)];
        return depositAt(0, await makeKey({ commitments }));
      },
    ],
    [
      'with a commitment too few',
      'SHARE_INVALID',
      async () => {
        const { commitments } = (await makeKey()).key;
        return depositAt(0, await makeKey({ commitments: commitments.slice(1) }));
      },
    ],
    [
      'where nothing may be used',
      'NO_USABLE_DATA',
      async () => {
        for (const n of [1, 2, 3]) revoke(n);
        return depositAt(0, await makeKey());
      },
    ],
    [
      'in a job that is over',
      'JOB_STATE',
      async () => {
        chain.put('job', { ...RAG, state: 'cancelled' });
        return depositAt(0, await makeKey());
      },
    ],
    [
      'sealed to the key on the chain',
      'SEALING_KEY_RETIRED',
      async () => depositAt(0, await makeKey(), { to: holders[0]!.holder.keys.sealing }),
    ],
    [
      'sealed to a key whose grace is over',
      'SEALING_KEY_RETIRED',
      async () => {
        const { subkeys, keyring } = holders[0]!.holder;
        const to = await subkeys.current();
        await keyring.sealing.rotate();
        clock.advance(SEALING_TERMS.graceMs);
        return depositAt(0, await makeKey(), { to });
      },
    ],
    [
      'of bytes that are no key',
      'INVALID_ARGUMENT',
      async () => depositAt(0, { ...(await makeKey()), bytes: new Uint8Array(9) }),
    ],
    [
      'by who did not sign for it',
      'SIGNATURE_INVALID',
      async () => depositAt(0, await makeKey(), { about: idOf<Digest>('x') }),
    ],
    ['by other roots', 'ATTESTATION_REFUSED', async () => depositAt(0, await makeKey(), { by: stranger })],
  ];
  it.each(rows)('%s', async (_what, code, deposit) => {
    expect((await deposit()).code).toBe(code);
    expect(holders[0]!.holder.leasedKeys.living()).toEqual([]);
    const isKnown = !/^(SIGNATURE|ATTESTATION)/.test(code) && _what !== 'of bytes that are no key';
    expect(logged(0)).toEqual(isKnown ? [`lease ${code}`] : []);
  });

  it('beyond so many of one job', async () => {
    for (let i = 0; i < LIMITS.leasedKeysPerJob; i++) expect((await depositAt(0, await makeKey())).index).toBe(1);
    expect((await depositAt(0, await makeKey())).code).toBe('RATE_LIMITED');
  });

  it('beyond so many of one job, also where two come at once', async () => {
    for (let i = 1; i < LIMITS.leasedKeysPerJob; i++) expect((await depositAt(0, await makeKey())).index).toBe(1);
    const both = [await makeKey(), await makeKey()];
    const answers = await Promise.all(both.map((made) => depositAt(0, made)));
    expect(answers.map(({ code }) => code ?? 'taken').sort()).toEqual(['RATE_LIMITED', 'taken']);
  });

  it('twice, where the same comes twice at once', async () => {
    const made = await makeKey();
    const answers = await Promise.all([depositAt(0, made), depositAt(0, made)]);
    expect(answers[0]).toEqual(answers[1]);
    expect(logged(0)).toEqual(['lease STORED']);
  });
});

describe('an output', () => {
  const tokenOf = (outputDigest = idOf<Digest>('model'), changes: Partial<EgressToken> = {}): EgressToken => ({
    chainId: 'local:test',
    packageId: testChainInfo().packageId,
    daoId: TRAIN.daoId,
    holderSetId: aPolicy().holderSetId,
    jobId: TRAIN.id,
    outputKind: 'model',
    outputDigest,
    ...changes,
  });
  const letOut = async (n: number, token = tokenOf(), asking: Asking = {}) => {
    const { jobId, outputKind, outputDigest } = token;
    const job = asking.job ?? TRAIN;
    const sent = await proof(n, 'egress', egressTokenDigest(token), { ...asking, job });
    return call<{ signature: string }>(n, '/v1/egress-tokens', { jobId, outputKind, outputDigest, ...sent });
  };

  it('is let out by the signatures of enough holders over the same bytes, once', async () => {
    const set = await chain.holderSet(aPolicy().holderSetId);
    const answers = await Promise.all([0, 1, 2].map((n) => letOut(n)));
    const signatures = answers.map(({ signature }, member) => ({ member, signature }));
    expect(await isLetOut(tokenOf(), signatures, set, verify)).toBe(true);
    expect(await isLetOut(tokenOf(idOf<Digest>('another')), signatures, set, verify)).toBe(false);
    expect(await isLetOut(tokenOf(), signatures.slice(1), set, verify)).toBe(false);
    expect(EgressTokenBcs.serialize(tokenOf()).toBytes().length).toBeLessThan(512);
  });

  it('is let out again as it was, also after a restart, and another one never', async () => {
    const first = await letOut(0);
    await restart(0);
    expect(await letOut(0)).toEqual(first);
    expect((await letOut(0, tokenOf(idOf<Digest>('another')))).code).toBe('EGRESS_SPENT');
    await restart(0);
    expect((await letOut(0, tokenOf(idOf<Digest>('another')), { by: other })).code).toBe('EGRESS_SPENT');
    expect(await letOut(0, undefined, { by: other })).toEqual(first);
    expect(logged(0)).toEqual(['egress GRANTED', 'egress EGRESS_SPENT', 'egress EGRESS_SPENT']);
  });

  it('of two that are asked for at once, one is let out', async () => {
    const both = await Promise.all([
      letOut(0, tokenOf(idOf<Digest>('a'))),
      letOut(0, tokenOf(idOf<Digest>('b')), { by: other }),
    ]);
    expect(both.map(({ code }) => code).filter((code) => code === 'EGRESS_SPENT')).toHaveLength(1);
  });

  describe('where the DAO decides what becomes of data that is withdrawn', () => {
    const decides = async (onRevocation: 'finish' | 'cancel'): Promise<void> => {
      const dao = await chain.dao(TRAIN.daoId);
      chain.put('dao', { ...dao, policy: { ...dao.policy, onRevocation } });
    };
    const checkpointAt = async (n: number): Promise<Made> => {
      const made = await makeKey({}, TRAIN);
      await depositAt(n, made, { job: TRAIN });
      expect(await decisionAt(n, made, { job: TRAIN })).toBe('LEASED');
      return made;
    };
    const ENDS: [string, () => void][] = [
      ['revoked', () => revoke(2)],
      ['retired', () => void chain.put('contribution', { ...contribution(2), tombstonedAtMs: clock.nowMs() })],
      [
        'expired',
        () =>
          void chain.put('grant', {
            ...grant(2),
            terms: { ...grant(2).terms, expiresAtMs: clock.nowMs() as TimestampMs },
          }),
      ],
    ];
    it.each(ENDS)('stays inside under cancel, also after a restart, and leaves under finish: %s', async (_how, end) => {
      await decides('cancel');
      await checkpointAt(0);
      end();
      const refused = await letOut(0);
      expect([refused.code, refused.details?.['contributionId']]).toEqual(['DATA_WITHDRAWN', idAt(2)]);
      await restart(0);
      expect((await letOut(0)).code).toBe('DATA_WITHDRAWN');
      expect(logged(0).slice(-2)).toEqual(['egress DATA_WITHDRAWN', 'egress DATA_WITHDRAWN']);
      expect(holders[0]!.holder.egress.find(TRAIN.id)).toBeUndefined();
      await decides('finish');
      expect((await letOut(0)).signature).toBeDefined();
    });

    it('leaves where all that was given is still allowed, whatever was added or withdrawn besides', async () => {
      await decides('cancel');
      chain.put('contribution', contribution(4)).put('grant', { ...grant(4), revokedAtMs: clock.nowMs() });
      await checkpointAt(0);
      chain.put('contribution', contribution(5)).put('grant', grant(5));
      expect((await letOut(0)).signature).toBeDefined();
      // What has left is not taken back.
      revoke(2);
      expect((await letOut(0)).signature).toBeDefined();
    });

    it('stays inside while this holder cannot tell', async () => {
      await decides('cancel');
      await checkpointAt(0);
      chain.grantsOfEach = async () => Promise.reject(refuse('CHAIN_UNAVAILABLE'));
      expect((await letOut(0)).code).toBe('CHAIN_UNAVAILABLE');
      expect(holders[0]!.holder.egress.find(TRAIN.id)).toBeUndefined();
    });

    it('says nothing of a holder that gave nothing for the job', async () => {
      await decides('cancel');
      await checkpointAt(0);
      revoke(2);
      expect((await letOut(1)).signature).toBeDefined();
    });
  });

  it.each<[string, string, () => Promise<{ code?: string }>]>([
    [
      'of a session of questions',
      'SCOPE_MISMATCH',
      () => letOut(0, tokenOf(undefined, { jobId: RAG.id }), { job: RAG }),
    ],
    ['of another kind', 'SCOPE_MISMATCH', () => letOut(0, tokenOf(undefined, { outputKind: 'statistics' }))],
    [
      'of a job that is over',
      'JOB_STATE',
      () => {
        chain.put('job', { ...TRAIN, state: 'cancelled' });
        return letOut(0);
      },
    ],
    [
      'of a job that has expired',
      'JOB_EXPIRED',
      () => {
        clock.advance(TRAIN.expiresAtMs - TEST_NOW_MS);
        return letOut(0);
      },
    ],
    [
      'with a challenge for a lease',
      'CHALLENGE_UNKNOWN',
      async () => letOut(0, tokenOf(), { challenge: await challengeOf(0, 'lease', TRAIN.id) }),
    ],
    [
      'that the attested key did not ask for',
      'SIGNATURE_INVALID',
      () => letOut(0, tokenOf(), { about: idOf<Digest>('x') }),
    ],
    ['of a stranger', 'ATTESTATION_REFUSED', () => letOut(0, tokenOf(), { by: stranger })],
  ])('is not let out: %s', async (_what, code, ask) => {
    expect((await ask()).code).toBe(code);
    const isKnown = /^(SCOPE|JOB)/.test(code);
    expect(logged(0)).toEqual(isKnown ? [`egress ${code}`] : []);
    expect(holders[0]!.holder.egress.find(TRAIN.id)).toBeUndefined();
  });
});
