import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  asAmount,
  refuse,
  toBase64,
  type Address,
  type DaoId,
  type DatasetId,
  type Digest,
  type ErrorCode,
  type JobId,
  type QuestionId,
} from '@usufruct/kernel';
import { UsageReceiptBcs, type Answer, type JobView } from '@usufruct/protocol';
import { aUsageReceipt, idOf, ManualClock, seededRandom } from '@usufruct/testing';
import type { FundParams } from '../jobs/fund.js';
import { memoryJournal, type Journal } from '../journal.js';
import type { ReceiptEvidence } from '../receipt/evidence.js';
import { Asker, type AskerOptions, type AskParams } from './asker.js';
import type { AskerPorts } from './ports.js';

const DATASET = idOf<DatasetId>('dataset');
const MINUTE_MS = 60_000;
const PRICE = 3n;

/** A chain of jobs, and runners that answer whatever is asked, once for each question. */
class FakeSystem {
  readonly clock = new ManualClock();
  readonly jobs = new Map<JobId, JobView>();
  readonly settled = new Map<string, string>();
  readonly forgotten: QuestionId[] = [];
  asked = 0;
  priceUnits = PRICE;
  /** Thrown by the next questions, one after the other; null lets one through. */
  readonly failures: (ErrorCode | null)[] = [];
  fundFailure: ErrorCode | null = null;
  /** So many of the next sessions are funded, and nobody hears of it. */
  lostFundings = 0;
  /** Nothing is found for these words, so nothing is paid. */
  unknown = 'nobody knows this';
  private readonly random = seededRandom('asker');

  ports(journal: Journal, owner = idOf<Address>('lab')): AskerPorts {
    return {
      owner,
      journal,
      clock: this.clock,
      random: this.random,
      termsOf: async () => ({ priceUnits: asAmount(this.priceUnits), maxTermMs: 60 * MINUTE_MS }),
      fund: async (params) => this.fund(params),
      session: (jobId) => ({
        jobId,
        ask: async ({ key, text }) => this.ask(jobId, key, text),
        forget: async (questionId) => void this.forgotten.push(questionId),
        close: async () => this.change(jobId, { state: 'succeeded' }),
        onChain: async () => {
          const job = this.jobs.get(jobId);
          if (job === undefined) throw refuse('NOT_FOUND', { object: 'job' });
          return job;
        },
      }),
      questionIdOf: (jobId, key) => idOf<QuestionId>(`${jobId} ${key}`),
      isPaid: async (_jobId, questionId) => this.settled.has(questionId),
    };
  }

