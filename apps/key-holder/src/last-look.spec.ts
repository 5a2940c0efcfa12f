import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppraisalDesk, rootSetWithDevRoot } from '@usufruct/attestation';
import { grantSetOf } from '@usufruct/consent';
import { deal, seal, sign } from '@usufruct/crypto';
import {
  asTimestampMs,
  fromBase64,
  fromHex,
  toBase64,
  toHex,
  toUsufructError,
  type Digest,
  type Logger,
  type RunnerId,
} from '@usufruct/kernel';
import {
  egressTokenDigest,
  encodeLeasedKey,
  LeaseActionBcs,
  leasedKeyId,
  leasedShareSealInfo,
  runnerIdOf,
  ShareBcs,
  shareSealInfo,
  TAGS,
  type ChainEventData,
  type JobView,
  type LeaseAction,
} from '@usufruct/protocol';
import {
  aContribution,
  aDao,
  aDataset,
  aGrant,
  aHolderSet,
  aJob,
  aPolicy,
  anAppraisalPolicy,
  dealManifest,
  FakeChain,
  idOf,
  ManualClock,
  seededRandom,
  signManifest,
  someTerms,
  TEST_NOW_MS,
  testChainInfo,
  testRunner,
  testWallet,
  type TestRunner,
} from '@usufruct/testing';
import { depositShare } from './decisions/deposit.js';
import { release } from './decisions/release.js';
import { makeHolder, type Holder } from './holder.js';
import { deriveHolderKeys } from './identity.js';
import { openKeyring } from './keyring/open.js';
import { grantEgress } from './lease/egress.js';
import { lease } from './lease/lease.js';
import { depositLeasedKey } from './lease/deposit.js';
import { openDatabase } from './store/database.js';

const RAG = aJob();
const TRAIN = aJob({ id: idOf('training'), kind: 'train' });
const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const wallet = testWallet('contributor');
const dealt = dealManifest(wallet.address);
const { contributionId, owner, datasetId } = dealt.manifest;
const AT = asTimestampMs(TEST_NOW_MS - 1);
const POLICY = aPolicy({ kinds: ['rag', 'train'] });
/** The manifest names the digest of the policy that it was made under. */
const DAO = { policy: POLICY, policyDigest: dealt.manifest.policyDigest };
const GRANT = aGrant({ contributionId, grantor: owner, terms: someTerms({ kinds: ['rag', 'train'] }) });
const CONTRIBUTION = aContribution({ id: contributionId, owner, manifestDigest: dealt.digest });

let runner: TestRunner;
let folder: string;
let chain: FakeChain;
let holder: Holder;
let clock: ManualClock;
let keys: Awaited<ReturnType<typeof deriveHolderKeys>>[];
/** Called before each reading, with how many there were before it. */
let onRead: (before: number) => void;

/** The same chain, which tells before it answers. */
function watched(fake: FakeChain): FakeChain {
  let reads = 0;
  return new Proxy(fake, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        onRead(reads++);
        return Reflect.apply(member, target, args) as unknown;
      };
    },
  });
}

const membersOf = (of: typeof keys) =>
  of.map(({ operator, signing, sealing }) => ({
    operator: operator.address,
    signingPublicKey: toBase64(signing.publicKey),
    sealingPublicKey: toBase64(sealing.publicKey),
  }));
const everything = (): void => {
  chain
    .put('holder-set', aHolderSet({ members: membersOf(keys) }))
    .put('dao', aDao(DAO))
    .put('dataset', aDataset())
    .put('contribution', CONTRIBUTION)
    .put('grant', GRANT);
  for (const job of [RAG, TRAIN]) chain.put('job', job);
};

