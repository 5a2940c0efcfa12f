import { beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf, generateSigningKey, sign } from '@usufruct/crypto';
import {
  asAmount,
  asTimestampMs,
  asWeight,
  fromBase64,
  fromHex,
  toBase64,
  type Address,
  type ContributionId,
  type Digest,
  type GrantId,
  type Hex32,
  type JobId,
  type QuestionId,
  type RunnerId,
} from '@usufruct/kernel';
import {
  answerResultBytes,
  NO_EVIDENCE,
  receiptDigest,
  resultCommitment,
  runnerIdOf,
  TAGS,
  toWireJson,
  UsageReceiptBcs,
  usesCommitment,
  type Answer,
  type ChainEventData,
  type TransactionOutcome,
  type UsageReceipt,
} from '@usufruct/protocol';
import { aDao, aJob, aRunner, idOf, seededRandom, TEST_NOW_MS, testChainInfo } from '@usufruct/testing';
import { ASKED_CHECKS } from './asked.js';
import { zReceiptEvidence, type ReceiptEvidence } from './evidence.js';
import { RECEIPT_CHECKS, verifyReceipt, type ReceiptCheck } from './verify.js';

const key = generateSigningKey(seededRandom('runner'));
/** In ascending order, as a receipt commits to them. */
const [FIRST, SECOND] = [idOf<ContributionId>('one'), idOf<ContributionId>('two')].sort() as [
  ContributionId,
  ContributionId,
];
const [ALICE, BOB] = [idOf<Address>('alice'), idOf<Address>('bob')];
const QUESTION = idOf<QuestionId>('question');
const uses = [
  { contributionId: FIRST, grantId: idOf<GrantId>('grant-1'), weight: asWeight(3n) },
  { contributionId: SECOND, grantId: idOf<GrantId>('grant-2'), weight: asWeight(1n) },
];
const answer = {
  text: 'Because of three days of cloud. [1]',
  generator: 'extractive',
  sentences: [{ text: 'Because of three days of cloud.', citations: [0] }],
  citations: [{ contributionId: FIRST, fileName: 'report.txt', locator: '', quote: 'Because of three days of cloud.' }],
  uses,
  usesSalt: idOf('uses-salt'),
  resultSalt: idOf('result-salt'),
} satisfies Answer;
const chain = testChainInfo();
const job = aJob(); // 1 000 000 units; split 8000, 1000, 800, 200
const dao = aDao();
const runner = aRunner({ id: runnerIdOf<RunnerId>(key.publicKey), signingPublicKey: toBase64(key.publicKey) });

const receipt: UsageReceipt = {
  chainId: chain.chainId,
  packageId: chain.packageId,
  registryId: chain.registryId,
  jobId: job.id,
  questionId: QUESTION,
  signerKind: 'tee',
  signerPublicKey: key.publicKey,
  evidenceDigest: idOf<Digest>('evidence'),
  codeHash: digestOf(fromHex(runner.measurement)),
  modelHash: idOf<Digest>('model'),
  attributionMethod: 'cited-bm25/v1',
  usesCommitment: usesCommitment(answer.usesSalt, uses),
  resultCommitment: resultCommitment(answer.resultSalt, answerResultBytes(answer)),
  budgetSpentMicroEpsilon: 0n,
  priceUnits: asAmount(1_000_000n),
  issuedAtMs: TEST_NOW_MS,
};