  private fund({ key, maxQuestions, termMs, purpose, escrowAtMostUnits }: FundParams): JobView {
    const id = idOf<JobId>(key);
    const known = this.jobs.get(id);
    if (known !== undefined) return known;
    if (this.fundFailure !== null) throw refuse(this.fundFailure);
    const escrowUnits = asAmount(this.priceUnits * BigInt(maxQuestions));
    expect(escrowUnits).toBeLessThanOrEqual(escrowAtMostUnits!);
    const job: JobView = {
      id,
      daoId: idOf<DaoId>('dao'),
      datasetId: DATASET,
      requester: idOf<Address>('lab'),
      purpose,
      kind: 'rag',
      protection: 'tee',
      policyVersion: 1,
      pricePerQuestionUnits: asAmount(this.priceUnits),
      split: { contributorsBps: 8_000, treasuryBps: 1_000, runnerBps: 800, protocolBps: 200 },
      payoutMode: 'direct',
      maxQuestions,
      questionsSettled: 0,
      escrowUnits,
      clientPublicKey: '',
      state: 'funded',
      fundedAtMs: this.clock.nowMs(),
      expiresAtMs: (this.clock.nowMs() + termMs) as JobView['expiresAtMs'],
    };
    this.jobs.set(id, job);
    if (this.lostFundings-- > 0) throw refuse('SETTLEMENT_UNKNOWN');
    return job;
  }
  private change(jobId: JobId, change: Partial<JobView>): JobView {
    const job = { ...this.jobs.get(jobId)!, ...change };
    this.jobs.set(jobId, job);
    return job;
  }
  private async ask(jobId: JobId, key: string, text: string) {
    await Promise.resolve();
    const questionId = idOf<QuestionId>(`${jobId} ${key}`);
    const known = this.settled.get(questionId);
    if (known === undefined) {
      this.asked++;
      const failure = this.failures.shift() ?? null;
      if (failure !== null) throw refuse(failure);
      const { questionsSettled, maxQuestions, state, expiresAtMs } = this.jobs.get(jobId)!;
      if (questionsSettled >= maxQuestions) throw refuse('QUESTION_LIMIT');
      if (state !== 'funded' || expiresAtMs <= this.clock.nowMs()) throw refuse('JOB_STATE');
      this.change(jobId, { questionsSettled: questionsSettled + 1 });
      this.settled.set(questionId, text);
    }
    const answer: Answer = {
      text: `about ${text}`,
      generator: 'extractive',
      sentences: [],
      citations: [],
      uses: [],
      usesSalt: idOf('salt'),
      resultSalt: idOf('salt'),
    };
    const evidence = { receipt: this.receiptOf(jobId, questionId, text) } as ReceiptEvidence;
    return { questionId, answer, evidence, verdict: { ok: true, checks: [] } };
  }
  private receiptOf(jobId: JobId, questionId: QuestionId, text: string): string {
    const priceUnits = text === this.unknown ? asAmount(0n) : this.jobs.get(jobId)!.pricePerQuestionUnits;
    const fields = aUsageReceipt({ jobId, questionId, priceUnits });
    return toBase64(UsageReceiptBcs.serialize(fields).toBytes());
  }
  /** Its term is over, and everything went back. */
  end(): void {
    for (const jobId of this.jobs.keys()) this.change(jobId, { state: 'expired' });
  }
  /** What the chain took for good, and what it holds. */
  get moneyUnits(): { paid: bigint; held: bigint } {
    let [paid, held] = [0n, 0n];
    for (const { pricePerQuestionUnits, questionsSettled, maxQuestions, state } of this.jobs.values()) {
      paid += pricePerQuestionUnits * BigInt(questionsSettled);
      if (state === 'funded') held += pricePerQuestionUnits * BigInt(maxQuestions - questionsSettled);
    }
    return { paid, held };
  }
}

let system: FakeSystem;
let journal: Journal;
beforeEach(() => {
  system = new FakeSystem();
  journal = memoryJournal();
});
const asker = (options: Partial<AskerOptions> = {}): Asker =>
  new Asker(system.ports(journal), { name: 'test', maxSpendUnits: asAmount(100n), sessionQuestions: 4, ...options });
const question = (key: string, change: Partial<AskParams> = {}): AskParams => ({
  key,
  datasetId: DATASET,
  purpose: 'dpv:ResearchAndDevelopment',
  text: `question ${key}`,
  ...change,
});
const codeOf = (asking: Promise<unknown>): Promise<string> =>
  asking.then(
    () => 'answered',
    (error: { code: string; details: { limit?: string } }) =>
      error.details.limit === undefined ? error.code : `${error.code} ${error.details.limit}`,
  );