beforeAll(async () => {
  runner = await testRunner('ours');
  keys = await Promise.all(['a', 'b', 'c'].map((name) => deriveHolderKeys(fromHex(idOf(name)))));
});
/** A holder that has seen nothing of what was before. */
async function begin(): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'last-look-'));
  chain = new FakeChain();
  onRead = () => undefined;
  everything();
  clock = new ManualClock();
  const random = seededRandom('holder');
  holder = makeHolder({
    keys: keys[0]!,
    keyring: await openKeyring({ dataDir: folder, keys: keys[0]!, clock, random }),
    chain: watched(chain),
    database: openDatabase(folder, toHex(keys[0]!.signing.publicKey)),
    desk: new AppraisalDesk({ roots: rootSetWithDevRoot(runner.rootPem) }),
    standIns: ['test'],
    clock,
    random,
    logger: silent,
  });
}
function end(): void {
  holder.database.close();
  rmSync(folder, { recursive: true, force: true });
}
beforeEach(begin);
afterEach(end);

async function sealedFor(info: Uint8Array, share: (typeof dealt.shares)[number]) {
  const { publicKey } = await holder.subkeys.current();
  const plaintext = ShareBcs.serialize(share).toBytes();
  const sealedShare = await seal({ recipientPublicKey: publicKey, info, aad: new Uint8Array(), plaintext });
  return { sealedTo: toBase64(publicKey), sealedShare: toBase64(sealedShare) };
}

async function proof(action: LeaseAction, { id: jobId }: JobView, about: Digest) {
  const { challenge } = holder.challenges.issue(action === 'egress' ? 'egress' : 'lease', jobId);
  const bytes = fromBase64(challenge);
  const message = LeaseActionBcs.serialize({ chainId: 'local:test', action, jobId, challenge: bytes, about }).toBytes();
  const { secretKey } = runner.signing;
  const signature = toBase64(await sign({ secretKey, domainTag: TAGS.leaseRequest, message }));
  return { jobId, challenge, bundle: await runner.evidence([challenge], jobId), signature };
}

/** Whether something left. Only what is asked of the chain after the preparation counts. */
type Ask = () => Promise<boolean>;

async function aRelease(): Promise<Ask> {
  const manifest = { manifest: toBase64(dealt.bytes), signature: await signManifest(wallet, dealt) };
  const sealed = await sealedFor(shareSealInfo(dealt.digest), dealt.shares[0]!);
  await depositShare(holder, { ...manifest, ...sealed });
  return async () => {
    const { challenge } = holder.challenges.issue('release', RAG.id);
    const bundle = await runner.evidence([challenge], RAG.id);
    const asked = { jobId: RAG.id, challenge, bundle, contributionIds: [contributionId] };
    return (await release(holder, await runner.asks(asked))).sealedShares !== undefined;
  };
}

async function aLease(): Promise<Ask> {
  const { shares, commitments } = deal({ threshold: 2, holderCount: 3, random: seededRandom('leased') });
  const held = [{ contribution: CONTRIBUTION, grants: [GRANT] }];
  const key = encodeLeasedKey({
    chainId: 'local:test',
    packageId: testChainInfo().packageId,
    daoId: RAG.daoId,
    datasetId,
    holderSetId: POLICY.holderSetId,
    holderSetVersion: 1,
    keyKind: 'index',
    jobId: RAG.id,
    purpose: RAG.purpose,
    kind: RAG.kind,
    protection: RAG.protection,
    pricePerQuestionUnits: RAG.pricePerQuestionUnits,
    grantSetVersion: grantSetOf({ dataset: { id: datasetId }, contributions: held, use: RAG, nowMs: TEST_NOW_MS })
      .version,
    expiresAtMs: asTimestampMs(TEST_NOW_MS + 3_600_000),
    commitments,
    keyCommitment: idOf('commitment'),
  });
  const keyId = leasedKeyId(key);
  const sealed = await sealedFor(leasedShareSealInfo(keyId), shares[0]!);
  await depositLeasedKey(holder, { key: toBase64(key), ...sealed, ...(await proof('deposit', RAG, keyId)) });
  return async () => {
    const asked = { keyId, ...(await proof('lease', RAG, keyId)) };
    return (await lease(holder, asked)).sealedShare !== undefined;
  };
}

