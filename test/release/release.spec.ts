import { afterEach, describe, expect, it } from '@jest/globals';
import { sign } from '@usufruct/crypto';
import {
  asTimestampMs,
  fromBase64,
  toBase64,
  toUsufructError,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type JobId,
  type RunnerId,
} from '@usufruct/kernel';
import { makeEvidence } from '@usufruct/attestation';
import {
  contributionListDigest,
  LIMITS,
  ReleaseRequestBcs,
  runnerIdOf,
  TAGS,
  type EvidenceBundle,
  type ReleaseRequest,
} from '@usufruct/protocol';
import {
  aContribution,
  aDao,
  aDataset,
  aJob,
  anAppraisalPolicy,
  aPolicy,
  idOf,
  someTerms,
  TEST_NOW_MS,
} from '@usufruct/testing';
import type { RunnerContext } from '../../apps/enclave-runner/src/context.js';
import { away, inTurn, JOB, ReleaseWorld } from './release-world.js';

let world: ReleaseWorld;
afterEach(() => world.close());

const idsOf = (w: ReleaseWorld): ContributionId[] => w.dealt.map(({ manifest }) => manifest.contributionId);

/** What a runner sends to one holder, each part as the test wants it. */
async function requestOf(
  context: RunnerContext,
  n: number,
  contributionIds: readonly ContributionId[],
  changes: Partial<ReleaseRequest> & { readonly jobId?: JobId; readonly signed?: readonly ContributionId[] } = {},
): Promise<ReleaseRequest> {
  const { signed = contributionIds, ...rest } = changes;
  const jobId = rest.jobId ?? JOB;
  const challenge = rest.challenge ?? toBase64(await world.holderPort(n).challenge({ for: 'release', jobId }));
  const challenges = [fromBase64(challenge)];
  const bundle: EvidenceBundle =
    rest.bundle ?? (await makeEvidence(context.device, { challenges, jobId, keys: context.keys.bound }));
  const { chainId } = await world.chain.info();
  const message = ReleaseRequestBcs.serialize({
    chainId,
    jobId,
    challenge: fromBase64(challenge),
    asked: contributionListDigest(signed),
  }).toBytes();
  const { secretKey } = context.keys.signing;
  const signature = toBase64(await sign({ secretKey, domainTag: TAGS.releaseRequest, message }));
  return { jobId, challenge, bundle, contributionIds: [...contributionIds], signature, ...rest };
}
const ask = (n: number, request: ReleaseRequest): Promise<string> =>
  world
    .holderPort(n)
    .release(request)
    .then(
      ({ entries }) => entries.map(({ decision }) => decision).join(),
      (error: unknown) => toUsufructError(error).code,
    );