type Settled = Extract<ChainEventData, { type: 'ReceiptSettled' }>;
type SettledPrivately = Extract<ChainEventData, { type: 'ReceiptSettledPrivately' }>;
/** 800 000 for contributors, three to one: 600 000 and 200 000; treasury 100 000, runner 80 000, protocol 20 000. */
const settled = (of: Digest): Settled => ({
  type: 'ReceiptSettled',
  jobId: job.id,
  questionId: QUESTION,
  receiptDigest: of,
  priceUnits: asAmount(1_000_000n),
  uses,
  payouts: [
    { account: ALICE, role: 'contributor', contributionId: FIRST, amountUnits: asAmount(600_000n) },
    { account: BOB, role: 'contributor', contributionId: SECOND, amountUnits: asAmount(200_000n) },
    { account: dao.treasury, role: 'treasury', contributionId: null, amountUnits: asAmount(100_000n) },
    { account: runner.payTo, role: 'runner', contributionId: null, amountUnits: asAmount(80_000n) },
    { account: chain.protocolAccount, role: 'protocol', contributionId: null, amountUnits: asAmount(20_000n) },
  ],
  questionsSettled: 1,
  escrowLeftUnits: asAmount(9_000_000n),
});
const outcome = (data: ChainEventData): TransactionOutcome => ({
  digest: idOf<Digest>('transaction'),
  status: 'succeeded',
  error: null,
  events: [
    {
      seq: 9,
      transaction: idOf<Digest>('transaction'),
      sender: idOf<Address>('runner-wallet'),
      atMs: TEST_NOW_MS,
      data,
    },
  ],
  atMs: TEST_NOW_MS,
});

/** Evidence of a receipt with these changes, signed by the runner and settled as it is. */
async function evidenceOf(changes: Partial<UsageReceipt> = {}): Promise<ReceiptEvidence> {
  const bytes = UsageReceiptBcs.serialize({ ...receipt, ...changes }).toBytes();
  const signature = await sign({ secretKey: key.secretKey, domainTag: TAGS.receipt, message: bytes });
  return {
    receipt: toBase64(bytes),
    signature: toBase64(signature),
    chain,
    job,
    dao,
    runner,
    settlement: outcome(settled(receiptDigest(bytes))),
    owners: [
      { contributionId: FIRST, owner: ALICE },
      { contributionId: SECOND, owner: BOB },
    ],
    answer,
  };
}

let good: ReceiptEvidence;
beforeAll(async () => {
  good = await evidenceOf();
});
const settledIn = ({ settlement }: ReceiptEvidence): Settled => settlement!.events[0]!.data as Settled;
const withSettled = (changes: Partial<Settled>): ReceiptEvidence => ({
  ...good,
  settlement: outcome({ ...settledIn(good), ...changes }),
});
const withPayouts = (change: (payouts: Settled['payouts']) => Settled['payouts']): ReceiptEvidence =>
  withSettled({ payouts: change(settledIn(good).payouts) });