async function anOutput(): Promise<Ask> {
  const outputDigest = idOf<never>('model');
  const about = egressTokenDigest({
    chainId: 'local:test',
    packageId: testChainInfo().packageId,
    daoId: TRAIN.daoId,
    holderSetId: POLICY.holderSetId,
    jobId: TRAIN.id,
    outputKind: 'model',
    outputDigest,
  });
  return async () => {
    const asked = { outputKind: 'model' as const, outputDigest, ...(await proof('egress', TRAIN, about)) };
    return (await grantEgress(holder, asked)).signature !== '';
  };
}

/** What happens on the chain: to what it shows, and to its events. */
interface Ending {
  readonly change: () => unknown;
  readonly event: ChainEventData;
}
const withdrawn = { ...POLICY, appraisal: anAppraisalPolicy({ measurements: ['cd'.repeat(48)] }) };
const closed = (job: JobView): Ending => ({
  change: () => chain.put('job', { ...job, state: 'cancelled' }),
  event: { type: 'JobClosed', jobId: job.id, state: 'cancelled', refundedTo: owner, refundUnits: 0n as never },
});
const ofGrants: Record<string, Ending> = {
  'a grant is revoked': {
    change: () => chain.put('grant', { ...GRANT, revokedAtMs: AT }),
    event: { type: 'GrantRevoked', grantId: GRANT.id, contributionId, revokedAtMs: AT },
  },
  'a contribution is retired': {
    change: () => chain.put('contribution', { ...CONTRIBUTION, tombstonedAtMs: AT }),
    event: { type: 'ContributionTombstoned', contributionId, datasetId, tombstonedAtMs: AT },
  },
};
const ofPlaces: Record<string, Ending> = {
  'a dataset is retired': {
    change: () => chain.put('dataset', aDataset({ tombstonedAtMs: AT })),
    event: { type: 'DatasetTombstoned', datasetId, daoId: RAG.daoId, tombstonedAtMs: AT },
  },
  'a measurement is withdrawn': {
    change: () => chain.put('dao', aDao({ ...DAO, policy: withdrawn as never })),
    event: {
      type: 'PolicySet',
      daoId: RAG.daoId,
      version: 2,
      policy: withdrawn as never,
      policyDigest: idOf('policy'),
    },
  },
  'a DAO is paused': {
    change: () => chain.put('dao', aDao({ ...DAO, paused: true })),
    event: { type: 'DaoPaused', daoId: RAG.daoId },
  },
  'its runner is withdrawn': {
    change: () => undefined,
    get event() {
      return {
        type: 'RunnerWithdrawn' as const,
        daoId: RAG.daoId,
        runnerId: runnerIdOf<RunnerId>(runner.signing.publicKey),
      };
    },
  },
  'the key of this holder is retired': {
    change: () =>
      chain.put(
        'holder-set',
        aHolderSet({ members: membersOf(keys), tombstonedKeys: [membersOf(keys)[0]!.signingPublicKey] }),
      ),
    get event() {
      const { signingPublicKey } = membersOf(keys)[0]!;
      return { type: 'HolderTombstoned' as const, holderSetId: POLICY.holderSetId, member: 0, signingPublicKey };
    },
  },
  'this holder is rotated out': {
    change: () => chain.put('holder-set', aHolderSet({ members: membersOf(keys.slice(1)), version: 2 })),
    event: { type: 'HolderSetRotated', holderSetId: POLICY.holderSetId, version: 2, members: [], threshold: 2 },
  },
};
const declined: Ending = {
  change: () => chain.put('contribution', { ...CONTRIBUTION, state: 'declined' }),
  event: {
    type: 'ContributionDecided',
    contributionId,
    datasetId,
    daoId: RAG.daoId,
    state: 'declined',
    owner,
  },
};

