import { beforeEach, describe, expect, it } from '@jest/globals';
import { combine, leafHash, verify, verifyRange } from '@usufruct/crypto';
import {
  fromBase64,
  fromHex,
  toBase64,
  type Address,
  type ContributionId,
  type DatasetId,
  type Digest,
  type GrantId,
  type Hex32,
  type HolderSetId,
  type JobId,
} from '@usufruct/kernel';
import { LIMITS, ReleaseLeafBcs, TAGS, TreeHeadBcs, type ReleaseAnswer } from '@usufruct/protocol';
import {
  aContribution,
  aDao,
  aDataset,
  aGrant,
  aJob,
  anAppraisalPolicy,
  aPolicy,
  idOf,
  someTerms,
  TEST_MEASUREMENT,
  TEST_NOW_MS,
  type TestRunner,
} from '@usufruct/testing';
import type { RunningHolder } from '../start.js';
import {
  JOB,
  DAO,
  DATASET,
  SET,
  wallet,
  runner,
  stranger,
  chain,
  clock,
  holders,
  dealt,
  call,
  deposit,
  register,
  challengeFrom,
  releaseFrom,
  openReleased,
  leavesOf,
  useHolders,
} from '../testing/three-holders.js';

useHolders();

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