describe('Asker: sessions', () => {
  it('funds one for the first question, and gives the rest back at the end', async () => {
    const one = asker();
    const paid = await one.ask(question('a'));
    expect(paid).toMatchObject({ costUnits: PRICE, isRepeat: false, answer: { text: 'about question a' } });
    expect(one.spending).toEqual({ maxUnits: 100n, lockedUnits: 12n, paidUnits: 0n });
    await one.close();
    expect(one.spending).toEqual({ maxUnits: 100n, lockedUnits: 0n, paidUnits: 3n });
    expect(system.moneyUnits).toEqual({ paid: 3n, held: 0n });
    expect(await journal.keys('asker/')).toEqual([]);
  });

  it('does not count as paid what was not known and so cost nothing', async () => {
    const one = asker();
    await one.ask(question('a'));
    expect(await one.ask(question('b', { text: system.unknown }))).toMatchObject({ costUnits: 0n, isRepeat: false });
    await one.close();
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: PRICE });
  });

  it('opens the next when one is used up, for questions at the same time, too', async () => {
    const one = asker();
    await Promise.all([...Array(10).keys()].map((n) => one.ask(question(`${n}`))));
    // 10 questions at 4 a session are 3 sessions; the two that are used up are closed.
    expect([...system.jobs.values()].map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'funded']);
    expect(system.moneyUnits).toEqual({ paid: 30n, held: 6n });
    expect(one.spending).toMatchObject({ lockedUnits: 12n, paidUnits: 24n });
  });

  it('opens the next when a term is about to end', async () => {
    const one = asker({ termMs: 10 * MINUTE_MS });
    await one.ask(question('a'));
    system.clock.advance(9.5 * MINUTE_MS);
    await one.ask(question('b'));
    expect(system.jobs.size).toBe(2);
    expect(system.moneyUnits).toEqual({ paid: 6n, held: 9n });
  });

  it('opens another when the session came to its end unseen, and asks there', async () => {
    const one = asker();
    system.failures.push('JOB_STATE');
    expect(await one.ask(question('a'))).toMatchObject({ costUnits: PRICE });
    expect(system.moneyUnits).toEqual({ paid: 3n, held: 9n });
  });

  it('does not fund again and again where nothing may be used', async () => {
    const one = asker();
    system.failures.push('NO_USABLE_DATA');
    expect(await codeOf(one.ask(question('a')))).toBe('NO_USABLE_DATA');
    expect(system.jobs.size).toBe(1);
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: 0n });
  });

  it('goes on with the session that a killed process left, within its own limit', async () => {
    await asker().ask(question('a'));
    const second = asker();
    await second.ask(question('b'));
    expect(system.jobs.size).toBe(1);
    expect(second.spending.lockedUnits).toBe(12n);
    const poor = asker({ maxSpendUnits: asAmount(11n) });
    await poor.ask(question('c')); // closes what it cannot afford, and opens a session of 3
    expect(system.moneyUnits).toEqual({ paid: 9n, held: 6n });
  });

  it('takes back what an earlier process of any name left in an expired session, and leaves running ones', async () => {
    await asker({ name: 'dead', termMs: 5 * MINUTE_MS }).ask(question('a'));
    await asker({ name: 'alive' }).ask(question('b'));
    system.clock.advance(6 * MINUTE_MS);
    await asker().recover();
    expect([...system.jobs.values()].map(({ state }) => state)).toEqual(['succeeded', 'funded']);
  });

  it('starts before a chain that knows none of what it left, and where what is left cannot be closed', async () => {
    await asker({ termMs: 5 * MINUTE_MS }).ask(question('a'));
    const [left] = [...system.jobs.values()];
    system.jobs.clear();
    await asker().recover();
    expect(await journal.keys('asker/')).toEqual([]);
    await asker({ termMs: 5 * MINUTE_MS }).ask(question('b'));
    system.clock.advance(6 * MINUTE_MS);
    const ports = system.ports(journal);
    const stuck = () => ({ ...ports.session(left!.id), onChain: () => Promise.reject(refuse('CHAIN_UNAVAILABLE')) });
    await new Asker({ ...ports, session: stuck }, { name: 'x', maxSpendUnits: asAmount(9n) }).recover();
    expect(await journal.keys('asker/')).toHaveLength(1);
  });

  it("does not touch another wallet's sessions and answers in the same journal", async () => {
    await asker().ask(question('a'));
    const other = new Asker(system.ports(journal, idOf<Address>('another')), {
      name: 'test',
      maxSpendUnits: asAmount(100n),
    });
    expect(await other.ask(question('a'))).toMatchObject({ isRepeat: false });
    expect(system.jobs.size).toBe(2);
  });

  it('funds the session that was agreed on when the answer of the chain was lost', async () => {
    system.fundFailure = 'SETTLEMENT_UNKNOWN';
    const one = asker();
    expect(await codeOf(one.ask(question('a')))).toBe('SETTLEMENT_UNKNOWN');
    const [pending] = await journal.keys(`asker/${idOf<Address>('lab')}/test/pending/`);
    const { key } = JSON.parse((await journal.get(pending!))!) as { key: string };
    system.fundFailure = null;
    await one.ask(question('a'));
    expect([...system.jobs.keys()]).toEqual([idOf<JobId>(key)]);
    expect(one.spending.lockedUnits).toBe(12n);
  });
});