const asks: readonly [string, () => Promise<Ask>, Record<string, Ending>][] = [
  ['a release', aRelease, { ...ofGrants, ...ofPlaces, 'its job is closed': closed(RAG), 'it is declined': declined }],
  ['a lease', aLease, { ...ofGrants, ...ofPlaces, 'its job is closed': closed(RAG), 'it is declined': declined }],
  ['an output', anOutput, { ...ofPlaces, 'its job is closed': closed(TRAIN) }],
];
const rows = asks.flatMap(([what, prepare, endings]) =>
  Object.entries(endings).map(([name, ending]) => [what, name, prepare, ending] as const),
);

/** How often the chain is read for one answer. */
async function readsOf(ask: Ask): Promise<number> {
  let reads = 0;
  onRead = () => void (reads += 1);
  expect(await ask()).toBe(true);
  onRead = () => undefined;
  return reads;
}

describe('what ends between any two readings of the chain', () => {
  it.each(rows)('is not missed by %s: %s', async (_what, _name, prepare, { change, event }) => {
    const reads = await readsOf(await prepare());
    expect(reads).toBeGreaterThan(8);
    for (let at = 0; at < reads; at += 1) {
      end();
      await begin();
      const ask = await prepare();
      let seen = 0;
      onRead = () => {
        if (seen++ !== at) return;
        change();
        chain.putEvent(event, owner);
      };
      const hasLeft = await ask().catch((error: unknown) => {
        // Whatever refuses it, it is a refusal and no accident.
        expect(toUsufructError(error).code).not.toBe('INTERNAL');
        return false;
      });
      onRead = () => undefined;
      expect([at, hasLeft]).toEqual([at, false]);
    }
  });

  it.each(asks)('is not missed by %s where it ends by the time alone', async (_what, prepare) => {
    const reads = await readsOf(await prepare());
    for (let at = 0; at < reads; at += 1) {
      end();
      await begin();
      const ask = await prepare();
      let seen = 0;
      // A machine that was put to sleep: longer than any grant, job or result of an appraisal lasts.
      onRead = () => void (seen++ === at && clock.advance(10 * 365 * 86_400_000));
      const hasLeft = await ask().catch(() => false);
      onRead = () => undefined;
      expect([at, hasLeft]).toEqual([at, false]);
    }
  });

  it('keeps nobody from what it is not about', async () => {
    const ask = await aRelease();
    const reads = await readsOf(ask);
    for (let at = 0; at < reads; at += 1) {
      let seen = 0;
      onRead = () => {
        if (seen++ !== at) return;
        chain.putEvent({ ...ofGrants['a grant is revoked']!.event, grantId: idOf('another') } as ChainEventData, owner);
        // The same policy again, and a grant for something else: read anew, it allows as much as before.
        chain.put('dao', aDao({ ...DAO, policyVersion: 2 }));
        chain.putEvent(ofPlaces['a measurement is withdrawn']!.event, owner);
      };
      expect([at, await ask()]).toEqual([at, true]);
    }
  });

  it('is believed where the rest of the chain does not show it', async () => {
    const ask = await aRelease();
    chain.putEvent(ofGrants['a grant is revoked']!.event, owner);
    await expect(ask()).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' });
    expect(holder.log.size).toBe(0);
  });

  const forGood = rows.filter(([, name]) => name !== 'its runner is withdrawn');
  it.each(forGood)(
    'is not forgotten by %s with a node that lags behind: %s',
    async (_what, _name, prepare, { event }) => {
      const ask = await prepare();
      chain.putEvent(event, owner);
      await holder.caughtUp.require();
      const { size } = holder.log;
      await expect(ask()).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' });
      await expect(ask()).rejects.toMatchObject({ code: 'CHAIN_UNAVAILABLE' });
      expect(holder.log.size).toBe(size);
    },
  );
});
