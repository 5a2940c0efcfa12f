import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach } from '@jest/globals';
import { AppraisalDesk, rootSetWithDevRoot, type RootSet } from '@usufruct/attestation';
import { open, seal, type Share } from '@usufruct/crypto';
import {
  fromBase64,
  fromHex,
  toBase64,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type HolderSetId,
  type JobId,
  type Logger,
} from '@usufruct/kernel';
import {
  contributionListDigest,
  evidenceDigest,
  releaseLeaves,
  sealedSharesAad,
  ShareBcs,
  shareReleaseInfo,
  shareSealInfo,
  type EvidenceBundle,
  type ReleaseAnswer,
} from '@usufruct/protocol';
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
  TEST_MEASUREMENT,
  testChainInfo,
  testRunner,
  testWallet,
  type DealtManifest,
  type TestRunner,
} from '@usufruct/testing';
import { deriveHolderKeys } from '../identity.js';
import { startKeyHolder, type RunningHolder } from '../start.js';

/**
 * Three holders of one set over a fake chain, each a server of its own on a free port, and what a contributor and a
 * runner ask of them. They are started anew before every test of the file that calls `useHolders`.
 */

export const JOB = idOf<JobId>('job');
export const DAO = idOf<DaoId>('dao');
export const DATASET = idOf<DatasetId>('dataset');
export const SET = idOf<HolderSetId>('holder-set');
export const secretOf = (n: number): Uint8Array => fromHex(idOf(`holder-${n}`));
export const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
export const wallet = testWallet('contributor');

export let runner: TestRunner;
export let stranger: TestRunner;
export let chain: FakeChain;
export let clock: ManualClock;
export let folder: string;
export let holders: RunningHolder[];
let open_: RunningHolder[] = [];
export let dealt: DealtManifest;

export const start = async (n: number, roots: RootSet = rootSetWithDevRoot(runner.rootPem)): Promise<RunningHolder> => {
  const running = await startKeyHolder({
    host: '127.0.0.1',
    port: 0,
    dataDir: join(folder, `holder-${n}`),
    holderSecret: secretOf(n),
    allowedOrigins: ['http://portal.local'],
    anchorIntervalMs: 60_000,
    standIns: ['local chain'],
    chain,
    desk: new AppraisalDesk({ roots }),
    clock,
    random: seededRandom(`holder-${n}-${Math.random()}`),
    logger: silent,
  });
  open_.push(running);
  return running;
};

interface Reply<T> {
  readonly status: number;
  readonly body: T & { readonly code?: string; readonly details?: Record<string, string> };
}
export async function call<T = Record<string, never>>(
  { url }: RunningHolder,
  path: string,
  body?: unknown,
): Promise<Reply<T>> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(`${url}${path}`, { ...init, headers: { connection: 'close' } });
  return { status: response.status, body: (await response.json()) as Reply<T>['body'] };
}

export async function sealTo(
  { holder }: RunningHolder,
  share: Share,
  digest: Digest,
  to?: { readonly publicKey: Uint8Array },
) {
  const { publicKey } = to ?? (await holder.subkeys.current());
  const plaintext = ShareBcs.serialize(share).toBytes();
  const info = shareSealInfo(digest);
  const sealed = await seal({ recipientPublicKey: publicKey, info, aad: new Uint8Array(), plaintext });
  return { sealedTo: toBase64(publicKey), sealedShare: toBase64(sealed) };
}
export const depositOf = async (holder: RunningHolder, share: Share, made = dealt) => ({
  manifest: toBase64(made.bytes),
  signature: await signManifest(wallet, made),
  ...(await sealTo(holder, share, made.digest)),
});
export const deposit = async (n: number, made = dealt) =>
  call<{ index: number; signature: string }>(
    holders[n]!,
    '/v1/shares',
    await depositOf(holders[n]!, made.shares[n]!, made),
  );

/** The contribution as the chain has it once it is registered, accepted and granted. */
export function register(made = dealt): void {
  const { contributionId, owner } = made.manifest;
  chain.put('contribution', aContribution({ id: contributionId, owner, manifestDigest: made.digest }));
  chain.put('grant', aGrant({ contributionId, grantor: owner }));
}

export const challengeFrom = async (holder: RunningHolder, jobId: JobId = JOB): Promise<string> =>
  (await call<{ challenge: string }>(holder, '/v1/challenges', { for: 'release', jobId })).body.challenge;

/** Ask every holder with one bundle over all of their challenges, as a runner does. */
export async function releaseFrom(
  asked: readonly RunningHolder[],
  contributionIds: readonly ContributionId[] = [dealt.manifest.contributionId],
  by: TestRunner = runner,
) {
  const challenges = await Promise.all(asked.map((holder) => challengeFrom(holder)));
  const bundle = await by.evidence(challenges, JOB);
  const replies: { reply: Reply<ReleaseAnswer>; challenge: string; bundle: EvidenceBundle }[] = [];
  for (const [i, holder] of asked.entries()) {
    const challenge = challenges[i]!;
    const request = await by.asks({ jobId: JOB, challenge, bundle, contributionIds: [...contributionIds] });
    const reply = await call<ReleaseAnswer>(holder, '/v1/releases', request);
    replies.push({ reply, challenge, bundle });
  }
  return replies;
}

export async function openReleased({
  reply,
  challenge,
}: {
  reply: Reply<ReleaseAnswer>;
  challenge: string;
}): Promise<Share> {
  const info = shareReleaseInfo({
    chainId: 'local:test',
    packageId: testChainInfo().packageId,
    policyDigest: aDao().policyDigest,
    challenge: fromBase64(challenge),
    jobId: JOB,
    asked: contributionListDigest([dealt.manifest.contributionId]),
  });
  const sealed = fromBase64(reply.body.sealedShares!);
  const aad = sealedSharesAad([dealt.manifest.contributionId]);
  return ShareBcs.parse(await open({ privateKey: runner.hpke.privateKey, info, aad, sealed }));
}

/** The leaves that the answer says are in the log, by its entries, made as the runner makes them. */
export function leavesOf(
  { entries, decidedAtMs }: ReleaseAnswer,
  bundle: EvidenceBundle,
  ids: readonly ContributionId[],
) {
  const { datasetId, purpose, kind, protection } = aJob();
  const common = {
    jobId: JOB,
    datasetId,
    purpose,
    kind,
    protection,
    measurement: TEST_MEASUREMENT,
    runnerSigningKey: fromBase64(bundle.signingPublicKey),
    evidenceDigest: evidenceDigest(bundle),
    atMs: decidedAtMs,
  };
  return [...releaseLeaves(common, ids, entries)];
}

export function useHolders(): void {
  beforeAll(async () => {
    [runner, stranger] = await Promise.all([testRunner('ours'), testRunner('stranger')]);
  });

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'key-holder-'));
    clock = new ManualClock();
    chain = new FakeChain();
    const keys = await Promise.all([1, 2, 3].map((n) => deriveHolderKeys(secretOf(n))));
    const members = keys.map(({ operator, signing, sealing }) => ({
      operator: operator.address,
      signingPublicKey: toBase64(signing.publicKey),
      sealingPublicKey: toBase64(sealing.publicKey),
    }));
    chain.put('holder-set', aHolderSet({ members })).put('dao', aDao()).put('dataset', aDataset()).put('job', aJob());
    dealt = dealManifest(wallet.address);
    holders = await Promise.all([1, 2, 3].map((n) => start(n)));
  });

  afterEach(async () => {
    await Promise.all(open_.map((running) => running.close().catch(() => undefined)));
    open_ = [];
    rmSync(folder, { recursive: true, force: true });
  });
}