describe('Asker: limits', () => {
  it('count a session that may have been funded, and then at the price that it was funded at', async () => {
    const one = asker({ maxSpendUnits: asAmount(40n) });
    [system.priceUnits, system.lostFundings] = [6n, 1];
    expect(await codeOf(one.ask(question('a')))).toBe('SETTLEMENT_UNKNOWN');
    expect([system.moneyUnits.held, one.spending.lockedUnits]).toEqual([24n, 24n]);
    system.priceUnits = 3n;
    expect(await one.ask(question('b'))).toMatchObject({ costUnits: 6n });
    expect([system.jobs.size, one.spending.lockedUnits]).toEqual([1, 24n]);
    await one.close();
    expect(one.spending).toEqual({ maxUnits: 40n, lockedUnits: 0n, paidUnits: 6n });
  });

  it.each<[string, () => void, Partial<AskParams>]>([
    ['that is too dear by now', () => undefined, { maxPriceUnits: asAmount(3n) }],
    ['that is over by now', () => system.end(), {}],
  ])('begin another session in place of one %s', async (_how, change, params) => {
    const one = asker({ maxSpendUnits: asAmount(40n) });
    [system.priceUnits, system.lostFundings] = [6n, 1];
    await one.ask(question('a')).catch(() => undefined);
    change();
    system.priceUnits = 3n;
    expect(await one.ask(question('b', params))).toMatchObject({ costUnits: 3n });
    expect([system.moneyUnits, one.spending.lockedUnits]).toEqual([{ paid: 3n, held: 9n }, 12n]);
    await one.close();
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: 3n });
  });

  it('locks what the limit still allows, and then refuses before anything is locked', async () => {
    const one = asker({ maxSpendUnits: asAmount(17n) }); // five questions of 3: sessions of 4 and of 1
    for (const key of ['a', 'b', 'c', 'd', 'e']) await one.ask(question(key));
    expect(await codeOf(one.ask(question('f')))).toBe('SPENDING_LIMIT max-spend');
    expect(system.moneyUnits).toEqual({ paid: 15n, held: 0n });
    expect(system.jobs.size).toBe(2);
  });

  it.each([
    ['of the asker', { maxPriceUnits: asAmount(2n) }, {}],
    ['of the question', {}, { maxPriceUnits: asAmount(2n) }],
    ['of the question, below that of the asker', { maxPriceUnits: asAmount(5n) }, { maxPriceUnits: asAmount(2n) }],
    ['of the asker, below that of the question', { maxPriceUnits: asAmount(2n) }, { maxPriceUnits: asAmount(5n) }],
  ])('refuses a price above the limit %s', async (_name, options, change) => {
    expect(await codeOf(asker(options).ask(question('a', change)))).toBe('SPENDING_LIMIT max-price');
    expect(system.jobs.size).toBe(0);
  });

  it('does not use a session that was agreed on at a higher price than this question may cost', async () => {
    const one = asker();
    await one.ask(question('a'));
    system.priceUnits = 2n;
    expect(await one.ask(question('b', { maxPriceUnits: asAmount(2n) }))).toMatchObject({ costUnits: 2n });
    expect(system.moneyUnits).toEqual({ paid: 5n, held: 6n });
  });

  it('hold for a question that was asked and not seen answered, in a session that was funded at another price', async () => {
    system.priceUnits = 6n;
    system.failures.push('UPSTREAM_UNAVAILABLE');
    expect(await codeOf(asker().ask(question('a')))).toBe('UPSTREAM_UNAVAILABLE');
    system.priceUnits = 3n;
    // As agents have it: each process has a name of its own, and goes on with what another one has asked.
    for (const limits of [{ maxPriceUnits: asAmount(3n) }, {}]) {
      const next = asker({ name: 'next', ...limits });
      expect(await next.priceNow(question('a'))).toBe(6n);
      const params = question('a', 'maxPriceUnits' in limits ? {} : { maxPriceUnits: asAmount(5n) });
      expect(await codeOf(next.ask(params))).toBe('SPENDING_LIMIT max-price');
    }
    expect(system.moneyUnits.paid).toBe(0n);
    const last = asker({ name: 'last' });
    expect(await last.ask(question('a', { maxPriceUnits: asAmount(6n) }))).toMatchObject({ costUnits: 6n });
    expect([system.jobs.size, system.moneyUnits.paid]).toEqual([1, 6n]);
  });

  it('are those of a new session for a question whose own is over and was not paid', async () => {
    system.priceUnits = 6n;
    system.failures.push('UPSTREAM_UNAVAILABLE');
    await asker()
      .ask(question('a'))
      .catch(() => undefined);
    system.end();
    system.priceUnits = 3n;
    const next = asker({ name: 'next', maxPriceUnits: asAmount(3n) });
    expect(await next.priceNow(question('a'))).toBe(3n);
    expect(await next.ask(question('a'))).toMatchObject({ costUnits: 3n });
  });

  it('are not in the way of a process that is allowed less than the one before it, which was killed as it funded', async () => {
    system.fundFailure = 'SETTLEMENT_UNKNOWN';
    await asker()
      .ask(question('a'))
      .catch(() => undefined);
    system.fundFailure = null;
    const one = asker({ maxSpendUnits: asAmount(7n) });
    expect(await one.ask(question('b'))).toMatchObject({ costUnits: 3n });
    expect([system.moneyUnits, one.spending.lockedUnits]).toEqual([{ paid: 3n, held: 3n }, 6n]);
  });

  it('never lets what is locked and paid exceed the limit, whatever fails', async () => {
    const one = asker({ maxSpendUnits: asAmount(40n) });
    const failures = [null, 'JOB_STATE', 'UPSTREAM_UNAVAILABLE', 'INVALID_ARGUMENT', 'QUESTION_LIMIT'] as const;
    for (let n = 0; n < 40; n++) {
      [system.lostFundings, system.priceUnits] = [n % 7 === 0 ? 1 : 0, n % 11 < 6 ? 3n : 2n];
      system.failures.push(failures[n % failures.length]!);
      await one.ask(question(`${n}`)).catch(() => undefined);
      const { paid, held } = system.moneyUnits;
      const { lockedUnits, paidUnits } = one.spending;
      expect(paid + held).toBeLessThanOrEqual(lockedUnits + paidUnits);
      expect(lockedUnits + paidUnits).toBeLessThanOrEqual(40n);
    }
    expect(system.moneyUnits.paid).toBeGreaterThan(9n);
  });
});