describe('a release, from the runner to real holders', () => {
  it('of many contributions is one request, one challenge and one appraisal at each holder, and all keys are proven', async () => {
    world = await ReleaseWorld.of(600);
    const answers: Promise<unknown>[] = [];
    const holders = world.ports().map((port) => ({
      ...port,
      release: (request: ReleaseRequest) => {
        const answer = port.release(request);
        answers.push(answer);
        return answer;
      },
    }));
    const outcomes = await world.outcomes(await world.runner({ holders }));
    expect(new Set(outcomes)).toEqual(new Set(['KEY']));
    // A runner does not wait long for a third when two have answered.
    await Promise.all(answers);
    expect({ requests: answers.length, sizes: world.holders.map(({ holder }) => holder.log.size) }).toEqual({
      requests: 3,
      sizes: [600, 600, 600],
    });
    const heads = world.holders[0]!.holder.database.prepare('SELECT count(*) AS n FROM tree_heads').get();
    expect(heads).toEqual({ n: 1 });
  }, 180_000);

  it('a grant that is revoked between two holders leaves the runner one share, and no key', async () => {
    world = await ReleaseWorld.of(2);
    const [revoked] = idsOf(world) as [ContributionId];
    const holders = inTurn(world.ports(), () => world.grant(revoked, { revokedAtMs: TEST_NOW_MS }));
    expect(await world.outcomes(await world.runner({ holders }))).toEqual(['SHARES_INSUFFICIENT GRANT_REVOKED', 'KEY']);
  });

  it('a measurement that is withdrawn between two holders leaves it no key at all', async () => {
    world = await ReleaseWorld.of(2);
    const appraisal = { ...anAppraisalPolicy({ version: 2 }), profiles: ['software-dev' as const], measurements: [] };
    const holders = inTurn(world.ports(), () => void world.chain.put('dao', aDao({ policy: aPolicy({ appraisal }) })));
    const runner = await world.runner({ holders });
    expect(await world.outcomes(runner)).toEqual(['SHARES_INSUFFICIENT', 'SHARES_INSUFFICIENT']);
    const passedOver = world.lines.filter(({ event }) => event === 'release.member_passed_over');
    expect(passedOver.map(({ fields }) => fields['code'])).toEqual(['ATTESTATION_REFUSED', 'ATTESTATION_REFUSED']);
  });

  it('what is withdrawn while a holder reads thousands of grants counts, too', async () => {
    world = await ReleaseWorld.of(1);
    const appraisal = { ...anAppraisalPolicy({ version: 2 }), profiles: ['software-dev' as const], measurements: [] };
    const { grantsOfEach } = world.chain;
    world.chain.grantsOfEach = async (ids) => {
      const grants = await grantsOfEach(ids);
      world.chain.put('dao', aDao({ policy: aPolicy({ appraisal }) }));
      return grants;
    };
    const context = await world.runner();
    expect(await ask(0, await requestOf(context, 0, idsOf(world)))).toBe('ATTESTATION_REFUSED');
  });

  it('works with two of three, and with one it is refused', async () => {
    world = await ReleaseWorld.of(1);
    const ports = world.ports();
    expect(await world.outcomes(await world.runner({ holders: [away(ports[0]!), ...ports.slice(1)] }))).toEqual([
      'KEY',
    ]);
    const holders = [away(ports[0]!), away(ports[1]!), ports[2]!];
    expect(await world.outcomes(await world.runner({ holders }))).toEqual(['SHARES_INSUFFICIENT']);
  });

  it('a holder that never answers is not waited for', async () => {
    world = await ReleaseWorld.of(1);
    const ports = world.ports();
    const never = () => new Promise<never>(() => undefined);
    for (const slow of [{ identity: never }, { challenge: never }, { release: never }]) {
      const holders = [{ ...ports[0]!, ...slow }, ...ports.slice(1)];
      expect(await world.outcomes(await world.runner({ holders }))).toEqual(['KEY']);
    }
  });

  it('a job that is settled, or over by the holders’ clocks, gives nothing', async () => {
    world = await ReleaseWorld.of(1);
    world.chain.put('job', aJob({ state: 'succeeded' }));
    expect(await world.outcomes(await world.runner())).toEqual(['SHARES_INSUFFICIENT JOB_STATE']);
    world.chain.put('job', aJob());
    for (const clock of world.holderClocks) clock.advance(aJob().expiresAtMs - TEST_NOW_MS);
    expect(await world.outcomes(await world.runner())).toEqual(['SHARES_INSUFFICIENT JOB_EXPIRED']);
  });

  it('a holder whose clock is far ahead refuses, and the others do', async () => {
    world = await ReleaseWorld.of(1);
    world.holderClocks[0]!.advance(aJob().expiresAtMs - TEST_NOW_MS);
    expect(await world.outcomes(await world.runner())).toEqual(['KEY']);
    expect(await ask(0, await requestOf(await world.runner(), 0, idsOf(world)))).toBe('JOB_EXPIRED');
  });

  it('a holder whose clock is far behind goes by the chain, which is further than that', async () => {
    world = await ReleaseWorld.of(2);
    const [expired] = idsOf(world) as [ContributionId];
    const HOUR_MS = 3_600_000;
    world.chain.put('job', aJob({ expiresAtMs: asTimestampMs(TEST_NOW_MS + 2 * HOUR_MS) }));
    world.grant(expired, { terms: someTerms({ expiresAtMs: asTimestampMs(TEST_NOW_MS + HOUR_MS) }) });
    expect(await ask(0, await requestOf(await world.runner(), 0, idsOf(world)))).toBe('RELEASED,RELEASED');
    const opened = { type: 'DaoUnpaused', daoId: idOf<DaoId>('another DAO') } as const;
    world.chain.putEvent(opened, idOf('somebody'), asTimestampMs(TEST_NOW_MS + HOUR_MS));
    expect(await ask(0, await requestOf(await world.runner(), 0, idsOf(world)))).toBe('GRANT_EXPIRED,RELEASED');
    world.chain.putEvent(opened, idOf('somebody'), asTimestampMs(TEST_NOW_MS + 2 * HOUR_MS));
    expect(await ask(0, await requestOf(await world.runner(), 0, idsOf(world)))).toBe('GRANT_EXPIRED,JOB_EXPIRED');
  });

  it('a share that was swapped for another of the same holder is named, and the key made without it', async () => {
    world = await ReleaseWorld.of(3);
    const [first, second] = world.dealt as [(typeof world.dealt)[0], (typeof world.dealt)[0]];
    const { holder } = world.holders[0]!;
    const swapped = holder.shares.encrypt(first.digest, holder.shares.decrypt(holder.shares.find(second.digest)!));
    holder.database.prepare('UPDATE shares SET encrypted = ? WHERE manifest_digest = ?').run(swapped, first.digest);
    expect(await world.outcomes(await world.runner())).toEqual(['KEY', 'KEY', 'KEY']);
    const named = world.lines.filter(({ event }) => event === 'release.bad_share').map(({ fields }) => fields);
    expect(named).toEqual([{ contributionId: idsOf(world)[0], holderSetId: aDao().policy.holderSetId, indexes: [1] }]);
  });

  it('a row that does not open is refused by itself, loudly', async () => {
    world = await ReleaseWorld.of(2);
    const { holder } = world.holders[0]!;
    const { digest } = world.dealt[0]!;
    const row = holder.shares.find(digest)!.encrypted;
    const broken = row.map((byte, i) => (i === 20 ? byte ^ 1 : byte));
    holder.database.prepare('UPDATE shares SET encrypted = ? WHERE manifest_digest = ?').run(broken, digest);
    expect(await ask(0, await requestOf(await world.runner(), 0, idsOf(world)))).toBe('INTERNAL,RELEASED');
    expect(world.lines.map(({ event }) => event)).toContain('share.broken');
  });
});

