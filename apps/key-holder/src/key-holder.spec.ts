import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { AppraisalDesk, productionRoots, rootSetWithDevRoot, type RootSet } from '@usufruct/attestation';
import {
  combine,
  leafHash,
  open,
  seal,
  sign,
  verify,
  verifyConsistency,
  verifyInclusion,
  verifyRange,
  type Share,
} from '@usufruct/crypto';
import {
  asTimestampMs,
  fromBase64,
  fromHex,
  toBase64,
  toHex,
  type Address,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type GrantId,
  type Hex32,
  type HolderSetId,
  type JobId,
  type Logger,
} from '@usufruct/kernel';
import {
  appraisalPolicyDigest,
  contributionListDigest,
  deriveId,
  evidenceDigest,
  LIMITS,
  logQueryDigest,
  ReleaseLeafBcs,
  releaseLeaves,
  sealedSharesAad,
  requireSealingKey,
  RunnerStatementBcs,
  ShareBcs,
  ShareReceiptBcs,
  shareReleaseInfo,
  shareSealInfo,
  TAGS,
  TreeHeadBcs,
  WALLET_ACTIONS,
  walletStatementBytes,
  type EvidenceBundle,
  type ReleaseAnswer,
  type SignedSealingKey,
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
  dealManifest,
  FakeChain,
  idOf,
  ManualClock,
  seededRandom,
  signManifest,
  someTerms,
  TEST_MEASUREMENT,
  TEST_NOW_MS,
  testChainInfo,
  testReader,
  testRunner,
  testWallet,
  type DealtManifest,
  type ManifestChanges,
  type TestRunner,
} from '@usufruct/testing';
import { deriveHolderKeys } from './identity.js';
import { anchorTreeHeads } from './log/anchor.js';
import { countersign } from './payout/countersign.js';
import { startKeyHolder, type RunningHolder } from './start.js';

const JOB = idOf<JobId>('job');
const DAO = idOf<DaoId>('dao');
const DATASET = idOf<DatasetId>('dataset');
const SET = idOf<HolderSetId>('holder-set');
const secretOf = (n: number): Uint8Array => fromHex(idOf(`holder-${n}`));
const silent: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
const wallet = testWallet('contributor');

let runner: TestRunner;
let stranger: TestRunner;
let chain: FakeChain;
let clock: ManualClock;
let folder: string;
let holders: RunningHolder[];
let open_: RunningHolder[] = [];
let dealt: DealtManifest;

