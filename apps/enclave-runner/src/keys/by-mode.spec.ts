import { beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { deriveSessionKey, keyCommitment } from '@usufruct/crypto';
import {
  asId,
  fromHex,
  toUsufructError,
  type Address,
  type ContributionId,
  type Digest,
  type GrantId,
} from '@usufruct/kernel';
import { NO_EVIDENCE, TAGS, type Manifest, type ManifestKeys } from '@usufruct/protocol';
import { secretSealer, type SealAccess } from '@usufruct/seal';
import {
  aDao,
  aJob,
  buildPackage,
  dealManifest,
  FakeChain,
  idOf,
  readCompiled,
  sealFacts,
  sealFetch,
  sealJudge,
  SealKeyServer,
  seededRandom,
  settle,
  SUI_IDS,
  SuiWorld,
  testWallet,
  type CompiledPackage,
  type SealFacts,
} from '@usufruct/testing';
import { generateRunnerKeys, type RunnerKeys } from '../attest/runner-keys.js';
import type { RunnerContext } from '../context.js';
import { releaseByMode } from './by-mode.js';

const SECRET = seededRandom('secret')(32);
const sessionKeyFor = (contributionId: ContributionId): Uint8Array =>
  deriveSessionKey({ domainTag: TAGS.sessionKey, secret: SECRET, context: fromHex(contributionId) });
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

let compiled: CompiledPackage;
let keys: RunnerKeys;
beforeAll(async () => {
  compiled = readCompiled((await buildPackage()).modules);
  keys = await generateRunnerKeys(seededRandom('runner'));
}, 120_000);

let facts: SealFacts;
let seal: SealAccess;
let keyServers: SealKeyServer[];
beforeEach(() => {
  jest.spyOn(console, 'warn').mockReturnValue(undefined);
  const sui = new SuiWorld(compiled);
  settle(sui);
  const { packageId } = sui.settings;
  sui.sui.objects.set(packageId, { type: 'package' });
  facts = sealFacts();
  sui.sui.judge = sealJudge(facts);
  const address = asId<Address>(Ed25519Keypair.fromSecretKey(keys.signing.secretKey).toSuiAddress(), 'address');
  facts.runners.set(keys.runnerId, address);
  keyServers = ['a', 'b', 'c'].map((name) => new SealKeyServer(name, sui.sui, packageId));
  const configured = keyServers.map(({ objectId }) => ({ objectId }));
  const fetch = sealFetch(keyServers);
  seal = { approvals: sui.chain.seal(), keyServers: configured, fetch, timeoutMs: 30_000 };
});

/** No holder is known, and the chain has nothing of the holder set: whoever asks holders gets nowhere. */
const contextOf = (changes: Partial<RunnerContext> = {}) =>
  ({
    chain: new FakeChain(),
    holders: [],
    keys,
    logger: silent,
    seal,
    ...changes,
  }) as Partial<RunnerContext> as RunnerContext;

async function wantedOf(name: string, make?: (id: ContributionId) => Promise<ManifestKeys>, commitment?: Digest) {
  const { manifest } = dealManifest(testWallet(name).address);
  const { contributionId } = manifest;
  const sessionKey = sessionKeyFor(contributionId);
  const context = fromHex(contributionId);
  const keyCommitted = commitment ?? keyCommitment({ domainTag: TAGS.keyCommitment, sessionKey, context });
  const grantId = idOf<GrantId>(`grant of ${name}`);
  facts.grants.set(grantId, { contributionId, isRevoked: false });
  const named: Manifest = {
    ...manifest,
    keys: (await make?.(contributionId)) ?? manifest.keys,
    keyCommitment: keyCommitted,
  };
  return { manifest: named, grantId };
}
const sealed = (id: ContributionId): Promise<ManifestKeys> => secretSealer(seal, 2).seal(id, SECRET);

type Wanted = Awaited<ReturnType<typeof wantedOf>>;
async function release(wanted: readonly Wanted[], context = contextOf(), job = aJob({ id: SUI_IDS.job })) {
  const released = await releaseByMode(context, { job, dao: aDao(), wanted });
  const outcomes = wanted.map(({ manifest }) => {
    try {
      return released.sessionKeyOf(manifest);
    } catch (error) {
      return toUsufructError(error).code;
    }
  });
  return { evidenceDigest: released.evidenceDigest, outcomes };
}

describe('keys by the mode that each manifest names', () => {
  it('come from key servers for the runner whose attested key is registered, with no evidence to show', async () => {
    const wanted = await wantedOf('owner', sealed);
    const { outcomes, evidenceDigest } = await release([wanted]);
    expect(outcomes).toEqual([sessionKeyFor(wanted.manifest.contributionId)]);
    expect(evidenceDigest).toBe(NO_EVIDENCE);
  });

  it('come from one mode where the other gives none, and never from the wrong one', async () => {
    const [held, other] = [await wantedOf('held'), await wantedOf('other', sealed)];
    const { outcomes } = await release([held, other]);
    expect(outcomes).toEqual(['NOT_FOUND', sessionKeyFor(other.manifest.contributionId)]);
  });

  it('are refused where this runner has no key servers, which are not asked', async () => {
    const wanted = await wantedOf('owner', sealed);
    expect((await release([wanted], contextOf({ seal: null }))).outcomes).toEqual(['KEY_MODE_UNAVAILABLE']);
    expect(keyServers.map(({ asked }) => asked)).toEqual([0, 0, 0]);
  });

  it('are refused where the pay could not be divided', async () => {
    const wanted = await wantedOf('owner', sealed);
    const job = aJob({ id: SUI_IDS.job, payoutMode: 'epoch' });
    expect((await release([wanted], contextOf(), job)).outcomes).toEqual(['KEY_MODE_UNAVAILABLE']);
    expect(keyServers.map(({ asked }) => asked)).toEqual([0, 0, 0]);
  });

  it('are refused one by one, each with why', async () => {
    const [good, revoked, dishonest] = [
      await wantedOf('good', sealed),
      await wantedOf('revoked', sealed),
      await wantedOf('dishonest', sealed, idOf<Digest>('another key')),
    ];
    facts.grants.set(revoked.grantId, { contributionId: revoked.manifest.contributionId, isRevoked: true });
    expect((await release([good, revoked, dishonest])).outcomes).toEqual([
      sessionKeyFor(good.manifest.contributionId),
      'GRANT_REVOKED',
      'KEY_COMMITMENT_MISMATCH',
    ]);
  });
});
