import { beforeAll, describe, expect, it } from '@jest/globals';
import { digestOf, generateKeyPair, generateSigningKey, open, seal, sign, verify } from '@usufruct/crypto';
import {
  asAmount,
  asWeight,
  fromHex,
  fromBase64,
  fromUtf8,
  refuse,
  toBase64,
  utf8,
  type Address,
  type ContributionId,
  type Digest,
  type GrantId,
  type JobId,
  type QuestionId,
  type RunnerId,
} from '@usufruct/kernel';
import {
  clientChallenge,
  answerInfo,
  answerResultBytes,
  appraisalPolicyDigest,
  questionInfo,
  QuestionAuthorizationBcs,
  receiptDigest,
  resultCommitment,
  runnerIdOf,
  STREAM_START,
  streamChain,
  streamInfo,
  StreamRecordBcs,
  streamRecordAad,
  TAGS,
  RefusalReceiptBcs,
  toWireJson,
  UsageReceiptBcs,
  usesCommitment,
  zQuestion,
  type Answer,
  type RefusalReceipt,
  type BoundKeys,
  type StreamLine,
  type StreamPart,
  type StreamRecord,
  type TransactionOutcome,
} from '@usufruct/protocol';
import {
  aContribution,
  actingChain,
  aDao,
  aDataset,
  aPolicy,
  aRunner,
  FakeGraphql,
  FakeStore,
  idOf,
  ManualClock,
  refusalMember,
  seededRandom,
  TEST_MEASUREMENT,
  TEST_NOW_MS,
  testChainInfo,
  testRunner,
  testWallet,
  type TestRunner,
} from '@usufruct/testing';
import { connect } from '../client.js';
import { memoryJournal } from '../journal.js';
import { ASKED_CHECKS } from '../receipt/asked.js';
import { zReceiptEvidence } from '../receipt/evidence.js';
import { verifyRefusal, type RefusalEvidence } from '../receipt/refusal.js';
import { verifyReceipt } from '../receipt/verify.js';
import type { AskEvent } from './ask-stream.js';
import type { Asked, AskOptions } from './ask.js';
import type { QuestionParams } from './question-record.js';

const WALLET = testWallet('enterprise');
const OWNER = idOf<Address>('contributor');
const CONTRIBUTION = idOf<ContributionId>('contribution');
const TEXT = 'Why did the fridge get warm?';
const PURPOSE = 'dpv:ResearchAndDevelopment';
/** The clock stands still, so this is never over; `timeoutMs: 0` leaves no time for a second try. */
const FAST: AskOptions = { timeoutMs: 600 };

let tee: TestRunner;
beforeAll(async () => {
  tee = await testRunner();
});

interface Keys extends BoundKeys {
  readonly hpkePrivateKey: Uint8Array;
  readonly signingSecretKey: Uint8Array;
}
async function keysOf(name: string): Promise<Keys> {
  const random = seededRandom(name);
  const hpke = await generateKeyPair(random);
  const signing = generateSigningKey(random);
  return {
    hpkePublicKey: hpke.publicKey,
    hpkePrivateKey: hpke.privateKey,
    signingPublicKey: signing.publicKey,
    signingSecretKey: signing.secretKey,
  };
}

type PaidUses = NonNullable<Answer['uses']>;
/** The moments at which a test may interfere with what the runner and the API say. */
interface Interference {
  evidence?: (bundle: Record<string, unknown>) => Record<string, unknown>;
  answer?: (answer: Answer) => Answer;
  /** What the runner answers by, instead of what it was asked for: it commits to it, and signs it. */
  made?: Pick<Answer, 'generator' | 'model'>;
  /** Of what is signed, before it is signed. */
  receipt?: (receipt: Record<string, unknown>) => Record<string, unknown>;
  question?: (question: Record<string, unknown>) => Record<string, unknown>;
  /** What of the pieces a connection brings; without it the API has no streams. */
  lines?: (records: readonly StreamRecord[], after: number) => readonly StreamLine[];
  /** So many times the API is asked, after the first connection for pieces, before it knows of the settlement. */
  settledLate?: number;
  /** What the pieces say, instead of the answer. */
  pieces?: (parts: StreamPart[]) => StreamPart[];
  paidUses?: PaidUses;
}