describe('a bad request', () => {
  type Change = (context: RunnerContext, w: ReleaseWorld) => Promise<Partial<ReleaseRequest>> | Partial<ReleaseRequest>;
  const otherList: Change = (_context, w) => ({ contributionIds: idsOf(w).toReversed() });
  const rows: [string, string, Change][] = [
    ['a challenge of its own making', 'CHALLENGE_UNKNOWN', () => ({ challenge: toBase64(new Uint8Array(32)) })],
    [
      'a challenge of another holder',
      'CHALLENGE_UNKNOWN',
      async () => ({ challenge: toBase64(await world.ports()[1]!.challenge({ for: 'release', jobId: JOB })) }),
    ],
    [
      'a challenge for another job',
      'CHALLENGE_UNKNOWN',
      async () => ({
        challenge: toBase64(await world.ports()[0]!.challenge({ for: 'release', jobId: idOf<JobId>('other') })),
      }),
    ],
    [
      'a challenge for a registration',
      'CHALLENGE_UNKNOWN',
      async () => ({
        challenge: toBase64(await world.ports()[0]!.challenge({ for: 'registration', daoId: aDao().id })),
      }),
    ],
    [
      'a challenge that has expired',
      'CHALLENGE_EXPIRED',
      async () => {
        const challenge = toBase64(await world.ports()[0]!.challenge({ for: 'release', jobId: JOB }));
        world.holderClocks[0]!.advance(LIMITS.challengeTermMs + 1);
        return { challenge };
      },
    ],
    [
      'evidence of another request',
      'ATTESTATION_REFUSED',
      async (context, w) => ({ bundle: (await requestOf(context, 0, idsOf(w))).bundle }),
    ],
    ['a list that the runner did not sign', 'SIGNATURE_INVALID', otherList],
    ['a signature of zeros', 'SIGNATURE_INVALID', () => ({ signature: toBase64(new Uint8Array(64)) })],
    [
      'a signature for another challenge',
      'SIGNATURE_INVALID',
      async (context, w) => ({ signature: (await requestOf(context, 0, idsOf(w))).signature }),
    ],
    ['a job that somebody invented', 'NOT_FOUND', () => ({ jobId: idOf<JobId>('invented') })],
    [
      'more contributions than the dataset has',
      'FORBIDDEN',
      (_context, w) => ({ contributionIds: [...idsOf(w), idOf<ContributionId>('more')] }),
    ],
  ];
  it.each(rows)('%s → %s, and nothing is released or logged', async (_name, code, change) => {
    world = await ReleaseWorld.of(2);
    const context = await world.runner();
    const changes = await change(context, world);
    const ids = code === 'FORBIDDEN' ? changes.contributionIds! : idsOf(world);
    const request = await requestOf(context, 0, ids, changes);
    expect(await ask(0, request)).toBe(code);
    expect(world.holders[0]!.holder.log.size).toBe(0);
  });

  it('an attested key that is no key is refused before anything is decided', async () => {
    world = await ReleaseWorld.of(1);
    const context = await world.runner();
    const { keys } = context;
    const bound = { ...keys.bound, hpkePublicKey: new Uint8Array(32) };
    const request = await requestOf({ ...context, keys: { ...keys, bound } }, 0, idsOf(world));
    expect(await ask(0, request)).toBe('INVALID_ARGUMENT');
    expect(world.holders[0]!.holder.log.size).toBe(0);
  });

  it('a runner whose key the DAO has withdrawn gets nothing, and the others do', async () => {
    world = await ReleaseWorld.of(1);
    const [liar, honest] = [await world.runner(), await world.runner()];
    const runnerId = runnerIdOf<RunnerId>(liar.keys.bound.signingPublicKey);
    const withdrawn = { type: 'RunnerWithdrawn', runnerId } as const;
    world.chain.putEvent({ ...withdrawn, daoId: idOf<DaoId>('another DAO') }, idOf('anybody'));
    expect(await ask(0, await requestOf(liar, 0, idsOf(world)))).toBe('RELEASED');
    world.chain.putEvent({ ...withdrawn, daoId: aDao().id }, idOf('anybody'));
    expect(await ask(0, await requestOf(liar, 0, idsOf(world)))).toBe('RUNNER_NOT_REGISTERED');
    expect(await world.outcomes(liar)).toEqual(['SHARES_INSUFFICIENT']);
    expect(await world.outcomes(honest)).toEqual(['KEY']);
  });

  it('the same challenge releases once, also for another list; a new one releases again', async () => {
    world = await ReleaseWorld.of(2);
    const context = await world.runner();
    const request = await requestOf(context, 0, idsOf(world));
    expect(await ask(0, request)).toBe('RELEASED,RELEASED');
    expect(await ask(0, request)).toBe('CHALLENGE_USED');
    const { challenge } = request;
    expect(await ask(0, await requestOf(context, 0, idsOf(world).slice(0, 1), { challenge }))).toBe('CHALLENGE_USED');
    expect(await ask(0, await requestOf(context, 0, idsOf(world)))).toBe('RELEASED,RELEASED');
    expect(world.holders[0]!.holder.log.size).toBe(4);
  });

  it('a manifest that was swapped on the chain, and a share of it, are no way to a key', async () => {
    world = await ReleaseWorld.of(1);
    const { contributionId: id, owner } = world.dealt[0]!.manifest;
    world.chain.put('contribution', aContribution({ id, owner, manifestDigest: idOf<Digest>('swapped') }));
    expect(await world.outcomes(await world.runner())).toEqual(['SHARES_INSUFFICIENT MANIFEST_MISMATCH']);
  });
});