const start = async (n: number, roots: RootSet = rootSetWithDevRoot(runner.rootPem)): Promise<RunningHolder> => {
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
async function call<T = Record<string, never>>(
  { url }: RunningHolder,
  path: string,
  body?: unknown,
): Promise<Reply<T>> {
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const response = await fetch(`${url}${path}`, { ...init, headers: { connection: 'close' } });
  return { status: response.status, body: (await response.json()) as Reply<T>['body'] };
}

async function sealTo(
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
const depositOf = async (holder: RunningHolder, share: Share, made = dealt) => ({
  manifest: toBase64(made.bytes),
  signature: await signManifest(wallet, made),
  ...(await sealTo(holder, share, made.digest)),
});
const deposit = async (n: number, made = dealt) =>
  call<{ index: number; signature: string }>(
    holders[n]!,
    '/v1/shares',
    await depositOf(holders[n]!, made.shares[n]!, made),
  );

/** The contribution as the chain has it once it is registered, accepted and granted. */
function register(made = dealt): void {
  const { contributionId, owner } = made.manifest;
  chain.put('contribution', aContribution({ id: contributionId, owner, manifestDigest: made.digest }));
  chain.put('grant', aGrant({ contributionId, grantor: owner }));
}

const challengeFrom = async (holder: RunningHolder, jobId: JobId = JOB): Promise<string> =>
  (await call<{ challenge: string }>(holder, '/v1/challenges', { for: 'release', jobId })).body.challenge;

/** Ask every holder with one bundle over all of their challenges, as a runner does. */
async function releaseFrom(
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

async function openReleased({ reply, challenge }: { reply: Reply<ReleaseAnswer>; challenge: string }): Promise<Share> {
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
function leavesOf({ entries, decidedAtMs }: ReleaseAnswer, bundle: EvidenceBundle, ids: readonly ContributionId[]) {
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

describe('deposit', () => {
  it('stores each share with its holder and signs a receipt; twice is once', async () => {
    for (const [n, holder] of holders.entries()) {
      const first = await deposit(n);
      expect(first).toMatchObject({ status: 200, body: { index: n + 1, manifestDigest: dealt.digest } });
      const signed = { manifestDigest: dealt.digest, holderSetId: SET, index: n + 1 };
      const receipt = {
        publicKey: holder.holder.keys.signing.publicKey,
        domainTag: TAGS.shareReceipt,
        message: ShareReceiptBcs.serialize(signed).toBytes(),
        signature: fromBase64(first.body.signature),
      };
      expect(await verify(receipt)).toBe(true);
      expect((await deposit(n)).body).toEqual(first.body);
      expect(holder.holder.shares.countOf(dealt.manifest.contributionId)).toBe(1);
    }
  });

  it('writes no share in clear to the disk', async () => {
    await deposit(0);
    const { value } = dealt.shares[0]!;
    const files = readdirSync(join(folder, 'holder-1'), { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map(({ parentPath, name }) => readFileSync(join(parentPath, name)));
    const all = Buffer.concat(files);
    expect(all.includes(Buffer.from(dealt.digest))).toBe(true); // the search does find what is there
    for (const form of [Buffer.from(value), toHex(value), toBase64(value)]) expect(all.includes(form)).toBe(false);
  });

  type Request = Awaited<ReturnType<typeof depositOf>>;
  const remade = async (changes: ManifestChanges): Promise<Request> => {
    const made = dealManifest(wallet.address, changes);
    return depositOf(holders[0]!, made.shares[0]!, made);
  };
  const rows: [string, string, () => Promise<Partial<Request>>][] = [
    [
      'a signature of another wallet',
      'SIGNATURE_INVALID',
      async () => ({ signature: await signManifest(testWallet('thief'), dealt) }),
    ],
    ['no signature', 'SIGNATURE_INVALID', async () => ({ signature: '' })],
    [
      'a signature over another manifest',
      'SIGNATURE_INVALID',
      async () => ({ signature: (await remade({ salt: idOf('other') })).signature }),
    ],
    ['trailing bytes', 'MANIFEST_INVALID', async () => ({ manifest: toBase64(new Uint8Array([...dealt.bytes, 0])) })],
    ['no manifest', 'MANIFEST_INVALID', async () => ({ manifest: 'AAAA' })],
    ['no base64', 'INVALID_ARGUMENT', async () => ({ manifest: '!' })],
    ['another chain', 'MANIFEST_INVALID', () => remade({ chainId: 'sui:mainnet' })],
    ['a contribution id that is not derived', 'MANIFEST_INVALID', () => remade({ contributionId: idOf('invented') })],
    ['a dataset that does not exist', 'NOT_FOUND', () => remade({ datasetId: idOf('nowhere') })],
    ['a holder set that the DAO does not name', 'MANIFEST_INVALID', () => remade({ holderSetId: idOf('other-set') })],
    ['another number of holders', 'MANIFEST_INVALID', () => remade({ holderCount: 4 })],
    ['another threshold', 'MANIFEST_INVALID', () => remade({ threshold: 3 })],
    ['an outdated policy', 'POLICY_OUTDATED', () => remade({ policyDigest: idOf<Digest>('old') })],
    [
      'no points as commitments',
      'MANIFEST_INVALID',
      () => remade({ commitments: [new Uint8Array(32), new Uint8Array(32)] }),
    ],
    [
      'shares dealt for other commitments',
      'SHARE_INVALID',
      async () => {
        const other = dealManifest(wallet.address, {}, seededRandom('another deal'));
        return sealTo(holders[0]!, other.shares[0]!, dealt.digest);
      },
    ],
    [
      'the share of another holder, sealed to it',
      'SEALING_KEY_RETIRED',
      () => sealTo(holders[1]!, dealt.shares[1]!, dealt.digest),
    ],
    [
      'the share of another holder, sealed to us',
      'SHARE_INVALID',
      () => sealTo(holders[0]!, dealt.shares[1]!, dealt.digest),
    ],
    [
      'another share under our index',
      'SHARE_INVALID',
      () => sealTo(holders[0]!, { ...dealt.shares[1]!, index: 1 }, dealt.digest),
    ],
    [
      'a share sealed for another manifest',
      'SHARE_INVALID',
      () => sealTo(holders[0]!, dealt.shares[0]!, idOf<Digest>('other')),
    ],
    ['no sealed share', 'SHARE_INVALID', async () => ({ sealedShare: '' })],
    [
      'a share sealed to the key on the chain',
      'SEALING_KEY_RETIRED',
      () => sealTo(holders[0]!, dealt.shares[0]!, dealt.digest, holders[0]!.holder.keys.sealing),
    ],
    [
      'a share sealed to the key on the chain and said to be sealed to ours',
      'SHARE_INVALID',
      async () => {
        const { keys, subkeys } = holders[0]!.holder;
        const sealed = await sealTo(holders[0]!, dealt.shares[0]!, dealt.digest, keys.sealing);
        return { ...sealed, sealedTo: toBase64((await subkeys.current()).publicKey) };
      },
    ],
    ['no key that it is sealed to', 'SEALING_KEY_RETIRED', async () => ({ sealedTo: '' })],
  ];
  it.each(rows)('refuses %s with %s and stores nothing', async (_name, code, change) => {
    const request = { ...(await depositOf(holders[0]!, dealt.shares[0]!)), ...(await change()) };
    const { body } = await call(holders[0]!, '/v1/shares', request);
    expect(body.code).toBe(code);
    const stored = holders[0]!.holder.database.prepare('SELECT count(*) AS n FROM shares').get();
    expect(stored).toEqual({ n: 0 });
  });

  describe('is sealed to a key that the holder signs for', () => {
    const statementOf = async (n: number) => (await call<SignedSealingKey>(holders[n]!, '/v1/sealing-key')).body;
    const keyOf = async (n: number) => {
      const { chainId, packageId } = await chain.info();
      const member = (await chain.holderSet(SET)).members[n]!;
      return requireSealingKey(await statementOf(n), { member, chainId, packageId, nowMs: clock.nowMs(), verify });
    };
    /** What was sealed to a key of before, sent now. */
    const send = async (to: { readonly publicKey: Uint8Array }, made = dealt) => {
      const sealed = await sealTo(holders[0]!, made.shares[0]!, made.digest, to);
      const request = { ...(await depositOf(holders[0]!, made.shares[0]!, made)), ...sealed };
      return (await call<object>(holders[0]!, '/v1/shares', request)).body;
    };

    it('for a day, in the same words until there is another', async () => {
      const [first, said] = [await keyOf(0), await statementOf(0)];
      expect([first.notBeforeMs, first.notAfterMs]).toEqual([TEST_NOW_MS, TEST_NOW_MS + 86_400_000]);
      clock.advance(86_399_999);
      expect(await statementOf(0)).toEqual(said);
      clock.advance(1);
      expect((await keyOf(0)).publicKey).not.toEqual(first.publicKey);
    });

    it('of its own, that neither the chain nor its secret names', async () => {
      const { keys } = holders[0]!.holder;
      const first = await keyOf(0);
      expect(first.publicKey).not.toEqual(keys.sealing.publicKey);
      const again = await deriveHolderKeys(secretOf(1));
      expect(again.sealing.publicKey).toEqual(keys.sealing.publicKey);
      expect((await keyOf(1)).publicKey).not.toEqual(first.publicKey);
    });

    it('also ten minutes after its end, and no longer; what was stored is acknowledged all the same', async () => {
      const [first, second] = [await keyOf(0), dealManifest(wallet.address, { salt: idOf('second') })];
      clock.advance(86_400_000 + 599_999);
      const receipt = await send(first);
      expect(receipt).toMatchObject({ index: 1, manifestDigest: dealt.digest });
      clock.advance(1);
      expect(await send(first, second)).toMatchObject({
        code: 'SEALING_KEY_RETIRED',
        remedy: expect.stringContaining('GET /v1/sealing-key'),
      });
      expect(await send(first)).toEqual(receipt);
      expect(await send(await keyOf(0), second)).toMatchObject({ index: 1 });
    });

    it('that outlives the process', async () => {
      const first = await keyOf(0);
      await holders[0]!.close();
      holders[0] = await start(1);
      expect((await keyOf(0)).publicKey).toEqual(first.publicKey);
      expect(await send(first)).toMatchObject({ index: 1 });
    });
  });

  it('refuses a manifest when another one is registered for the contribution', async () => {
    chain.put(
      'contribution',
      aContribution({ id: dealt.manifest.contributionId, manifestDigest: idOf<Digest>('other') }),
    );
    expect((await deposit(0)).body.code).toBe('MANIFEST_MISMATCH');
  });

  it('refuses where it has no seat', async () => {
    const outsider = await start(4);
    const request = await depositOf(outsider, dealt.shares[0]!);
    expect((await call(outsider, '/v1/shares', request)).body.code).toBe('FORBIDDEN');
  });

  it('refuses for a dataset that was retired', async () => {
    chain.put('dataset', aDataset({ tombstonedAtMs: TEST_NOW_MS }));
    expect((await deposit(0)).body.code).toBe('TOMBSTONED');
  });

  it('refuses once its own key was retired, and the others do not', async () => {
    const set = await chain.holderSet(SET);
    chain.put('holder-set', { ...set, tombstonedKeys: [set.members[0]!.signingPublicKey] });
    expect((await deposit(0)).body.code).toBe('TOMBSTONED');
    expect((await deposit(1)).status).toBe(200);
  });

  it('bounds how often one contribution is dealt', async () => {
    for (let i = 0; i < 9; i++) {
      const made = dealManifest(wallet.address, {}, seededRandom(`deal ${i}`));
      expect((await deposit(0, made)).status).toBe(i < 8 ? 200 : 429);
    }
  });
});

describe('registration', () => {
  /** What the runner signs first: every field but the payee follows from the evidence, the chain and the request. */
  const statementOf = (by: TestRunner) => ({
    chainId: 'local:test',
    daoId: DAO,
    profile: 'software-dev',
    measurement: TEST_MEASUREMENT,
    signingPublicKey: by.signing.publicKey,
    hpkePublicKey: by.hpke.publicKey,
    appraisalPolicyDigest: appraisalPolicyDigest(aPolicy().appraisal),
    payTo: idOf<Address>('runner-wallet'),
    issuedAtMs: TEST_NOW_MS,
    // The term of the DAO's appraisal policy: ten minutes.
    expiresAtMs: asTimestampMs(TEST_NOW_MS + 600_000),
  });
  const ask = async (holder: RunningHolder, changes: object = {}, jobId: Hex32 = DAO, by = runner) => {
    const { challenge } = (
      await call<{ challenge: string }>(holder, '/v1/challenges', { for: 'registration', daoId: DAO })
    ).body;
    const bundle = await by.evidence([challenge], jobId);
    const message = RunnerStatementBcs.serialize(statementOf(by)).toBytes();
    const { secretKey } = by.signing;
    const signature = toBase64(await sign({ secretKey, domainTag: TAGS.runnerStatement, message }));
    return call<{ statement: string; signature: string }>(holder, '/v1/registrations', {
      daoId: DAO,
      challenge,
      bundle,
      issuedAtMs: TEST_NOW_MS,
      expiresAtMs: statementOf(by).expiresAtMs,
      payTo: statementOf(by).payTo,
      signature,
      ...changes,
    });
  };

  it('all holders sign the same bytes', async () => {
    clock.advance(1234);
    const answers = await Promise.all(holders.map((holder) => ask(holder)));
    const statements = new Set(answers.map(({ body }) => body.statement));
    expect(statements.size).toBe(1);
    const message = fromBase64(answers[0]!.body.statement);
    expect(RunnerStatementBcs.parse(message)).toEqual(statementOf(runner));
    for (const [n, { body }] of answers.entries()) {
      const { publicKey } = holders[n]!.holder.keys.signing;
      const signature = fromBase64(body.signature);
      expect(await verify({ publicKey, domainTag: TAGS.runnerStatement, message, signature })).toBe(true);
    }
  });

  it.each([
    ['a time too far ahead', 'INVALID_ARGUMENT', { issuedAtMs: TEST_NOW_MS + LIMITS.clockSkewMs + 1 }],
    ['a time too long ago', 'INVALID_ARGUMENT', { issuedAtMs: TEST_NOW_MS - LIMITS.clockSkewMs - 1 }],
    ['an end beyond the term of the DAO', 'INVALID_ARGUMENT', { expiresAtMs: TEST_NOW_MS + 600_001 }],
    ['an end that is no later than the beginning', 'INVALID_ARGUMENT', { expiresAtMs: TEST_NOW_MS }],
    ['another end than the attested key signed for', 'SIGNATURE_INVALID', { expiresAtMs: TEST_NOW_MS + 599_999 }],
    ['a payee that the attested key did not sign for', 'SIGNATURE_INVALID', { payTo: idOf('thief') }],
    ['a challenge of its own making', 'CHALLENGE_UNKNOWN', { challenge: toBase64(new Uint8Array(32)) }],
    ['another DAO than the challenge is for', 'CHALLENGE_UNKNOWN', { daoId: idOf('other') }],
  ])('refuses %s', async (_name, code, changes) => {
    expect((await ask(holders[0]!, changes)).body.code).toBe(code);
  });

  it('never signs for longer than its endorsements are good for, and says for how long it would', async () => {
    const endsAtMs = asTimestampMs(TEST_NOW_MS + 200_000);
    const { desk } = holders[0]!.holder;
    const appraise = desk.appraise.bind(desk);
    desk.appraise = async (request) => {
      const { result, ...answer } = await appraise(request);
      return { ...answer, result: { ...result, claims: { ...result.claims!, endorsedUntilMs: endsAtMs } } };
    };
    expect((await ask(holders[0]!)).body).toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { field: 'expiresAtMs', latestMs: String(endsAtMs) },
    });
    expect((await ask(holders[1]!)).status).toBe(200);
  });

  it('refuses evidence for a job, of another root, or of code that is not approved', async () => {
    expect((await ask(holders[0]!, {}, JOB)).body).toMatchObject({
      code: 'ATTESTATION_REFUSED',
      details: { checks: 'BINDING' },
    });
    expect((await ask(holders[0]!, {}, DAO, stranger)).body.details).toEqual({ checks: 'ROOT_NOT_PINNED' });
    chain.put(
      'dao',
      aDao({
        policy: aPolicy({ appraisal: { ...anAppraisalPolicy(), profiles: ['software-dev'], measurements: [] } }),
      }),
    );
    expect((await ask(holders[0]!)).body.details).toEqual({ checks: 'MEASUREMENT' });
  });

  it('a production holder accepts no software TEE', async () => {
    await holders[0]!.close();
    const production = await start(1, productionRoots());
    expect((await ask(production)).body.details).toEqual({ checks: 'ROOT_NOT_PINNED' });
  });
});

describe('release', () => {
  beforeEach(async () => {
    for (const n of [0, 1, 2]) await deposit(n);
    register();
  });

  const codeOf = async (
    holder: RunningHolder,
    changes: object = {},
    ids?: readonly ContributionId[],
  ): Promise<string> => {
    const challenge = await challengeFrom(holder);
    const bundle = await runner.evidence([challenge], JOB);
    const contributionIds = ids ?? [dealt.manifest.contributionId];
    const unsigned = { jobId: JOB, challenge, bundle, contributionIds: [...contributionIds], ...changes };
    const request = { ...(await runner.asks(unsigned)), ...changes };
    const { body } = await call<ReleaseAnswer>(holder, '/v1/releases', request);
    return body.code ?? body.entries[0]!.decision;
  };

  it('two of three holders give the key, each with its place in the log', async () => {
    const replies = await releaseFrom(holders.slice(1));
    const shares = await Promise.all(replies.map(openReleased));
    expect(combine(shares, dealt.manifest.keys.commitments)).toEqual(dealt.secret);
    const ids = [dealt.manifest.contributionId];
    for (const [i, { reply, bundle }] of replies.entries()) {
      const { head, firstIndex, inclusionProof } = reply.body;
      const treeHead = fromBase64(head.treeHead);
      const { publicKey } = holders[i + 1]!.holder.keys.signing;
      const signature = fromBase64(head.signature);
      expect(await verify({ publicKey, domainTag: TAGS.treeHead, message: treeHead, signature })).toBe(true);
      const { rootHash, treeSize, member, holderSetId } = TreeHeadBcs.parse(treeHead);
      expect({ member, holderSetId, treeSize }).toEqual({ member: i + 1, holderSetId: SET, treeSize: 1 });
      const [leaf] = leavesOf(reply.body, bundle, ids) as [Uint8Array];
      const proof = inclusionProof.map((hash) => fromBase64(hash));
      const root = fromHex(rootHash);
      expect(verifyRange({ leafHashes: [leafHash(leaf)], firstIndex, treeSize, proof, root })).toBe(true);
      expect(ReleaseLeafBcs.parse(leaf)).toMatchObject({
        holderSetId: SET,
        shareIndex: i + 2,
        jobId: JOB,
        datasetId: DATASET,
        contributionId: dealt.manifest.contributionId,
        grantId: idOf('grant'),
        purpose: 'dpv:ResearchAndDevelopment',
        kind: 'rag',
        protection: 'tee',
        measurement: TEST_MEASUREMENT,
        decision: 'RELEASED',
        atMs: TEST_NOW_MS,
      });
    }
  });

  it('a grant revoked between two holders leaves the second share where it is', async () => {
    const challenges = await Promise.all(holders.map((holder) => challengeFrom(holder)));
    const bundle = await runner.evidence(challenges, JOB);
    const contributionIds = [dealt.manifest.contributionId];
    const ask = async (n: number) =>
      call<ReleaseAnswer>(
        holders[n]!,
        '/v1/releases',
        await runner.asks({ jobId: JOB, challenge: challenges[n]!, bundle, contributionIds }),
      );
    expect((await ask(0)).body).toHaveProperty('sealedShares');
    chain.put(
      'grant',
      aGrant({ contributionId: contributionIds[0]!, grantor: wallet.address, revokedAtMs: TEST_NOW_MS }),
    );
    for (const n of [1, 2]) {
      const { entries, sealedShares } = (await ask(n)).body;
      expect(entries[0]!.decision).toBe('GRANT_REVOKED');
      expect(sealedShares).toBeUndefined();
    }
  });

  const grantWith = (changes: Parameters<typeof aGrant>[0]): void =>
    void chain.put(
      'grant',
      aGrant({ contributionId: dealt.manifest.contributionId, grantor: wallet.address, ...changes }),
    );
  const contributionWith = (changes: Parameters<typeof aContribution>[0]): void => {
    const { contributionId: id, owner } = dealt.manifest;
    chain.put('contribution', aContribution({ id, owner, manifestDigest: dealt.digest, ...changes }));
  };
  const consentRows: [string, string, () => void][] = [
    ['no grant', 'GRANT_REQUIRED', () => grantWith({ grantor: idOf<Address>('somebody') })],
    ['grant revoked', 'GRANT_REVOKED', () => grantWith({ revokedAtMs: TEST_NOW_MS })],
    ['grant expired', 'GRANT_EXPIRED', () => grantWith({ terms: someTerms({ expiresAtMs: TEST_NOW_MS }) })],
    ['other purpose', 'PURPOSE_DENIED', () => grantWith({ terms: someTerms({ purposes: ['dpv:Marketing'] }) })],
    [
      'price under the floor',
      'PRICE_BELOW_FLOOR',
      () => grantWith({ terms: someTerms({ priceFloorUnits: 2_000_000n as never }) }),
    ],
    ['job settled', 'JOB_STATE', () => void chain.put('job', aJob({ state: 'succeeded' }))],
    ['job over', 'JOB_EXPIRED', () => void chain.put('job', aJob({ expiresAtMs: TEST_NOW_MS }))],
    ['contribution retired', 'TOMBSTONED', () => contributionWith({ tombstonedAtMs: TEST_NOW_MS })],
    ['dataset retired', 'TOMBSTONED', () => void chain.put('dataset', aDataset({ tombstonedAtMs: TEST_NOW_MS }))],
    ['contribution declined', 'CONTRIBUTION_NOT_ACCEPTED', () => contributionWith({ state: 'declined' })],
    [
      'manifest swapped on the chain',
      'MANIFEST_MISMATCH',
      () => contributionWith({ manifestDigest: idOf<Digest>('swapped') }),
    ],
    ['owner swapped on the chain', 'MANIFEST_MISMATCH', () => contributionWith({ owner: idOf<Address>('thief') })],
    [
      'share under another holder set',
      'MANIFEST_MISMATCH',
      () => contributionWith({ holderSetId: idOf<HolderSetId>('other') }),
    ],
    [
      'contribution of another dataset',
      'DATASET_MISMATCH',
      () => contributionWith({ datasetId: idOf<DatasetId>('other') }),
    ],
  ];
  it.each(consentRows)('%s → %s, and the refusal is in the log', async (_name, code, change) => {
    change();
    const [{ reply }] = (await releaseFrom(holders.slice(0, 1))) as [Awaited<ReturnType<typeof releaseFrom>>[0]];
    expect(reply.body.entries[0]!.decision).toBe(code);
    expect(reply.body.sealedShares).toBeUndefined();
    const { log } = holders[0]!.holder;
    const logged = log.entriesOf(dealt.manifest.contributionId, log.size);
    expect(logged.map(({ leaf }) => ReleaseLeafBcs.parse(leaf).decision)).toEqual([code]);
  });

  it('answers for each contribution on its own', async () => {
    chain.put('dataset', aDataset({ contributionCount: 3 }));
    const unknown = idOf<ContributionId>('never registered');
    const elsewhere = idOf<ContributionId>('registered, but its share is not here');
    chain.put(
      'contribution',
      aContribution({ id: elsewhere, owner: wallet.address, manifestDigest: idOf<Digest>('elsewhere') }),
    );
    chain.put('grant', aGrant({ id: idOf<GrantId>('g2'), contributionId: elsewhere, grantor: wallet.address }));
    const ids = [unknown, dealt.manifest.contributionId, elsewhere];
    const [{ reply }] = (await releaseFrom(holders.slice(0, 1), ids)) as [Awaited<ReturnType<typeof releaseFrom>>[0]];
    const codes = reply.body.entries.map(({ decision }) => decision);
    expect(codes).toEqual(['NOT_FOUND', 'RELEASED', 'NOT_FOUND']);
    const { log } = holders[0]!.holder;
    expect(ids.map((id) => log.entriesOf(id, log.size).map(({ leafIndex }) => leafIndex))).toEqual([[0], [1], [2]]);
  });

  it('a challenge is good once, for its job, at its holder, for 60 s', async () => {
    const [holder, other] = holders as [RunningHolder, RunningHolder];
    const challenge = await challengeFrom(holder);
    const bundle = await runner.evidence([challenge], JOB);
    expect(await codeOf(holder, { challenge, bundle })).toBe('RELEASED');
    expect(await codeOf(holder, { challenge, bundle })).toBe('CHALLENGE_USED');
    expect(await codeOf(other, { challenge, bundle })).toBe('CHALLENGE_UNKNOWN');
    expect(await codeOf(holder, { challenge: toBase64(new Uint8Array(32)) })).toBe('CHALLENGE_UNKNOWN');
    expect(await codeOf(holder, { challenge: await challengeFrom(holder, idOf<JobId>('other')) })).toBe(
      'CHALLENGE_UNKNOWN',
    );
    const registration = await call<{ challenge: string }>(holder, '/v1/challenges', {
      for: 'registration',
      daoId: DAO,
    });
    expect(await codeOf(holder, { challenge: registration.body.challenge })).toBe('CHALLENGE_UNKNOWN');
    const late = await challengeFrom(holder);
    clock.advance(LIMITS.challengeTermMs);
    expect(await codeOf(holder, { challenge: late, bundle: await runner.evidence([late], JOB) })).toBe('RELEASED');
    const tooLate = await challengeFrom(holder);
    clock.advance(LIMITS.challengeTermMs + 1);
    expect(await codeOf(holder, { challenge: tooLate })).toBe('CHALLENGE_EXPIRED');
  });

  it('of two requests with one challenge at once, one gets it', async () => {
    const challenge = await challengeFrom(holders[0]!);
    const bundle = await runner.evidence([challenge], JOB);
    const codes = await Promise.all([1, 2, 3].map(() => codeOf(holders[0]!, { challenge, bundle })));
    expect(codes.sort()).toEqual(['CHALLENGE_USED', 'CHALLENGE_USED', 'RELEASED']);
  });

  it('whoever cannot prove who they are is refused as a whole and not logged', async () => {
    const [holder] = holders as [RunningHolder];
    const fresh = async (by: TestRunner, jobId: Hex32 = JOB, keys = {}) => {
      const challenge = await challengeFrom(holder);
      return { challenge, bundle: await by.evidence([challenge], jobId, keys) };
    };
    expect(await codeOf(holder, await fresh(stranger))).toBe('ATTESTATION_REFUSED');
    expect(await codeOf(holder, await fresh(runner, idOf('other job')))).toBe('ATTESTATION_REFUSED');
    const replayed = { bundle: (await fresh(runner)).bundle };
    expect(await codeOf(holder, replayed)).toBe('ATTESTATION_REFUSED');
    expect(await codeOf(holder, await fresh(runner, JOB, { hpkePublicKey: new Uint8Array(32) }))).toBe(
      'INVALID_ARGUMENT',
    );
    const withdrawn = {
      ...anAppraisalPolicy({ version: 2 }),
      profiles: ['software-dev' as const],
      measurements: ['cd'.repeat(48)],
    };
    chain.put('dao', aDao({ policy: aPolicy({ appraisal: withdrawn }) }));
    expect(await codeOf(holder, await fresh(runner))).toBe('ATTESTATION_REFUSED');
    expect(holder.holder.log.size).toBe(0);
  });

  it('an invented job, too many or repeated contributions are refused', async () => {
    const [holder] = holders as [RunningHolder];
    const id = dealt.manifest.contributionId;
    const jobId = idOf<JobId>('invented');
    const challenge = await challengeFrom(holder, jobId);
    expect(await codeOf(holder, { jobId, challenge, bundle: await runner.evidence([challenge], jobId) })).toBe(
      'NOT_FOUND',
    );
    expect(await codeOf(holder, {}, [id, idOf<ContributionId>('more')])).toBe('FORBIDDEN');
    expect(await codeOf(holder, {}, [id, id])).toBe('INVALID_ARGUMENT');
    expect(await codeOf(holder, {}, [])).toBe('INVALID_ARGUMENT');
    expect(holder.holder.log.size).toBe(0);
  });

  it('without its view of the chain it decides nothing', async () => {
    const challenge = await challengeFrom(holders[0]!);
    const bundle = await runner.evidence([challenge], JOB);
    chain.isDown = true;
    expect(await codeOf(holders[0]!, { challenge, bundle })).toBe('CHAIN_UNAVAILABLE');
    expect(holders[0]!.holder.log.size).toBe(0);
  });

  it('bounds the sessions of one runner key', async () => {
    const { perRunner } = holders[0]!.holder.releaseLimits;
    for (let i = 0; i < 120; i++) perRunner.take(toBase64(runner.signing.publicKey), 'test');
    expect(await codeOf(holders[0]!)).toBe('RATE_LIMITED');
    clock.advance(1_000);
    expect(await codeOf(holders[0]!)).toBe('RELEASED');
  });
});

describe('log', () => {
  beforeEach(async () => {
    await deposit(0);
    register();
  });
  const query = async (by = wallet, issuedAtMs = clock.nowMs(), askedOf = holders[0]!) => {
    const { contributionId } = dealt.manifest;
    const reader = testReader();
    const digest = logQueryDigest({ contributionId, readerPublicKey: reader.publicKey, issuedAtMs });
    const statement = walletStatementBytes({ action: WALLET_ACTIONS.logQuery, chainId: 'local:test', digest });
    const signature = await by.signPersonalMessage(statement);
    return call<{
      entries: { leaf: string; leafIndex: number; inclusionProof: string[] }[];
      head: ReleaseAnswer['head'];
    }>(holders[0]!, '/v1/log/query', {
      contributionId,
      issuedAtMs,
      signature,
      reader: await reader.forHolder(digest, askedOf.holder.keys.signing.publicKey),
    });
  };
  const one = () => releaseFrom(holders.slice(0, 1));

  it('shows an owner every decision about their contribution, proven, and nobody else', async () => {
    await one();
    chain.put('job', aJob({ state: 'cancelled' }));
    await one();
    const { body } = await query();
    const { rootHash, treeSize } = TreeHeadBcs.parse(fromBase64(body.head.treeHead));
    expect(body.entries.map(({ leaf }) => ReleaseLeafBcs.parse(fromBase64(leaf)).decision)).toEqual([
      'RELEASED',
      'JOB_STATE',
    ]);
    for (const { leaf, leafIndex, inclusionProof } of body.entries) {
      const proof = inclusionProof.map((hash) => fromBase64(hash));
      const claim = { leafHash: leafHash(fromBase64(leaf)), leafIndex, treeSize, proof, root: fromHex(rootHash) };
      expect(verifyInclusion(claim)).toBe(true);
    }
    expect((await query(testWallet('stranger'))).body.code).toBe('SIGNATURE_INVALID');
    // Another holder repeats here what the owner asked of it.
    const repeated = await query(wallet, clock.nowMs(), holders[1]!);
    expect([repeated.body.code, repeated.body.details]).toEqual(['SIGNATURE_INVALID', { field: 'reader.signature' }]);
    expect((await query(wallet, asTimestampMs(clock.nowMs() - LIMITS.clockSkewMs - 1))).body.code).toBe(
      'INVALID_ARGUMENT',
    );
  });

  it('only grows: any two heads are consistent, and a head of one size is always the same', async () => {
    const heads: { size: number; root: Uint8Array }[] = [];
    for (let i = 0; i < 5; i++) {
      await one();
      clock.advance(1_000);
      const { body } = await call<ReleaseAnswer['head']>(holders[0]!, '/v1/log/head');
      expect((await call(holders[0]!, `/v1/log/head?holderSetId=${SET}`)).body).toEqual(body);
      const { rootHash, treeSize } = TreeHeadBcs.parse(fromBase64(body.treeHead));
      heads.push({ size: treeSize, root: fromHex(rootHash) });
    }
    for (const [i, older] of heads.entries()) {
      for (const newer of heads.slice(i)) {
        const path = `/v1/log/consistency?first=${older.size}&second=${newer.size}`;
        const { body } = await call<{ proof: string[] }>(holders[0]!, path);
        const proof = body.proof.map((hash) => fromBase64(hash));
        const claim = { oldSize: older.size, newSize: newer.size, oldRoot: older.root, newRoot: newer.root, proof };
        expect(verifyConsistency(claim)).toBe(true);
      }
    }
    expect((await call(holders[0]!, '/v1/log/consistency?first=1&second=9')).body.code).toBe('INVALID_ARGUMENT');
    expect((await call(holders[0]!, `/v1/log/head?holderSetId=${idOf('none')}`)).body.code).toBe('NOT_FOUND');
  });

  it('is signed and anchored for the place that a rotation gave this holder', async () => {
    await one();
    const before = TreeHeadBcs.parse(fromBase64((await query()).body.head.treeHead));
    const set = await chain.holderSet(SET);
    const [first, second, third] = set.members;
    chain.put('holder-set', { ...set, version: 2, members: [second!, first!, third!] });
    const after = TreeHeadBcs.parse(fromBase64((await query()).body.head.treeHead));
    expect([before.member, after.member]).toEqual([0, 1]);
    expect([after.treeSize, after.rootHash]).toEqual([before.treeSize, before.rootHash]);
    await anchorTreeHeads(holders[0]!.holder);
    expect(chain.executed.at(-1)![0]).toMatchObject({ kind: 'anchorTreeHead', member: 1 });
    // Who was rotated out anchors nothing any more, and still answers for what it logged.
    await one();
    chain.put('holder-set', { ...set, version: 3, members: [second!, third!] });
    await anchorTreeHeads(holders[0]!.holder);
    expect(chain.executed).toHaveLength(1);
    expect((await query()).status).toBe(200);
  });

  it('is anchored on the chain when it has grown, and a chain that is down keeps nothing waiting', async () => {
    const { holder } = holders[0]!;
    await anchorTreeHeads(holder);
    expect(chain.executed).toEqual([]);
    await one();
    await anchorTreeHeads(holder);
    await anchorTreeHeads(holder);
    expect(chain.executed).toHaveLength(1);
    expect(chain.executed[0]![0]).toMatchObject({ kind: 'anchorTreeHead', holderSetId: SET, member: 0 });
    await one();
    chain.isDown = true;
    await anchorTreeHeads(holder);
    chain.isDown = false;
    await anchorTreeHeads(holder);
    expect(chain.executed).toHaveLength(2);
  });
});

describe('restart', () => {
  it('after a kill the shares, the log and used challenges are still there', async () => {
    await deposit(0);
    register();
    const before = (await deposit(0)).body;
    await releaseFrom(holders.slice(0, 1));
    const head = (await call<ReleaseAnswer['head']>(holders[0]!, '/v1/log/head')).body;
    const challenge = await challengeFrom(holders[0]!);
    const bundle = await runner.evidence([challenge], JOB);
    const contributionIds = [dealt.manifest.contributionId];
    const request = await runner.asks({ jobId: JOB, challenge, bundle, contributionIds });
    await call(holders[0]!, '/v1/releases', request);
    // The first process is not stopped: its database is as a kill would leave it.
    const again = await start(1);
    expect(again.holder.log.size).toBe(2);
    expect((await call(again, '/v1/releases', request)).body.code).toBe('CHALLENGE_USED');
    expect((await call(again, '/v1/shares', await depositOf(again, dealt.shares[0]!))).body).toEqual(before);
    const [released] = (await releaseFrom([again])) as [Awaited<ReturnType<typeof releaseFrom>>[0]];
    expect(await openReleased(released)).toEqual(dealt.shares[0]);
    const { body } = await call<{ proof: string[] }>(again, '/v1/log/consistency?first=1&second=3');
    const newer = TreeHeadBcs.parse(fromBase64(released.reply.body.head.treeHead));
    const older = TreeHeadBcs.parse(fromBase64(head.treeHead));
    const claim = { oldSize: 1, newSize: 3, oldRoot: fromHex(older.rootHash), newRoot: fromHex(newer.rootHash) };
    expect(verifyConsistency({ ...claim, proof: body.proof.map((hash) => fromBase64(hash)) })).toBe(true);
  });

  it('from an old backup it refuses until it has all of its log again: releases, openings, epochs, and its head', async () => {
    await deposit(0);
    register();
    await releaseFrom(holders.slice(0, 1));
    const { keys } = holders[0]!.holder;
    const data = join(folder, 'holder-1');
    const [old, whole] = [join(folder, 'old'), join(folder, 'whole')];
    await holders[0]!.close();
    cpSync(data, old, { recursive: true });
    holders[0] = await start(1);
    await releaseFrom(holders.slice(0, 1));
    await holders[0].close();
    cpSync(data, whole, { recursive: true });
    const restore = async (backup: string): Promise<void> => {
      rmSync(data, { recursive: true });
      cpSync(backup, data, { recursive: true });
      holders[0] = await start(1);
    };
    const anchored = (size: number, rootHash: Digest): void => {
      const data_ = { type: 'TreeHeadAnchored' as const, holderSetId: SET, member: 0, treeSize: size, rootHash };
      chain.putEvent(data_, keys.operator.address);
    };
    const asked = async () => (await releaseFrom(holders.slice(0, 1)))[0]!.reply;

    await restore(whole);
    const head = TreeHeadBcs.parse(
      fromBase64((await call<ReleaseAnswer['head']>(holders[0], '/v1/log/head')).body.treeHead),
    );
    expect(head.treeSize).toBe(2);
    anchored(2, head.rootHash);
    await holders[0].close();

    await restore(old);
    const refused = await asked();
    expect([refused.status, refused.body.code]).toEqual([503, 'LOG_BEHIND']);
    expect(refused.body.details).toMatchObject({ anchored: '2', here: '1' });
    expect(holders[0].holder.log.size).toBe(1);
    expect((await call(holders[0], '/readyz')).body.code).toBe('LOG_BEHIND');
    expect((await call(holders[0], '/healthz')).status).toBe(200);
    await anchorTreeHeads(holders[0].holder);
    expect(chain.executed).toEqual([]);
    const signature = toBase64(new Uint8Array(64));
    const opening = { receiptDigest: idOf('receipt'), sealedOpening: 'AAAA' };
    expect((await call(holders[0], '/v1/openings', opening)).body.code).toBe('LOG_BEHIND');
    const statement = { statement: 'AAAA', settlerSignature: signature, receipts: [], sealedSeed: 'AAAA' };
    const countersigned = countersign(holders[0].holder, statement as never);
    await expect(countersigned).rejects.toMatchObject({ code: 'LOG_BEHIND' });
    // What it has it still takes, shows and destroys.
    expect((await deposit(0)).status).toBe(200);
    expect((await call(holders[0], '/v1/log/head')).status).toBe(200);
    await holders[0].close();

    await restore(whole);
    expect((await call(holders[0], '/readyz')).status).toBe(200);
    expect((await asked()).body.entries).toMatchObject([{ decision: 'RELEASED' }]);
    expect(holders[0].holder.log.size).toBe(3);
  });

  it('refuses data of another identity', async () => {
    await holders[0]!.close();
    const other = startKeyHolder({
      host: '127.0.0.1',
      port: 0,
      dataDir: join(folder, 'holder-1'),
      holderSecret: secretOf(9),
      allowedOrigins: [],
      anchorIntervalMs: 60_000,
      standIns: [],
      chain,
      desk: new AppraisalDesk({ roots: productionRoots() }),
      clock,
      random: seededRandom('x'),
      logger: silent,
    });
    await expect(other).rejects.toMatchObject({ code: 'CONFIG_INVALID', details: { setting: 'HOLDER_SECRET' } });
  });
});

describe('HTTP', () => {
  it('says who it is and which parts are stand-ins', async () => {
    const { body } = await call(holders[0]!, '/v1/identity');
    const { keys } = holders[0]!.holder;
    expect(body).toEqual({
      signingPublicKey: toBase64(keys.signing.publicKey),
      sealingPublicKey: toBase64(keys.sealing.publicKey),
      operator: keys.operator.address,
      chainId: 'local:test',
      standIns: ['local chain'],
    });
  });

  it('lets the portal in and no other site', async () => {
    const { url } = holders[0]!;
    const preflight = (origin: string) =>
      fetch(`${url}/v1/shares`, { method: 'OPTIONS', headers: { origin, connection: 'close' } });
    const allowed = await preflight('http://portal.local');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('http://portal.local');
    expect((await preflight('http://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([
    ['/v1/releases', '{', 'MALFORMED_REQUEST', 400],
    ['/v1/releases', '{}', 'INVALID_ARGUMENT', 400],
    ['/v1/challenges', '{"for":"release","jobId":"0x1"}', 'INVALID_ARGUMENT', 400],
    ['/v1/nothing', '{}', 'NOT_FOUND', 404],
    ['/v1/shares', 'x'.repeat(LIMITS.httpBodyBytes + 1), 'REQUEST_TOO_LARGE', 413],
  ])('%s with a bad body', async (path, body, code, status) => {
    const response = await fetch(`${holders[0]!.url}${path}`, {
      method: 'POST',
      body,
      headers: { connection: 'close' },
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });

  it('is healthy without the chain, and ready only with it', async () => {
    chain.isDown = true;
    expect((await call(holders[0]!, '/healthz')).status).toBe(200);
    expect((await call(holders[0]!, '/readyz')).status).toBe(503);
    chain.isDown = false;
    expect((await call(holders[0]!, '/readyz')).status).toBe(200);
  });
});

it('(the manifest builder derives ids as clients do)', () => {
  const { datasetId, owner, salt, contributionId } = dealt.manifest;
  expect(contributionId).toBe(deriveId<ContributionId>('contribution', datasetId, owner, salt));
});
