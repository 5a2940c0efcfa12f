import { describe, expect, it } from '@jest/globals';
import { verify } from '@usufruct/crypto';
import { refuse, type Digest, type TimestampMs } from '@usufruct/kernel';
import { EgressTokenBcs, isLetOut, egressTokenDigest, type EgressToken } from '@usufruct/protocol';
import { aPolicy, idOf, TEST_NOW_MS, testChainInfo } from '@usufruct/testing';
import {
  RAG,
  TRAIN,
  other,
  stranger,
  chain,
  clock,
  holders,
  restart,
  call,
  type Asking,
  challengeOf,
  proof,
  type Made,
  makeKey,
  depositAt,
  decisionAt,
  idAt,
  contribution,
  grant,
  revoke,
  logged,
  useLeasingHolders,
} from '../testing/leasing-holders.js';

useLeasingHolders();

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
