import { describe, expect, it } from '@jest/globals';
import { combine, verify } from '@usufruct/crypto';
import { asAmount, asTimestampMs, fromBase64, type Digest, type GrantId, type JobId } from '@usufruct/kernel';
import {
  LeasedShareReceiptBcs,
  LIMITS,
  LogLeafBcs,
  TAGS,
  logQueryDigest,
  WALLET_ACTIONS,
  walletStatementBytes,
  type JobView,
  type LogAnswer,
} from '@usufruct/protocol';
import {
  aContribution,
  aDataset,
  aGrant,
  aJob,
  anAppraisalPolicy,
  idOf,
  TEST_NOW_MS,
  testReader,
  testWallet,
  type TestRunner,
} from '@usufruct/testing';
import { destroySuperseded } from './sweep.js';
import {
  MINUTE,
  RAG,
  LATER,
  TRAIN,
  runner,
  other,
  stranger,
  chain,
  clock,
  holders,
  restart,
  call,
  challengeOf,
  proof,
  type Made,
  currentVersion,
  makeKey,
  depositAt,
  leaseAt,
  decisionAt,
  idAt,
  contribution,
  grant,
  revoke,
  logged,
  onDisk,
  useLeasingHolders,
} from '../testing/leasing-holders.js';

useLeasingHolders();

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