describe('Asker: a question that another process has begun', () => {
  const begun = async (name = 'first'): Promise<void> => {
    system.failures.push('UPSTREAM_UNAVAILABLE');
    expect(await codeOf(asker({ name }).ask(question('a')))).toBe('UPSTREAM_UNAVAILABLE');
  };
  const next = (maxUnits: bigint, options: Partial<AskerOptions> = {}): Asker =>
    asker({ name: 'next', maxSpendUnits: asAmount(maxUnits), ...options });

  it('is refused, and nothing is sent, where the limit does not allow its price', async () => {
    await begun();
    const one = next(5n);
    await one.ask(question('b'));
    const { asked } = system;
    expect(await codeOf(one.ask(question('a')))).toBe('SPENDING_LIMIT max-spend');
    expect([system.asked, system.moneyUnits.paid]).toEqual([asked, PRICE]);
    // Another one is allowed it.
    expect(await next(3n, { name: 'last' }).ask(question('a'))).toMatchObject({ costUnits: PRICE });
  });

  it('counts with its own price, and not with what else its session holds', async () => {
    await begun();
    const one = next(6n);
    expect(await one.ask(question('a'))).toMatchObject({ costUnits: PRICE, isRepeat: false });
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: 3n });
    await one.ask(question('b'));
    expect(await codeOf(one.ask(question('c')))).toBe('SPENDING_LIMIT max-spend');
    await one.close();
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: 6n });
    // The first one's session stays the first one's.
    expect([...system.jobs.values()].map(({ state }) => state)).toEqual(['funded', 'succeeded']);
  });

  it('counts once, however often it is gone on with, until it is answered', async () => {
    await begun();
    const one = next(3n);
    system.failures.push('UPSTREAM_UNAVAILABLE', 'SETTLEMENT_UNKNOWN');
    for (const code of ['UPSTREAM_UNAVAILABLE', 'SETTLEMENT_UNKNOWN']) {
      expect(await codeOf(one.ask(question('a')))).toBe(code);
      expect(one.spending).toMatchObject({ lockedUnits: 3n, paidUnits: 0n });
    }
    expect(await codeOf(one.ask(question('b')))).toBe('SPENDING_LIMIT max-spend');
    expect(await one.ask(question('a'))).toMatchObject({ costUnits: PRICE });
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: 3n });
    expect(await one.ask(question('a'))).toMatchObject({ costUnits: 0n, isRepeat: true });
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: 3n });
    expect(await next(0n, { name: 'poor' }).ask(question('a'))).toMatchObject({ costUnits: 0n, isRepeat: true });
  });

  it('counts no more where its session is over, and is asked anew in one of this process', async () => {
    await begun();
    const one = next(3n);
    system.failures.push('JOB_STATE');
    expect(await one.ask(question('a'))).toMatchObject({ costUnits: PRICE });
    await one.close();
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: 3n });
  });

  it('counts on after a failure that does not say whether what was sent before will be paid', async () => {
    await begun();
    const one = next(3n);
    system.failures.push('ATTESTATION_REFUSED');
    expect(await codeOf(one.ask(question('a')))).toBe('ATTESTATION_REFUSED');
    expect(one.spending).toMatchObject({ lockedUnits: 3n, paidUnits: 0n });
    system.end();
    expect(await one.ask(question('a'))).toMatchObject({ costUnits: PRICE });
    await one.close();
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: 3n });
  });

  it('counts nothing where nothing was found, and so nothing paid', async () => {
    system.failures.push('UPSTREAM_UNAVAILABLE');
    const unknown = question('a', { text: system.unknown });
    await asker()
      .ask(unknown)
      .catch(() => undefined);
    const one = next(3n);
    expect(await one.ask(unknown)).toMatchObject({ costUnits: 0n, isRepeat: false });
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: 0n });
  });

  it('has what it costs from sessions of this process that nobody asks from just now', async () => {
    await begun();
    const one = next(12n);
    await one.ask(question('b')); // locks all 12, of which 3 are paid
    expect(await one.ask(question('a'))).toMatchObject({ costUnits: PRICE });
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: 6n });
  });

  it('is not counted beside its session, where that counts as a whole', async () => {
    const own = asker({ maxSpendUnits: asAmount(12n) });
    system.failures.push('UPSTREAM_UNAVAILABLE');
    await own.ask(question('a')).catch(() => undefined);
    expect(await own.ask(question('a'))).toMatchObject({ costUnits: PRICE });
    expect(own.spending).toMatchObject({ lockedUnits: 12n, paidUnits: 0n });
  });

  it.each([['before'], ['after']])('nor where this process takes its session over %s that', async (when) => {
    await begun('next');
    const one = next(12n);
    if (when === 'before') await one.ask(question('b'));
    await one.ask(question('a'));
    if (when === 'after') await one.ask(question('b'));
    expect([one.spending, system.jobs.size]).toEqual([{ maxUnits: 12n, lockedUnits: 12n, paidUnits: 0n }, 1]);
    await one.close();
    expect(one.spending).toMatchObject({ lockedUnits: 0n, paidUnits: 6n });
    expect(system.moneyUnits).toEqual({ paid: 6n, held: 0n });
  });
});