/** A funded job, a runner that answers it, an API that relays, a chain that settles. */
async function world(interference: Interference = {}) {
  const chain = actingChain();
  const api = new FakeGraphql();
  const journal = memoryJournal();
  const clock = new ManualClock();
  let keys = await keysOf('first boot');
  const policy = aPolicy();
  const register = (): void => {
    const { signingPublicKey, hpkePublicKey } = keys;
    chain.put(
      'runner',
      aRunner({
        id: runnerIdOf<RunnerId>(signingPublicKey),
        signingPublicKey: toBase64(signingPublicKey),
        hpkePublicKey: toBase64(hpkePublicKey),
        appraisalPolicyDigest: appraisalPolicyDigest(policy.appraisal),
      }),
    );
  };
  register();
  chain
    .put('dao', aDao({ policy }))
    .put('dataset', aDataset())
    .put('contribution', aContribution({ owner: OWNER }));
  const connectAs = (process: string) =>
    connect({
      apiUrl: api.url,
      chain,
      store: new FakeStore(),
      holders: [],
      signer: WALLET,
      journal,
      teeDevRoot: tee.rootPem,
      fetch: async (input, init) => (input.includes('/stream?') ? streamed(input) : api.fetch(input, init)),
      clock: { nowMs: () => clock.nowMs() },
      random: seededRandom(process),
    });
  api.on('PrepareJob', ({ input }) => {
    const terms = input as Record<string, unknown>;
    const quote = { ...terms, policyVersion: 1, pricePerQuestionUnits: '1000000', escrowUnits: '3000000' };
    const prepared = { quote: { ...quote, usableContributions: 1, leftOut: [] }, job: { jobId: idOf('job') } };
    return { prepareJob: { __typename: 'PreparedJob', ...prepared } };
  });
  api.on('SubmitJob', () => ({ submitJob: refusalMember(refuse('UPSTREAM_UNAVAILABLE')) }));
  const client = connectAs('one');
  const datasetId = idOf<never>('dataset');
  const fund = () => client.jobs.fund({ key: 'job', datasetId, purpose: PURPOSE, maxQuestions: 3, termMs: 600_000 });
  const job = await fund();

  const answers = new Map<string, Record<string, unknown>>();
  const outcomes = new Map<Digest, TransactionOutcome>();
  const { transaction } = chain;
  chain.transaction = async (digest) => outcomes.get(digest) ?? transaction(digest);
  const asked: { text: string; questionId: string; idempotencyKey: string }[] = [];

  api.on('Job', () => ({
    job: {
      jobId: job.id,
      datasetId,
      purpose: PURPOSE,
      kind: 'rag',
      protection: 'tee',
      state: 'running',
      requester: WALLET.address,
      runnerId: null,
      pricePerQuestionUnits: '1000000',
      maxQuestions: 3,
      questionsSettled: 0,
      escrowUnits: '3000000',
      refundUnits: null,
      documents: 1,
      chunks: 4,
      leftOut: [],
      expiresAtMs: null,
      lastEventSeq: 1,
      error: null,
    },
  }));
  api.on('Attestation', async ({ nonce, jobId }) => {
    const challenge = toBase64(clientChallenge(fromBase64(String(nonce))));
    const bundle: Record<string, unknown> = { ...(await tee.evidence([challenge], jobId as JobId, keys)) };
    const sent = interference.evidence?.(bundle) ?? bundle;
    const appraisal = { teePolicy: null, missing: [], endorsements: [] };
    return { attestation: { __typename: 'Attestation', bundle: JSON.stringify(sent), appraisal } };
  });
  api.on('AskQuestion', async ({ input }) => {
    const request = input as Record<'questionId' | 'sealedQuestion' | 'authorization' | 'idempotencyKey', string>;
    const question = await runnerAnswers(request);
    if (question instanceof Error) return { askQuestion: refusalMember(question as ReturnType<typeof refuse>) };
    answers.set(request.questionId, question);
    return { askQuestion: { __typename: 'Question', ...(interference.settledLate ? unsettled(question) : question) } };
  });
  api.on('Question', ({ questionId }) => {
    const question = answers.get(String(questionId));
    return { question: question === undefined ? null : isEarly() ? unsettled(question) : question };
  });
  let looks = 0;
  const isEarly = (): boolean => {
    if (connections.length > 0) looks += 1;
    return looks < (interference.settledLate ?? 0);
  };
  const unsettled = (question: Record<string, unknown>) => ({ ...question, state: 'settling', sealedAnswer: null });

  const streams = new Map<string, StreamRecord[]>();
  const connections: number[] = [];
  let arrive = (): void => undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  /** As the API relays it: nothing before the runner has it. */
  async function streamed(url: string): Promise<Response> {
    const [, questionId = '', after = ''] = /questions\/(0x[0-9a-f]{64})\/stream\?after=(\d+)$/.exec(url) ?? [];
    if (interference.lines !== undefined) await arrived;
    const records = streams.get(questionId);
    if (interference.lines === undefined || records === undefined) return new Response('{}', { status: 404 });
    connections.push(Number(after));
    const lines = interference.lines(records, Number(after));
    return new Response(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  }

  async function runnerAnswers(request: Record<string, string>): Promise<Record<string, unknown> | Error> {
    const { chainId, packageId, registryId } = testChainInfo();
    const questionId = request['questionId'] as QuestionId;
    const sealed = fromBase64(request['sealedQuestion'] ?? '');
    const context = { chainId, packageId, jobId: job.id, questionId, runnerSigningKey: keys.signingPublicKey };
    const bytes = await open({
      privateKey: keys.hpkePrivateKey,
      info: questionInfo(context),
      aad: new Uint8Array(),
      sealed,
    }).catch(() => null);
    if (bytes === null) return refuse('ATTESTATION_STALE');
    const authorization = { jobId: job.id, questionId, sealedQuestionSha256: digestOf(sealed) };
    const isAuthorized = await verify({
      publicKey: fromBase64(job.clientPublicKey),
      domainTag: TAGS.questionAuthorization,
      message: QuestionAuthorizationBcs.serialize(authorization).toBytes(),
      signature: fromBase64(request['authorization'] ?? ''),
    });
    if (!isAuthorized) return refuse('FORBIDDEN');
    const question = zQuestion.parse(JSON.parse(fromUtf8(bytes)));
    const { responsePublicKey: _key, ...wishes } = question;
    asked.push({ ...wishes, questionId, idempotencyKey: request['idempotencyKey'] ?? '' });
    const quote = 'Three dark days.';
    const answer = {
      text: `${quote} [1]`,
      generator: 'extractive',
      sentences: [{ text: quote, citations: [0] }],
      citations: [{ contributionId: CONTRIBUTION, fileName: 'log.txt', locator: '', quote }],
      uses: [{ contributionId: CONTRIBUTION, grantId: idOf<GrantId>('grant'), weight: asWeight(7n) }],
      usesSalt: idOf('uses-salt'),
      resultSalt: idOf('result-salt'),
      ...interference.made,
    } satisfies Answer;
    const receipt = {
      chainId,
      packageId,
      registryId,
      jobId: job.id,
      questionId,
      signerKind: 'tee' as const,
      signerPublicKey: keys.signingPublicKey,
      evidenceDigest: idOf<Digest>('evidence'),
      codeHash: digestOf(fromHex(TEST_MEASUREMENT)),
      modelHash: interference.made?.model?.sha256 ?? (`0x${'0'.repeat(64)}` as Digest),
      attributionMethod: question.attribution === 'score' ? 'cited-score/v1' : 'max-shapley/v1',
      usesCommitment: usesCommitment(answer.usesSalt, answer.uses),
      resultCommitment: resultCommitment(answer.resultSalt, answerResultBytes(answer)),
      budgetSpentMicroEpsilon: 0n,
      priceUnits: asAmount(1_000_000n),
      issuedAtMs: TEST_NOW_MS,
    };
    const changed = (interference.receipt?.(receipt) ?? receipt) as typeof receipt;
    const receiptBytes = UsageReceiptBcs.serialize(changed).toBytes();
    const signature = await sign({
      secretKey: keys.signingSecretKey,
      domainTag: TAGS.receipt,
      message: receiptBytes,
    });
    const digest = idOf<Digest>(`settlement-${questionId}`);
    outcomes.set(digest, settlementOf(digest, questionId, receiptDigest(receiptBytes), answer.uses));
    const sealedAnswer = await seal({
      recipientPublicKey: fromBase64(question.responsePublicKey),
      info: answerInfo(context),
      aad: new Uint8Array(),
      plaintext: utf8(toWireJson(interference.answer?.(answer) ?? answer)),
    });
    if (question.stream === true) {
      const end = { kind: 'end' as const, records: 1, chain: STREAM_START, receiptDigest: receiptDigest(receiptBytes) };
      const sentence = { kind: 'sentence' as const, ...answer.sentences[0]!, cited: answer.citations };
      const parts = interference.pieces?.([sentence, end]) ?? [sentence, end];
      streams.set(questionId, await sealedPieces(parts, context, keys, question.responsePublicKey));
      arrive();
    }
    const state = {
      questionId,
      state: 'settled',
      sealedAnswer: toBase64(sealedAnswer),
      receipt: toBase64(receiptBytes),
      signature: toBase64(signature),
      settlement: { transaction: digest },
      error: null,
    };
    return interference.question?.(state) ?? state;
  }

  /** 80 % to the one contributor, then treasury, runner, protocol. */
  function settlementOf(digest: Digest, questionId: QuestionId, of: Digest, uses: PaidUses): TransactionOutcome {
    const { treasury } = aDao();
    const pay = (account: Address, role: 'contributor' | 'treasury' | 'runner' | 'protocol', units: bigint) => ({
      account,
      role,
      amountUnits: asAmount(units),
      contributionId: role === 'contributor' ? CONTRIBUTION : null,
    });
    const payouts = [
      pay(OWNER, 'contributor', 800_000n),
      pay(treasury, 'treasury', 100_000n),
      pay(aRunner().payTo, 'runner', 80_000n),
      pay(testChainInfo().protocolAccount, 'protocol', 20_000n),
    ];
    const data = {
      type: 'ReceiptSettled' as const,
      jobId: job.id,
      questionId,
      receiptDigest: of,
      payouts,
      priceUnits: asAmount(1_000_000n),
      uses: interference.paidUses ?? uses,
      questionsSettled: 1,
      escrowLeftUnits: asAmount(2_000_000n),
    };
    const event = { seq: 1, transaction: digest, sender: idOf<Address>('runner-wallet'), atMs: TEST_NOW_MS, data };
    return { digest, status: 'succeeded', error: null, events: [event], atMs: TEST_NOW_MS };
  }

  return {
    connections,
    chain,
    api,
    journal,
    clock,
    client,
    job,
    fund,
    asked,
    register,
    connectAs,
    session: client.jobs.session(job.id),
    restartRunner: async (name: string) => {
      keys = await keysOf(name);
      register();
    },
    restartUnregistered: async () => {
      keys = await keysOf('unregistered');
    },
  };
}

it('keeps the sessions that are in use, and not each one that there ever was', async () => {
  const { client, session, job } = await world();
  const others = Array.from({ length: 63 }, (_, i) => idOf<JobId>(`job ${i}`));
  for (const id of others) client.jobs.session(id);
  expect(client.jobs.session(job.id)).toBe(session);
  const first = client.jobs.session(others[0]!);
  for (const id of [job.id, ...others.slice(1), idOf<JobId>('one more')]) client.jobs.session(id);
  expect(client.jobs.session(job.id)).toBe(session);
  expect(client.jobs.session(others[0]!)).not.toBe(first);
});

describe('funding a job', () => {
  it('locks the money once, whatever is repeated, and keeps the client key until the job is closed', async () => {
    const { chain, journal, client, job, fund, api } = await world();
    expect(await fund()).toEqual(job);
    expect(chain.executed.flat().filter(({ kind }) => kind === 'fundJob')).toHaveLength(1);
    expect(api.callsOf('PrepareJob')).toHaveLength(1);
    expect(await journal.keys('client-key/')).toHaveLength(1);
    await client.jobs.session(job.id).close();
    expect(await journal.keys('client-key/')).toEqual([]);
    expect((await client.jobs.session(job.id).close()).state).toBe('cancelled');
  });

  it.each([
    ['purpose', { purpose: 'dpv:Marketing' }],
    ['number of questions', { maxQuestions: 4 }],
    ['term', { termMs: 600_001 }],
    ['protection', { protection: 'mpc' as const }],
  ])('refuses the key of a job for another %s', async (_what, change) => {
    const { client, chain, job } = await world();
    const before = chain.executed.length;
    const terms = { datasetId: job.datasetId, purpose: PURPOSE, maxQuestions: 3, termMs: 600_000 };
    const funding = client.jobs.fund({ key: 'job', ...terms, ...change });
    await expect(funding).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', details: { jobId: job.id } });
    expect(chain.executed).toHaveLength(before);
  });

  it('pays nothing when the price has risen above what was agreed', async () => {
    const { client, chain } = await world();
    const before = chain.executed.length;
    const terms = { datasetId: idOf<never>('dataset'), purpose: PURPOSE, maxQuestions: 3, termMs: 600_000 };
    const funding = client.jobs.fund({ ...terms, key: 'dear', escrowAtMostUnits: asAmount(2_999_999n) });
    await expect(funding).rejects.toMatchObject({ code: 'POLICY_OUTDATED' });
    expect(chain.executed).toHaveLength(before);
  });
});

/** What a runner does, written apart from it. */
async function sealedPieces(
  parts: readonly StreamPart[],
  context: Parameters<typeof streamInfo>[0],
  keys: Keys,
  responsePublicKey: string,
): Promise<StreamRecord[]> {
  const records: StreamRecord[] = [];
  let chain = STREAM_START;
  for (const [seq, part] of parts.entries()) {
    const told = part.kind === 'end' ? { ...part, chain } : part;
    const sealed = await seal({
      recipientPublicKey: fromBase64(responsePublicKey),
      info: streamInfo(context),
      aad: streamRecordAad(seq, chain),
      plaintext: utf8(toWireJson(told)),
    });
    const { chainId, packageId, jobId, questionId, runnerSigningKey } = context;
    const message = {
      chainId,
      packageId,
      jobId,
      questionId,
      runnerSigningKey,
      seq,
      chain,
      sealedSha256: digestOf(sealed),
    };
    const signature = await sign({
      secretKey: keys.signingSecretKey,
      domainTag: TAGS.streamRecord,
      message: StreamRecordBcs.serialize(message).toBytes(),
    });
    records.push({ kind: 'record', seq, sealed: toBase64(sealed), signature: toBase64(signature) });
    chain = streamChain(chain, sealed);
  }
  return records;
}

describe('ask in pieces that come', () => {
  async function read(
    interference: Interference,
  ): Promise<{ events: AskEvent[]; connections: number[]; error?: unknown }> {
    const { session, connections } = await world({ settledLate: 1, ...interference });
    const events: AskEvent[] = [];
    try {
      for await (const event of session.askStream({ key: 'q', text: TEXT }, { timeoutMs: 5_000 })) events.push(event);
      return { events, connections };
    } catch (error) {
      return { events, connections, error };
    }
  }
  const told = ({ events }: { events: readonly AskEvent[] }) =>
    events.map((event) => (event.kind === 'step' ? event.step : event.kind));
  const whole: Interference = { lines: (records, after) => records.slice(after) };

  it('shows a sentence before the receipt is verified, once, and then the answer', async () => {
    const shown = await read(whole);
    expect(told(shown)).toEqual([
      'waiting',
      'attesting',
      'asking',
      'settling',
      'sentence',
      'verifying',
      'done',
      'answer',
    ]);
    expect(shown.connections).toEqual([0]);
  });

  it('goes on where a connection broke off', async () => {
    const shown = await read({ settledLate: 3, lines: (records, after) => records.slice(after, after + 1) });
    expect(shown.connections).toEqual([0, 1]);
    expect(told(shown).filter((kind) => kind === 'sentence')).toHaveLength(1);
    expect(told(shown).at(-1)).toBe('answer');
  });

  it.each<[string, (records: readonly StreamRecord[], after: number) => readonly StreamLine[]]>([
    ['breaks off for good', (records, after) => (after === 0 ? records.slice(0, 1) : [])],
    ['tells of progress alone', () => [{ kind: 'progress', phase: 'settling' }]],
    ['has no pieces', () => [{ kind: 'whole' }]],
    ['tells of a failure', () => [{ kind: 'failed', error: { code: 'X', message: '', remedy: '', details: {} } }]],
  ])('has each sentence once from the answer where the stream %s', async (_what, lines) => {
    const shown = await read({ lines });
    expect(told(shown).filter((kind) => kind === 'sentence')).toHaveLength(1);
    expect(told(shown).at(-1)).toBe('answer');
  });

  const forged = { kind: 'sentence' as const, text: 'Seven dark days.', citations: [], cited: [] };
  it.each<[string, Interference, string]>([
    ['left out', { lines: (records) => records.slice(1) }, 'ORDER'],
    ['twice', { lines: (records) => [records[0]!, records[0]!] }, 'ORDER'],
    ['turned around', { lines: (records) => records.toReversed() }, 'ORDER'],
    ['changed', { lines: ([first]) => [{ ...first!, signature: toBase64(new Uint8Array(64)) }] }, 'SIGNATURE'],
    ['another than the answer', { ...whole, pieces: ([, end]) => [forged, end!] }, 'ANSWER'],
    [
      'of another receipt',
      { ...whole, pieces: ([first, end]) => [first!, { ...end!, receiptDigest: idOf('x') } as StreamPart] },
      'RECEIPT',
    ],
    [
      'fewer than they say',
      { ...whole, pieces: ([first, end]) => [first!, { ...end!, records: 2 } as StreamPart] },
      'COUNT',
    ],
    ['none, but an end', { ...whole, pieces: ([, end]) => [{ ...end!, records: 0 } as StreamPart] }, 'ANSWER'],
  ])('refuses pieces that are %s', async (_what, interference, check) => {
    expect((await read(interference)).error).toMatchObject({ code: 'STREAM_BROKEN', details: { check } });
  });

  it('goes on when its reader left: the same key gives the answer, asked once', async () => {
    const { session, asked } = await world({ settledLate: 1, ...whole });
    for await (const event of session.askStream({ key: 'q', text: TEXT }, FAST)) {
      if (event.kind === 'sentence') break;
    }
    const later = await session.ask({ key: 'q', text: TEXT }, { timeoutMs: 5_000 });
    expect(later.answer.text).toBe('Three dark days. [1]');
    expect(new Set(asked.map(({ questionId }) => questionId)).size).toBe(1);
  });
});

describe('ask in pieces', () => {
  it('tells steps, then the sentences, then the answer, where the API has no pieces', async () => {
    const { session, asked } = await world();
    const events: AskEvent[] = [];
    for await (const event of session.askStream({ key: 'q', text: TEXT }, FAST)) events.push(event);
    expect(events.map((event) => (event.kind === 'step' ? event.step : event.kind))).toEqual([
      'waiting',
      'attesting',
      'asking',
      'verifying',
      'done',
      'sentence',
      'answer',
    ]);
    const [sentence, answer] = events.slice(-2);
    expect(sentence).toMatchObject({
      sentence: {
        text: 'Three dark days.',
        shown: 'Three dark days. [1]',
        citations: [{ number: 1, fileName: 'log.txt' }],
      },
    });
    expect(answer).toMatchObject({ asked: { verdict: { ok: true } } });
    // The same key gives it again, once asked.
    expect(await session.ask({ key: 'q', text: TEXT }, FAST)).toMatchObject({
      answer: { text: 'Three dark days. [1]' },
    });
    expect(new Set(asked.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  it('throws what ask throws', async () => {
    const { session } = await world({ receipt: (receipt) => ({ ...receipt, priceUnits: asAmount(1n) }) });
    const read = async () => {
      for await (const event of session.askStream({ key: 'q', text: TEXT }, FAST)) expect(event.kind).toBe('step');
    };
    await expect(read()).rejects.toMatchObject({ code: 'RECEIPT_INVALID' });
  });

  it.each<[string, Interference]>([
    ['a model in the receipt that the answer does not name', { receipt: (r) => ({ ...r, modelHash: idOf('model') }) }],
    [
      'a model in the answer that the receipt does not name',
      { answer: (a) => ({ ...a, model: { name: 'gpt', sha256: idOf('model') } }) },
    ],
  ])('refuses %s', async (_what, interference) => {
    const { session } = await world(interference);
    const asking = session.ask({ key: 'q', text: TEXT }, FAST);
    await expect(asking).rejects.toMatchObject({ code: 'RECEIPT_INVALID', details: { checks: 'MODEL' } });
  });
});

describe('ask', () => {
  it('attests, asks, opens and verifies; what left the client is not readable', async () => {
    const { session, api, asked, journal } = await world();
    const steps: string[] = [];
    const { answer, verdict, questionId } = await session.ask(
      { key: 'q', text: TEXT },
      { ...FAST, onStep: (step) => steps.push(step) },
    );
    expect(answer.text).toBe('Three dark days. [1]');
    expect(verdict.ok).toBe(true);
    expect(verdict.checks.every(({ status }) => status === 'passed')).toBe(true);
    expect(asked.map(({ text }) => text)).toEqual([TEXT]);
    expect(JSON.stringify(api.calls)).not.toContain('fridge');
    expect(steps).toEqual(['waiting', 'attesting', 'asking', 'verifying', 'done']);
    expect(await session.pending()).toEqual([{ questionId, text: TEXT }]);
    await session.forget(questionId);
    expect(await journal.keys('ask/')).toEqual([]);
  });

  it('seals what the answer may be taken from and how it is paid, and refuses what no document can be', async () => {
    const { session, asked } = await world();
    const filter = { formats: ['pdf' as const], languages: ['de'], dateFrom: '2026-01-31' };
    await session.ask({ key: 'q', text: TEXT, filter, attribution: 'max-shapley' }, FAST);
    expect(asked[0]).toMatchObject({ filter, attribution: 'max-shapley' });
    const bad: readonly object[] = [
      { formats: ['exe'] },
      { languages: ['x'] },
      { languages: [] },
      { author: '' },
      { title: 'x'.repeat(201) },
      { dateFrom: '31.1.2026' },
      { dateBefore: '2026-02-31T99:00Z' },
      { sql: 'x' },
    ];
    for (const [i, wrong] of bad.entries()) {
      const asking = session.ask({ key: `bad ${i}`, text: TEXT, filter: wrong as typeof filter }, FAST);
      await expect(asking).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(asked).toHaveLength(1);
  });

  it('asks once for a key: a later process gets the same answer, and another text is refused', async () => {
    const { session, asked, job, connectAs } = await world();
    const first = await session.ask({ key: 'q', text: TEXT }, FAST);
    const later = connectAs('two').jobs.session(job.id);
    expect((await later.ask({ key: 'q', text: TEXT }, FAST)).answer).toEqual(first.answer);
    expect((await later.resume(first.questionId, FAST)).answer).toEqual(first.answer);
    expect(new Set(asked.map(({ questionId }) => questionId)).size).toBe(1);
    expect(new Set(asked.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    for (const other of [{ topK: 3 }, { attribution: 'max-shapley' as const }, { filter: { languages: ['de'] } }]) {
      const asking = later.ask({ key: 'q', text: TEXT, ...other }, FAST);
      await expect(asking).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    }
    await expect(later.ask({ key: 'q', text: 'Something else?' }, FAST)).rejects.toMatchObject({
      code: 'IDEMPOTENCY_KEY_REUSED',
    });
  });

  it('attests and seals again when the runner has restarted, with the same question id', async () => {
    const { session, api, asked, restartRunner } = await world();
    const handler = api.fetch;
    let isFirst = true;
    api.fetch = async (input, init) => {
      if (isFirst && String(init?.body).includes('mutation AskQuestion')) {
        isFirst = false;
        await restartRunner('second boot');
      }
      return handler(input, init);
    };
    const { verdict } = await session.ask({ key: 'q', text: TEXT }, { timeoutMs: 5_000 });
    expect(verdict.ok).toBe(true);
    const sent = api.callsOf('AskQuestion').map(({ variables }) => variables['input'] as Record<string, string>);
    expect(sent).toHaveLength(2);
    expect(sent[0]?.['questionId']).toBe(sent[1]?.['questionId']);
    expect(sent[0]?.['idempotencyKey']).not.toBe(sent[1]?.['idempotencyKey']);
    expect(asked).toHaveLength(1);
  });

  it('stores an attempt before it is sent, and sends the same one after a kill', async () => {
    const { session, api, job, connectAs } = await world();
    const handler = api.fetch;
    let isDown = true;
    api.fetch = async (input, init) => {
      if (isDown && String(init?.body).includes('mutation AskQuestion')) throw new TypeError('fetch failed');
      return handler(input, init);
    };
    await expect(session.ask({ key: 'q', text: TEXT }, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'UPSTREAM_UNAVAILABLE',
    });
    isDown = false;
    const [pending] = await connectAs('two').jobs.session(job.id).pending();
    await connectAs('two').jobs.session(job.id).resume(pending!.questionId, FAST);
    expect(api.callsOf('Attestation')).toHaveLength(1);
  });

  const flip = (text: string): string => {
    const bytes = fromBase64(text);
    bytes[bytes.length - 1] = bytes[bytes.length - 1]! ^ 1;
    return toBase64(bytes);
  };
  const otherKey = toBase64(new Uint8Array(32).fill(9));
  const rows: readonly [string, Interference, string][] = [
    ['evidence for another challenge', { evidence: (b) => ({ ...b, challenges: [otherKey] }) }, 'ATTESTATION_REFUSED'],
    ['evidence with another HPKE key', { evidence: (b) => ({ ...b, hpkePublicKey: otherKey }) }, 'ATTESTATION_REFUSED'],
    ['evidence of another job', { evidence: (b) => ({ ...b, jobId: idOf('other') }) }, 'ATTESTATION_REFUSED'],
    [
      'a changed quote',
      { evidence: (b) => ({ ...b, cpuEvidence: flip(String(b['cpuEvidence'])) }) },
      'ATTESTATION_REFUSED',
    ],
    ['another profile', { evidence: (b) => ({ ...b, profile: 'tdx' }) }, 'ATTESTATION_REFUSED'],
    ['evidence that is none', { evidence: () => ({ v: 2 }) }, 'UPSTREAM_INVALID'],
    ['another answer than the signed one', { answer: (a) => ({ ...a, text: 'Lies.' }) }, 'RECEIPT_INVALID'],
    ['uses that were not committed to', { answer: (a) => ({ ...a, uses: [] }) }, 'RECEIPT_INVALID'],
    ['a receipt for another chain', { receipt: (r) => ({ ...r, chainId: 'sui:mainnet' }) }, 'RECEIPT_INVALID'],
    ['a receipt for another question', { receipt: (r) => ({ ...r, questionId: idOf('x') }) }, 'RECEIPT_INVALID'],
    [
      'a receipt of a runner that was not attested here',
      { receipt: (r) => ({ ...r, signerPublicKey: new Uint8Array(32).fill(9) }) },
      'RECEIPT_INVALID',
    ],
    ['a changed receipt', { question: (q) => ({ ...q, receipt: flip(String(q['receipt'])) }) }, 'RECEIPT_INVALID'],
    [
      'a changed signature',
      { question: (q) => ({ ...q, signature: flip(String(q['signature'])) }) },
      'RECEIPT_INVALID',
    ],
    [
      'a changed sealed answer',
      { question: (q) => ({ ...q, sealedAnswer: flip(String(q['sealedAnswer'])) }) },
      'ENVELOPE_TAMPERED',
    ],
    ['settled without a transaction', { question: (q) => ({ ...q, settlement: null }) }, 'RECEIPT_INVALID'],
    ['settled without a receipt', { question: (q) => ({ ...q, receipt: null }) }, 'UPSTREAM_INVALID'],
    ['payment for another list of uses', { paidUses: [] }, 'RECEIPT_INVALID'],
  ];
  it.each(rows)('refuses %s', async (_name, interference, code) => {
    const { session } = await world(interference);
    await expect(session.ask({ key: 'q', text: TEXT }, { timeoutMs: 0 })).rejects.toMatchObject({ code });
  });

  it('sends nothing to a runner that the chain does not know', async () => {
    const { session, api, restartUnregistered } = await world();
    await restartUnregistered();
    await expect(session.ask({ key: 'q', text: TEXT }, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'RUNNER_NOT_REGISTERED',
    });
    expect(api.callsOf('AskQuestion')).toEqual([]);
  });

  const registrations: readonly [string, Parameters<typeof aRunner>[0], string][] = [
    ['with another HPKE key', { hpkePublicKey: otherKey }, 'HPKE key'],
    ['with another signing key', { signingPublicKey: otherKey }, 'signing key'],
    ['with another measurement', { measurement: 'cd'.repeat(48) }, 'measurement'],
    ['under an older appraisal policy', { appraisalPolicyDigest: idOf('old') }, 'policy'],
    ['until now', { expiresAtMs: TEST_NOW_MS }, 'expired'],
  ];
  it.each(registrations)('sends nothing to a runner registered %s', async (_name, change, check) => {
    const { session, api, chain } = await world();
    const { runner } = chain;
    chain.runner = async (...ids) => ({ ...(await runner(...ids)), ...change });
    await expect(session.ask({ key: 'q', text: TEXT }, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'RUNNER_NOT_REGISTERED',
      details: { check },
    });
    expect(api.callsOf('AskQuestion')).toEqual([]);
  });

  it('sends nothing when the DAO no longer approves the measurement', async () => {
    const { session, api, chain } = await world();
    const policy = aPolicy();
    const appraisal = { ...policy.appraisal, measurements: ['cd'.repeat(48)] };
    chain.put('dao', aDao({ policy: { ...policy, appraisal } }));
    await expect(session.ask({ key: 'q', text: TEXT }, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'ATTESTATION_REFUSED',
      details: { checks: 'MEASUREMENT' },
    });
    expect(api.callsOf('AskQuestion')).toEqual([]);
  });

  it('refuses the root of a software TEE where the chain is a real one', async () => {
    const { session, chain } = await world();
    chain.info = async () => testChainInfo({ standIn: false });
    await expect(session.ask({ key: 'q', text: TEXT }, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'STAND_IN_FORBIDDEN',
    });
  });

  it("passes on the runner's refusal, and needs the client key of the device that funded the job", async () => {
    const error = { code: 'NO_USABLE_DATA', details: [] };
    const { session } = await world({ question: (q) => ({ ...q, state: 'failed', sealedAnswer: null, error }) });
    await expect(session.ask({ key: 'q', text: TEXT }, FAST)).rejects.toMatchObject({ code: 'NO_USABLE_DATA' });
    const other = await world();
    await other.journal.delete(`client-key/${other.job.id}`);
    await expect(other.session.ask({ key: 'q', text: TEXT }, FAST)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  describe('a refusal that the runner has signed', () => {
    const code = 'NO_USABLE_DATA';
    async function refusing(change: Partial<RefusalReceipt> = {}, told: string = code) {
      const it = await world({
        question: (q) => ({ ...q, state: 'failed', sealedAnswer: null, error: { code: told, details: [] }, ...signed }),
      });
      const { chainId, packageId, registryId } = testChainInfo();
      let signed: { receipt: string; signature: string } | null = null;
      const sign_ = async (questionId: string, sealedQuestion: string): Promise<void> => {
        const keys = await keysOf('first boot');
        const message = RefusalReceiptBcs.serialize({
          chainId,
          packageId,
          registryId,
          jobId: it.job.id,
          questionId: questionId as QuestionId,
          sealedQuestionSha256: digestOf(fromBase64(sealedQuestion)),
          signerPublicKey: keys.signingPublicKey,
          evidenceDigest: idOf<Digest>('evidence'),
          codeHash: digestOf(fromHex(TEST_MEASUREMENT)),
          code,
          priceUnits: asAmount(0n),
          issuedAtMs: TEST_NOW_MS,
          ...change,
        }).toBytes();
        const { signingSecretKey: secretKey } = keys;
        const signature = await sign({ secretKey, domainTag: TAGS.refusalReceipt, message });
        signed = { receipt: toBase64(message), signature: toBase64(signature) };
      };
      const seen: RefusalEvidence[] = [];
      it.api.on('Question', async ({ questionId }) => {
        const input = it.api.callsOf('AskQuestion')[0]!.variables['input'] as { sealedQuestion: string };
        await sign_(String(questionId), input.sealedQuestion);
        const empty = { sealedAnswer: null, settlement: null };
        return { question: { questionId, state: 'failed', ...empty, ...signed, error: { code: told, details: [] } } };
      });
      const asking = it.session.ask({ key: 'q', text: TEXT }, { ...FAST, onRefusal: (refusal) => seen.push(refusal) });
      await expect(asking).rejects.toMatchObject({ code: told });
      return seen;
    }

    it('is told with what it is judged by, before it is thrown', async () => {
      const [evidence] = await refusing();
      expect((await verifyRefusal(evidence!)).checks.filter(({ status }) => status !== 'passed')).toEqual([]);
    });

    it.each<[string, Partial<RefusalReceipt>, string]>([
      ['of another question', { questionId: idOf<QuestionId>('other') }, code],
      ['of other bytes', { sealedQuestionSha256: idOf<Digest>('other') }, code],
      ['by a runner that was not attested', { signerPublicKey: new Uint8Array(32).fill(7) }, code],
      ['by another code than the API tells', {}, 'PURPOSE_DENIED'],
      ['that costs something', { priceUnits: asAmount(1n) }, code],
    ])('is not told where it is %s', async (_what, change, told) => expect(await refusing(change, told)).toEqual([]));
  });

  it.each([
    ['an empty question', ''],
    ['a question over the limit', 'x'.repeat(4_001)],
  ])('refuses %s', async (_name, text) => {
    const { session, api } = await world();
    await expect(session.ask({ key: 'q', text }, FAST)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(api.callsOf('Attestation')).toEqual([]);
  });

  it('is over when the job is over', async () => {
    const { session, api } = await world();
    api.on('Job', () => ({ job: null }));
    await expect(session.ask({ key: 'q', text: TEXT }, FAST)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('what was asked, and what the receipt says', () => {
  const BY_MODEL = { generator: 'model' as const, model: { name: 'small-7b', sha256: idOf<Digest>('model') } };
  const paidBy = (attributionMethod: string): Interference => ({
    receipt: (receipt) => ({ ...receipt, attributionMethod }),
  });
  type Wishes = Partial<QuestionParams>;
  const rows: readonly [string, Wishes, Interference, string][] = [
    ['pay by Shapley value that nobody asked for', {}, paidBy('max-shapley/v1'), 'ATTRIBUTION'],
    [
      'pay by score where the other was asked for',
      { attribution: 'max-shapley' },
      paidBy('cited-score/v1'),
      'ATTRIBUTION',
    ],
    ['pay by a method that nobody knows', { attribution: 'score' }, paidBy('cited-score/v2'), 'ATTRIBUTION'],
    ['sentences of documents where a model was demanded', { generator: 'model' }, {}, 'GENERATOR'],
    [
      'a model where sentences of documents were demanded',
      { generator: 'extractive' },
      { made: BY_MODEL },
      'GENERATOR',
    ],
    [
      'an answer said to be of the demanded model, under a receipt that names none',
      { generator: 'model' },
      { made: BY_MODEL, receipt: (receipt) => ({ ...receipt, modelHash: `0x${'0'.repeat(64)}` }) },
      'GENERATOR',
    ],
    [
      'an answer said to be of the documents, as demanded, under a receipt that names a model',
      { generator: 'extractive' },
      { receipt: (receipt) => ({ ...receipt, modelHash: idOf('model') }) },
      'GENERATOR',
    ],
    ['neither', { generator: 'model', attribution: 'max-shapley' }, paidBy('cited-score/v1'), 'ATTRIBUTION, GENERATOR'],
  ];
  const refusal = (checks: string) => ({ code: 'RECEIPT_INVALID', details: { checks } });

  it.each(rows)('are held against each other: %s', async (_what, wishes, interference, checks) => {
    const { session } = await world(interference);
    await expect(session.ask({ key: 'q', text: TEXT, ...wishes }, FAST)).rejects.toMatchObject(refusal(checks));
  });

  it.each(rows)('also where the answer comes in pieces: %s', async (_what, wishes, interference, checks) => {
    const { session } = await world({
      settledLate: 1,
      lines: (records, after) => records.slice(after),
      ...interference,
    });
    const read = async () => {
      const asking = session.askStream({ key: 'q', text: TEXT, ...wishes }, { timeoutMs: 5_000 });
      for await (const event of asking) expect(event.kind).not.toBe('answer');
    };
    await expect(read()).rejects.toMatchObject(refusal(checks));
  });

  it.each(rows)('also where a later process goes on with it: %s', async (_what, wishes, interference, checks) => {
    const { session, job, connectAs } = await world(interference);
    await session.ask({ key: 'q', text: TEXT, ...wishes }, FAST).catch(() => undefined);
    const later = connectAs('two').jobs.session(job.id);
    const [pending] = await later.pending();
    await expect(later.resume(pending!.questionId, FAST)).rejects.toMatchObject(refusal(checks));
    await expect(later.ask({ key: 'q', text: TEXT, ...wishes }, FAST)).rejects.toMatchObject(refusal(checks));
  });

  const checksOf = ({ verdict }: Asked) =>
    verdict.checks.filter(({ name }) => (ASKED_CHECKS as readonly string[]).includes(name));

  it.each<[string, Wishes, Interference, string[]]>([
    ['nothing in particular', {}, {}, ['cited-score/v1', 'none was demanded: extractive']],
    [
      'nothing in particular, of a runner with a model',
      {},
      { made: BY_MODEL },
      ['cited-score/v1', 'none was demanded: model'],
    ],
    [
      'a method and a generator',
      { attribution: 'max-shapley', generator: 'extractive' },
      {},
      ['max-shapley/v1', 'extractive'],
    ],
    ['a model', { generator: 'model' }, { made: BY_MODEL }, ['cited-score/v1', 'model']],
  ])('agree: asked for %s', async (_what, wishes, interference, details) => {
    const { session } = await world(interference);
    const asked = await session.ask({ key: 'q', text: TEXT, ...wishes }, FAST);
    expect(checksOf(asked)).toEqual(ASKED_CHECKS.map((name, i) => ({ name, status: 'passed', detail: details[i] })));
    // Who is given the evidence, too.
    expect(await verifyReceipt(zReceiptEvidence.parse(JSON.parse(toWireJson(asked.evidence))))).toEqual(asked.verdict);
  });

  it('cannot be compared where the record of the question is from before there was a choice, which is said', async () => {
    const { session, journal } = await world(paidBy('cited-bm25/v1'));
    await session.ask({ key: 'q', text: TEXT }, FAST).catch(() => undefined);
    const [key] = await journal.keys('ask/');
    const { attribution: _new, ...older } = JSON.parse((await journal.get(key!))!) as Record<string, unknown>;
    await journal.put(key!, JSON.stringify(older));
    const asked = await session.ask({ key: 'q', text: TEXT }, FAST);
    expect(checksOf(asked)).toMatchObject([
      { name: 'ATTRIBUTION', status: 'skipped', detail: expect.stringContaining('older') },
      { name: 'GENERATOR', status: 'passed' },
    ]);
  });
});

describe('one appraisal for many questions', () => {
  const appraisals = ({ api }: Awaited<ReturnType<typeof world>>): number => api.callsOf('Attestation').length;
  async function asked() {
    const it = await world();
    await it.session.ask({ key: 'first', text: TEXT }, FAST);
    return { it, ask: (key: string) => it.session.ask({ key, text: TEXT }, FAST) };
  }

  it('is one for all that are asked together, and for those after them', async () => {
    const it = await world();
    await Promise.all(['a', 'b', 'c'].map((key) => it.session.ask({ key, text: TEXT }, FAST)));
    await it.client.jobs.session(it.job.id).ask({ key: 'd', text: TEXT }, FAST);
    expect([appraisals(it), it.api.callsOf('Job').length, it.asked.length]).toEqual([1, 1, 4]);
  });

  it('is made anew after the term of a session', async () => {
    const { it, ask } = await asked();
    it.clock.advance(600_000 - 1);
    await ask('in time');
    expect(appraisals(it)).toBe(1);
    it.clock.advance(1);
    await ask('late');
    expect(appraisals(it)).toBe(2);
  });

  it('is made anew when the DAO has another policy, and then by that one', async () => {
    const { it, ask } = await asked();
    const policy = aPolicy();
    it.chain.put('dao', aDao({ policy: { ...policy, appraisal: { ...policy.appraisal, version: 2 } } }));
    await expect(ask('later')).rejects.toMatchObject({ code: 'RUNNER_NOT_REGISTERED', details: { check: 'policy' } });
    expect([appraisals(it), it.asked.length]).toEqual([2, 1]);
  });

  it.each([
    ['was withdrawn', 'registered', { remove: true }],
    ['has run out', 'expired', { expiresAtMs: TEST_NOW_MS }],
    ['is of another HPKE key', 'HPKE key', { hpkePublicKey: toBase64(new Uint8Array(32).fill(9)) }],
  ] as const)('sends no further question to a runner whose registration %s', async (_what, check, { ...change }) => {
    const { it } = await asked();
    const { signerPublicKey } = UsageReceiptBcs.parse(
      fromBase64((await it.session.ask({ key: 'first', text: TEXT }, FAST)).evidence.receipt),
    );
    const runner = await it.chain.runner(it.job.daoId, runnerIdOf<RunnerId>(signerPublicKey));
    if ('remove' in change) it.chain.remove('runner', runner.id);
    else it.chain.put('runner', { ...runner, ...change } as typeof runner);
    const before = it.asked.length;
    await expect(it.session.ask({ key: 'later', text: TEXT }, { timeoutMs: 0 })).rejects.toMatchObject({
      code: 'RUNNER_NOT_REGISTERED',
      details: { check },
    });
    expect(it.asked).toHaveLength(before);
  });

  it('is of one key: after a restart all who ask together appraise the new one once', async () => {
    const { it, ask } = await asked();
    await it.restartRunner('second boot');
    await Promise.all(['a', 'b', 'c'].map(ask));
    // Once more than needed where a question learned of the restart while the others already had the new key.
    expect(appraisals(it)).toBeGreaterThanOrEqual(2);
    expect(appraisals(it)).toBeLessThanOrEqual(3);
    expect(it.asked).toHaveLength(4);
  });
});