describe('what a job cannot need', () => {
  const foreign = () => world.deal('of another dataset', idOf<DatasetId>('other dataset'));

  it('is a contribution of another dataset: nothing of the request is released, and nothing of a later one', async () => {
    world = await ReleaseWorld.of(2);
    world.chain.put('dataset', aDataset({ contributionCount: 9 }));
    const other = foreign();
    await world.contribute(other);
    const context = await world.runner();
    const ids = [...idsOf(world), other.manifest.contributionId];
    expect(await ask(0, await requestOf(context, 0, ids))).toBe('FORBIDDEN,FORBIDDEN,DATASET_MISMATCH');
    expect(await ask(0, await requestOf(context, 0, idsOf(world)))).toBe('FORBIDDEN');
    expect(world.holders[0]!.holder.log.size).toBe(3);
    expect(world.lines.filter(({ event }) => event === 'anomaly')).toHaveLength(1);

    // Kept over a restart; who reads it can hold the runner's signature against it.
    await world.holders[0]!.close();
    await world.startHolder(0);
    expect(await ask(0, await requestOf(context, 0, idsOf(world)))).toBe('FORBIDDEN');
    const [kept] = await world.anomalies();
    expect(kept).toMatchObject({
      jobId: JOB,
      daoId: aDao().id,
      reason: 'other-dataset',
      times: 1,
      runnerSigningKey: toBase64(context.keys.bound.signingPublicKey),
    });
    expect(ReleaseRequestBcs.parse(fromBase64(kept!.request)).asked).toBe(contributionListDigest(ids));

    // Another runner, and the same one at another holder, are not stopped by it.
    expect(await ask(0, await requestOf(await world.runner(), 0, idsOf(world)))).toBe('RELEASED,RELEASED');
    expect(await ask(1, await requestOf(context, 1, idsOf(world)))).toBe('RELEASED,RELEASED');
  });

  it('is a list longer than the dataset; it is kept, and an honest list goes through afterwards', async () => {
    world = await ReleaseWorld.of(1);
    const context = await world.runner();
    const ids = [...idsOf(world), idOf<ContributionId>('more')];
    for (let i = 0; i < 2; i++) expect(await ask(0, await requestOf(context, 0, ids))).toBe('FORBIDDEN');
    expect(await world.anomalies()).toMatchObject([{ reason: 'more-than-dataset', times: 2 }]);
    expect(await ask(0, await requestOf(context, 0, idsOf(world)))).toBe('RELEASED');
  });

  it('is a list that somebody else made longer: that is no word of the runner, and not kept', async () => {
    world = await ReleaseWorld.of(1);
    const context = await world.runner();
    const ids = [...idsOf(world), idOf<ContributionId>('more')];
    expect(await ask(0, await requestOf(context, 0, ids, { signed: idsOf(world) }))).toBe('SIGNATURE_INVALID');
    expect(await world.anomalies()).toEqual([]);
  });

  it('is asking again and again: more often than the sessions of the job could, also over a restart', async () => {
    world = await ReleaseWorld.of(1);
    const job = aJob({ fundedAtMs: TEST_NOW_MS, expiresAtMs: asTimestampMs(TEST_NOW_MS + LIMITS.sessionTermMs) });
    world.chain.put('job', job);
    const context = await world.runner();
    for (let i = 0; i < 48; i++) expect(await ask(0, await requestOf(context, 0, idsOf(world)))).toBe('RELEASED');
    await world.holders[0]!.close();
    await world.startHolder(0);
    expect(await ask(0, await requestOf(context, 0, idsOf(world)))).toBe('FORBIDDEN');
    expect(await world.anomalies()).toMatchObject([{ reason: 'too-often' }]);
  });

  it('is bounded for a runner, a dataset and a DAO', async () => {
    world = await ReleaseWorld.of(1);
    const { releaseLimits } = world.holders[0]!.holder;
    const one = await world.runner();
    const key = toBase64(one.keys.bound.signingPublicKey);
    for (const [limiter, name, atMost] of [
      [releaseLimits.perRunner, key, 120],
      [releaseLimits.perDataset, aDataset().id, 600],
      [releaseLimits.perDao, aDao().id, 1_200],
      [releaseLimits.sharesPerRunner, key, 200_000],
      [releaseLimits.sharesPerDao, aDao().id, 1_000_000],
    ] as const) {
      limiter.take(name, 'test', atMost);
      expect(await ask(0, await requestOf(one, 0, idsOf(world)))).toBe('RATE_LIMITED');
      world.holderClocks[0]!.advance(60_000);
      expect(await ask(0, await requestOf(one, 0, idsOf(world)))).toBe('RELEASED');
      world.holderClocks[0]!.advance(60_000);
    }
  });
});