describe('Asker: a question is paid once', () => {
  it('however often it is asked at the same time', async () => {
    const one = asker();
    const answers = await Promise.all([...Array(20).keys()].map(() => one.ask(question('a'))));
    expect(answers.filter(({ isRepeat }) => !isRepeat)).toHaveLength(1);
    expect(answers.reduce((sum, { costUnits }) => sum + costUnits, 0n)).toBe(PRICE);
    expect([system.asked, system.moneyUnits.paid]).toEqual([1, PRICE]);
  });

  it('and by how many processes at the same time', async () => {
    const askers = [1, 2, 3].map(() => asker({ sessionQuestions: 1 }));
    const answers = await Promise.all(askers.map((one) => one.ask(question('a'))));
    expect(answers.map(({ answer }) => answer.text)).toEqual(Array(3).fill('about question a'));
    for (const one of askers) await one.close();
    expect(system.moneyUnits).toEqual({ paid: 3n, held: 0n });
  });

  it('and asked again later, also by another process, within the time that it is kept', async () => {
    await asker().ask(question('a', { keepMs: 5 * MINUTE_MS }));
    system.clock.advance(4 * MINUTE_MS);
    expect(await asker({ name: 'other' }).ask(question('a'))).toMatchObject({ isRepeat: true, costUnits: 0n });
    system.clock.advance(2 * MINUTE_MS);
    expect(await asker().ask(question('a'))).toMatchObject({ isRepeat: false, costUnits: PRICE });
    expect(system.forgotten).toHaveLength(1);
  });

  it.each(['UPSTREAM_UNAVAILABLE', 'SETTLEMENT_UNKNOWN', 'RECEIPT_INVALID'] as const)(
    'goes on with the same question after %s',
    async (code) => {
      const one = asker();
      system.failures.push(code);
      expect(await codeOf(one.ask(question('a')))).toBe(code);
      const [key] = await journal.keys('asker-question/');
      const { askKey } = JSON.parse((await journal.get(key!))!) as { askKey: string };
      expect(await one.ask(question('a'))).toMatchObject({ isRepeat: false });
      const [job] = system.jobs.keys();
      expect([...system.settled.keys()]).toEqual([idOf(`${job} ${askKey}`)]);
    },
  );

  it('and does not ask anew in another session what the API says was paid in one that is over', async () => {
    const one = asker();
    system.failures.push('UPSTREAM_UNAVAILABLE');
    await one.ask(question('a')).catch(() => undefined);
    const [key] = await journal.keys('asker-question/');
    const { askKey, jobId } = JSON.parse((await journal.get(key!))!) as { askKey: string; jobId: JobId };
    const ports = system.ports(journal);
    const lost = new Asker(
      {
        ...ports,
        isPaid: async (_job, questionId) => questionId === idOf(`${jobId} ${askKey}`),
        session: (id) => ({ ...ports.session(id), ask: () => Promise.reject(refuse('JOB_EXPIRED')) }),
      },
      { name: 'test', maxSpendUnits: asAmount(100n) },
    );
    expect(await codeOf(lost.ask(question('a')))).toBe('JOB_EXPIRED');
    expect(system.jobs.size).toBe(1);
  });

  it('asks anew what failed for good without a receipt', async () => {
    const one = asker();
    system.failures.push('INVALID_ARGUMENT');
    expect(await codeOf(one.ask(question('a')))).toBe('INVALID_ARGUMENT');
    for (const key of ['a', 'b', 'c', 'd']) await one.ask(question(key)); // its place is free again
    expect(system.jobs.size).toBe(1);
  });

  it.each<[string, Partial<AskParams>]>([
    ['text', { text: 'other' }],
    ['purpose', { purpose: 'dpv:Marketing' }],
    ['dataset', { datasetId: idOf<DatasetId>('another') }],
    ['topK', { topK: 3 }],
    ['generator', { generator: 'model' }],
    ['filter', { filter: { author: 'Ada' } }],
    ['attribution', { attribution: 'score' }],
  ])('refuses a known key with another %s', async (_name, change) => {
    const one = asker();
    const first = one.ask(question('a'));
    expect(await codeOf(one.ask(question('a', change)))).toBe('IDEMPOTENCY_KEY_REUSED');
    await first;
    expect(await codeOf(one.ask(question('a', change)))).toBe('IDEMPOTENCY_KEY_REUSED');
  });

  it('finds receipts again, without question and answer', async () => {
    const one = asker();
    const { receiptId, questionId, jobId } = await one.ask(question('a'));
    const known = await asker({ name: 'later' }).receipt(receiptId);
    expect(known).toMatchObject({ receiptId, questionId, jobId, datasetId: DATASET, priceUnits: PRICE });
    expect(await one.receipts()).toEqual([known]);
    expect(JSON.stringify(await Promise.all((await journal.keys('')).map((key) => journal.get(key))))).not.toContain(
      'question a',
    );
    expect(await one.receipt(idOf<Digest>('none'))).toBeNull();
  });
});