describe('verifyReceipt', () => {
  it('passes every check of a good receipt, also after a way through JSON', async () => {
    const travelled = zReceiptEvidence.parse(JSON.parse(toWireJson(good)));
    const verdict = await verifyReceipt(travelled);
    expect(verdict.ok).toBe(true);
    expect(verdict.checks.map(({ name, status }) => [name, status])).toEqual(
      RECEIPT_CHECKS.map((name) => [name, 'passed']),
    );
  });

  type Row = readonly [string, ReceiptCheck[], () => ReceiptEvidence | Promise<ReceiptEvidence>];
  const rows: readonly Row[] = [
    ['trailing bytes', ['ENCODING'], () => ({ ...good, receipt: `${good.receipt.replace(/=+$/, '')}AAAA` })],
    ['another signature', ['SIGNATURE'], () => ({ ...good, signature: toBase64(new Uint8Array(64).fill(1)) })],
    [
      'a signature for another purpose',
      ['SIGNATURE'],
      async () => {
        const message = UsageReceiptBcs.serialize(receipt).toBytes();
        const signature = await sign({ secretKey: key.secretKey, domainTag: TAGS.shareReceipt, message });
        return { ...good, signature: toBase64(signature) };
      },
    ],
    ['a runner that nobody registered', ['RUNNER_REGISTERED'], () => ({ ...good, runner: null })],
    [
      'the registration of another key',
      ['RUNNER_REGISTERED'],
      () => ({ ...good, runner: { ...runner, id: idOf<RunnerId>('x') } }),
    ],
    [
      'a registration for another DAO',
      ['RUNNER_REGISTERED'],
      () => ({ ...good, runner: { ...runner, daoId: idOf('x') } }),
    ],
    [
      'a registration that had expired',
      ['RUNNER_REGISTERED'],
      () => ({ ...good, runner: { ...runner, expiresAtMs: asTimestampMs(TEST_NOW_MS) } }),
    ],
    ['other code than was attested', ['RUNNER_REGISTERED'], () => evidenceOf({ codeHash: idOf<Digest>('code') })],
    [
      'a registration with a measurement that is none',
      ['RUNNER_REGISTERED'],
      () => ({ ...good, runner: { ...runner, measurement: 'none' } }),
    ],
    ['a kind of signer without a verifier', ['RUNNER_REGISTERED'], () => evidenceOf({ signerKind: 'fhe-host' })],
    ['another chain', ['CHAIN'], () => evidenceOf({ chainId: 'sui:mainnet' })],
    ['another package', ['PACKAGE'], () => evidenceOf({ packageId: idOf<Hex32>('x') })],
    ['another registry', ['REGISTRY'], () => evidenceOf({ registryId: idOf<Hex32>('x') })],
    ['another job', ['JOB', 'SETTLED'], () => evidenceOf({ jobId: idOf<JobId>('x') })],
    [
      'another price',
      ['PRICE', 'SETTLED', 'PAYOUTS_ADD_UP', 'PAYOUTS_BY_WEIGHT'],
      () => evidenceOf({ priceUnits: asAmount(999_999n) }),
    ],
    [
      'uses that were not committed to',
      ['USES_COMMITMENT'],
      () => ({ ...good, answer: { ...answer, uses: uses.slice(0, 1) } }),
    ],
    ['another salt', ['USES_COMMITMENT'], () => ({ ...good, answer: { ...answer, usesSalt: idOf('x') } })],
    ['another answer', ['RESULT_COMMITMENT'], () => ({ ...good, answer: { ...answer, text: 'Because of rain.' } })],
    [
      'another citation',
      ['RESULT_COMMITMENT'],
      () => ({ ...good, answer: { ...answer, citations: [{ ...answer.citations[0]!, contributionId: SECOND }] } }),
    ],
    ['no settlement', ['SETTLED'], () => ({ ...good, settlement: null })],
    [
      'a settlement that failed',
      ['SETTLED'],
      () => ({ ...good, settlement: { ...good.settlement!, status: 'failed' as const } }),
    ],
    ['a settlement of another question', ['SETTLED'], () => withSettled({ questionId: idOf<QuestionId>('x') })],
    ['a settlement of another receipt', ['SETTLED'], () => withSettled({ receiptDigest: idOf<Digest>('x') })],
    [
      'a payout that is missing',
      ['PAYOUTS_ADD_UP', 'PAYOUTS_BY_WEIGHT'],
      () => withPayouts((payouts) => payouts.slice(0, 4)),
    ],
    [
      'one unit moved from one contributor to the other',
      ['PAYOUTS_BY_WEIGHT'],
      () =>
        withPayouts(([first, second, ...rest]) => [
          { ...first!, amountUnits: asAmount(600_001n) },
          { ...second!, amountUnits: asAmount(199_999n) },
          ...rest,
        ]),
    ],
    [
      "a contributor's pay to somebody else",
      ['PAYOUTS_BY_WEIGHT'],
      () => withPayouts(([first, ...rest]) => [{ ...first!, account: idOf<Address>('thief') }, ...rest]),
    ],
    ['an owner that is not known', ['PAYOUTS_BY_WEIGHT'], () => ({ ...good, owners: good.owners.slice(1) })],
    [
      'another list paid than the one committed to',
      ['USES_COMMITMENT', 'PAYOUTS_BY_WEIGHT'],
      () => withSettled({ uses: [uses[0]!, { ...uses[1]!, weight: asWeight(2n) }] }),
    ],
  ];
  it.each(rows)('%s', async (_name, expected, evidence) => {
    const { ok, checks } = await verifyReceipt(await evidence());
    expect(ok).toBe(false);
    expect(checks.filter(({ status }) => status === 'failed').map(({ name }) => name)).toEqual(expected);
    expect(checks.map(({ name }) => name)).toEqual([...RECEIPT_CHECKS]);
  });

  it("says that keys came without evidence where Seal's servers gave all of them, which is weaker", async () => {
    const { ok, checks } = await verifyReceipt(await evidenceOf({ evidenceDigest: NO_EVIDENCE }));
    expect(ok).toBe(true);
    expect(checks.filter(({ status }) => status !== 'passed')).toMatchObject([
      { name: 'EVIDENCE', status: 'skipped', detail: expect.stringContaining('weaker') },
    ]);
  });

  it('skips, with its reason, what only the asker can open, and passes the rest', async () => {
    const { ok, checks } = await verifyReceipt({ ...good, answer: null });
    expect(ok).toBe(true);
    const skippedChecks = checks.filter(({ status }) => status === 'skipped');
    expect(skippedChecks.map(({ name }) => name)).toEqual(['USES_COMMITMENT', 'RESULT_COMMITMENT']);
    expect(skippedChecks.every(({ detail }) => detail.length > 0)).toBe(true);
  });

  describe('with the question at hand', () => {
    const asked = { attribution: 'score', generator: null } as const;
    const SCORE = { attributionMethod: 'cited-score/v1' };
    const NO_MODEL = `0x${'0'.repeat(64)}` as Digest;
    const statusesFor = async (change: Partial<UsageReceipt>, evidence: Partial<ReceiptEvidence>) =>
      (await verifyReceipt({ ...(await evidenceOf(change)), ...evidence })).checks
        .filter(({ status }) => status !== 'passed')
        .map(({ name, status }) => `${name} ${status}`);

    it('makes two checks more', async () => {
      const { checks } = await verifyReceipt({ ...(await evidenceOf(SCORE)), asked });
      expect(checks.map(({ name, status }) => [name, status])).toEqual(
        [...RECEIPT_CHECKS, ...ASKED_CHECKS].map((name) => [name, 'passed']),
      );
    });

    it.each<[string, Partial<UsageReceipt>, Partial<ReceiptEvidence>, string[]]>([
      ['fails for another method', { attributionMethod: 'max-shapley/v1' }, { asked }, ['ATTRIBUTION failed']],
      [
        'fails for a method that only begins alike',
        { attributionMethod: 'cited-score/v10' },
        { asked },
        ['ATTRIBUTION failed'],
      ],
      [
        'fails for another generator, by the receipt alone where the answer is not at hand',
        { ...SCORE, modelHash: NO_MODEL },
        { asked: { ...asked, generator: 'model' }, answer: null },
        ['USES_COMMITMENT skipped', 'RESULT_COMMITMENT skipped', 'GENERATOR failed'],
      ],
      [
        'skips a method that the record of the question does not say',
        {},
        { asked: { ...asked, attribution: null } },
        ['ATTRIBUTION skipped'],
      ],
    ])('%s', async (_what, change, evidence, expected) => {
      expect(await statusesFor(change, evidence)).toEqual(expected);
    });

    it('skips them with all others where there is no receipt', async () => {
      const { checks } = await verifyReceipt({ ...good, asked, receipt: 'AA==' });
      expect(checks.slice(1).map(({ name, status }) => [name, status])).toEqual(
        [...RECEIPT_CHECKS.slice(1), ...ASKED_CHECKS].map((name) => [name, 'skipped']),
      );
    });
  });

  describe('of a DAO that pays in epochs', () => {
    const inEpochs = { ...job, payoutMode: 'epoch' as const };
    const withoutUses = { ...answer, uses: null, usesSalt: null };
    /** The same parts, and the contributors' 800 000 set aside. */
    const privately = (of: Digest): SettledPrivately => {
      const { uses: _, payouts, ...rest } = settled(of);
      return {
        ...rest,
        type: 'ReceiptSettledPrivately',
        daoId: dao.id,
        payouts: payouts.filter(({ role }) => role !== 'contributor'),
        pooledUnits: asAmount(800_000n),
        receiptNumber: 1n,
        receiptChain: idOf<Digest>('chain'),
      };
    };
    const evidenceWith = async (change: (event: SettledPrivately) => ChainEventData): Promise<ReceiptEvidence> => {
      const evidence = await evidenceOf();
      const event = change(privately(receiptDigest(fromBase64(evidence.receipt))));
      return { ...evidence, job: inEpochs, answer: withoutUses, owners: [], settlement: outcome(event) };
    };
    const statuses = async (evidence: ReceiptEvidence) =>
      (await verifyReceipt(evidence)).checks
        .filter(({ status }) => status !== 'passed')
        .map(({ name, status }) => `${name} ${status}`);

    it('verifies what can be, and says that uses and weights cannot', async () => {
      const evidence = await evidenceWith((event) => event);
      expect((await verifyReceipt(evidence)).ok).toBe(true);
      expect(await statuses(evidence)).toEqual(['USES_COMMITMENT skipped', 'PAYOUTS_BY_WEIGHT skipped']);
    });

    it.each<[string, (event: SettledPrivately) => ChainEventData, string[]]>([
      [
        'less was set aside',
        (event) => ({ ...event, pooledUnits: asAmount(799_999n) }),
        ['USES_COMMITMENT skipped', 'PAYOUTS_ADD_UP failed', 'PAYOUTS_BY_WEIGHT failed'],
      ],
      [
        'the treasury got what is the runner’s',
        (event) => ({ ...event, payouts: event.payouts.map((one) => ({ ...one, account: dao.treasury })) }),
        ['USES_COMMITMENT skipped', 'PAYOUTS_BY_WEIGHT failed'],
      ],
      [
        'it was settled in public',
        (event) => settled(event.receiptDigest),
        ['USES_COMMITMENT skipped', 'SETTLED failed', 'PAYOUTS_BY_WEIGHT failed'],
      ],
      [
        'another receipt was settled',
        (event) => ({ ...event, receiptDigest: idOf<Digest>('other') }),
        ['USES_COMMITMENT skipped', 'SETTLED failed', 'PAYOUTS_BY_WEIGHT skipped'],
      ],
    ])('fails when %s', async (_name, change, expected) => {
      expect(await statuses(await evidenceWith(change))).toEqual(expected);
    });

    it('fails when a direct job’s uses are kept back', async () => {
      const evidence = { ...(await evidenceOf()), answer: withoutUses };
      expect(await statuses(evidence)).toEqual(['USES_COMMITMENT failed']);
    });
  });

  it('accepts an answer that used nobody: it is free', async () => {
    const free = { ...answer, uses: [] };
    const bytes = UsageReceiptBcs.serialize({
      ...receipt,
      priceUnits: asAmount(0n),
      usesCommitment: usesCommitment(free.usesSalt, []),
    }).toBytes();
    const signature = await sign({ secretKey: key.secretKey, domainTag: TAGS.receipt, message: bytes });
    const paid = { ...settled(receiptDigest(bytes)), priceUnits: asAmount(0n), uses: [], payouts: [] };
    const evidence = {
      ...good,
      receipt: toBase64(bytes),
      signature: toBase64(signature),
      settlement: outcome(paid),
      answer: free,
    };
    expect((await verifyReceipt(evidence)).checks.filter(({ status }) => status !== 'passed')).toEqual([]);
  });
});
