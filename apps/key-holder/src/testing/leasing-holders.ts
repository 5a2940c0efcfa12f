import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, expect } from '@jest/globals';
import { AppraisalDesk, rootSetWithDevRoot } from '@usufruct/attestation';
import { grantSetOf } from '@usufruct/consent';
import { deal, leafHash, open, seal, sign, verifyInclusion, type Share } from '@usufruct/crypto';
import {
  asTimestampMs,
  fromBase64,
  fromHex,
  toBase64,
  type ContributionId,
  type Digest,
  type GrantId,
  type JobId,
  type Logger,
  type TimestampMs,
} from '@usufruct/kernel';
import {
  encodeLeasedKey,
  LeaseActionBcs,
  leasedKeyId,
  leasedShareInfo,
  leasedShareSealInfo,
  LogLeafBcs,
  LeaseLeafBcs,
  ShareBcs,
  TAGS,
  TreeHeadBcs,
  type JobView,
  type LeaseAnswer,
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
  testChainInfo,
  testRunner,
  type TestRunner,
} from '@usufruct/testing';
import { deriveHolderKeys } from '../identity.js';
import type { Subkey } from '../sealing/subkeys.js';
import { startKeyHolder, type RunningHolder } from '../start.js';

/**
 * Three holders over a fake chain that has a dataset of three contributions, and what runners deposit with them and
 * ask of them: leased keys and the words that let an output out. They are started anew before every test of the file
 * that calls `useLeasingHolders`.
 */

export const MINUTE = 60_000;
const OTHER_CODE = 'cd'.repeat(48);
const SECRETS = ['holder a', 'holder b', 'holder c'].map((name) => fromHex(idOf(name)));
export const RAG = aJob();
export const LATER = aJob({ id: idOf<JobId>('a later session') });
export const TRAIN = aJob({ id: idOf<JobId>('training'), kind: 'train' });
const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

export let runner: TestRunner;
export let other: TestRunner;
export let stranger: TestRunner;
export let chain: FakeChain;
export let clock: ManualClock;
let folder: string;
export let holders: RunningHolder[];

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
export const restart = async (n: number): Promise<void> => {
  await holders[n]!.close();
  holders[n] = await start(n);
};

type Reply<T> = T & { readonly code?: string; readonly details?: Record<string, string> };
export async function call<T>(n: number, path: string, body: unknown): Promise<Reply<T>> {
  const init = { method: 'POST', body: JSON.stringify(body), headers: { connection: 'close' } };
  return (await (await fetch(`${holders[n]!.url}${path}`, init)).json()) as Reply<T>;
}

export interface Asking {
  readonly job?: JobView;
  readonly by?: TestRunner;
  /** Instead of a fresh one. */
  readonly challenge?: string;
  /** What the runner signs instead of what it asks for. */
  readonly about?: Digest;
}
export const challengeOf = async (n: number, what: 'lease' | 'egress', jobId: JobId): Promise<string> =>
  (await call<{ challenge: string }>(n, '/v1/challenges', { for: what, jobId })).challenge;

export async function proof(n: number, action: 'deposit' | 'lease' | 'egress', about: Digest, asking: Asking) {
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

export interface Made {
  readonly bytes: Uint8Array;
  readonly keyId: Digest;
  readonly key: LeasedKey;
  readonly shares: readonly Share[];
  readonly secret: Uint8Array;
}
export const currentVersion = async (use: JobView): Promise<Digest> => {
  const contributions = await chain.contributionsOf(use.datasetId);
  const grants = await chain.grantsOfEach(contributions.map(({ id }) => id));
  const held = contributions.map((contribution, i) => ({ contribution, grants: grants[i]! }));
  return grantSetOf({ dataset: { id: use.datasetId }, contributions: held, use, nowMs: clock.nowMs() }).version;
};
let seeds = 0;
export async function makeKey(changes: Partial<LeasedKey> = {}, job: JobView = RAG): Promise<Made> {
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
export async function depositAt(
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
export async function leaseAt(n: number, made: Made, asking: Asking = {}) {
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
export const decisionAt = async (...args: Parameters<typeof leaseAt>): Promise<string> =>
  (await leaseAt(...args)).decision;

export const idAt = (n: number) => idOf<ContributionId>(`contribution ${n}`);
export const contribution = (n: number) =>
  aContribution({ id: idAt(n), manifestDigest: idOf<Digest>(`manifest ${n}`) });
export const grant = (n: number) =>
  aGrant({
    id: idOf<GrantId>(`grant ${n}`),
    contributionId: idAt(n),
    terms: someTerms({ kinds: ['rag', 'train'], budgetMicroEpsilon: 1_000n }),
  });
export const revoke = (n: number, revokedAtMs: TimestampMs | null = clock.nowMs()): void =>
  void chain.put('grant', { ...grant(n), revokedAtMs });
/** What a holder's log has of leases and outputs of the dataset, oldest first. */
export const logged = (n: number): string[] => {
  const { log } = holders[n]!.holder;
  return log.entriesOf(RAG.datasetId, log.size).map(({ leaf }) => {
    const entry = LogLeafBcs.parse(leaf);
    return `${entry.type} ${entry.leaf.decision}`;
  });
};
export const onDisk = (n: number, bytes: Uint8Array): boolean =>
  readdirSync(join(folder, `holder-${n}`), { recursive: true, withFileTypes: true }).some(
    (file) => file.isFile() && readFileSync(join(file.parentPath, file.name)).includes(Buffer.from(bytes)),
  );

export function useLeasingHolders(): void {
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
}
