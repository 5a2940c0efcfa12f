import { expect } from '@jest/globals';
import {
  asAmount,
  refuse,
  toBase64,
  type Address,
  type AmountUnits,
  type DaoId,
  type DatasetId,
  type ErrorCode,
  type JobId,
  type QuestionId,
} from '@usufruct/kernel';
import { UsageReceiptBcs, type Answer, type JobView } from '@usufruct/protocol';
import {
  Asker,
  memoryJournal,
  type AskerOptions,
  type AskerPorts,
  type AskSeveralParams,
  type FundParams,
  type Journal,
  type ReceiptEvidence,
  type RefusalEvidence,
  type SeveralAnswers,
} from '@usufruct/sdk';
import { aUsageReceipt, idOf, ManualClock, seededRandom } from '@usufruct/testing';

export const [BEES, FORGE, SEA] = ['bees', 'forge', 'sea'].map((name) => idOf<DatasetId>(name)) as [
  DatasetId,
  DatasetId,
  DatasetId,
];

/** Each dataset is of a DAO of its own, with its price and its answers. */
export class AskedChain {
  readonly journal = memoryJournal();
  readonly clock = new ManualClock();
  readonly prices = new Map<DatasetId, bigint>([
    [BEES, 3n],
    [FORGE, 5n],
    [SEA, 7n],
  ]);
  readonly quotes = new Map<DatasetId, string[]>([
    [BEES, ['bees one', 'said by both', 'bees three']],
    [FORGE, ['forge one', 'said by both']],
    [SEA, []],
  ]);
  readonly refusals = new Map<DatasetId, ErrorCode>();
  readonly jobs = new Map<JobId, JobView>();
  readonly paid: [DatasetId, bigint][] = [];
  /** Questions wait for it. */
  gate: Promise<unknown> = Promise.resolve();
  /** Is told of each question that has come to the gate. */
  onAsked: () => void = () => undefined;
  /** So many of the next sessions are funded, and nobody hears of it. */
  lostFundings = 0;
  private transactions = 0;
  private readonly settled = new Set<string>();
  private readonly random = seededRandom('several');

  asker(maxSpendUnits = 100n, change: Partial<AskerOptions> = {}, journal = this.journal): Asker {
    return this.askerOver(this.ports(journal), maxSpendUnits, change);
  }

  askerOver(ports: AskerPorts, maxSpendUnits: bigint, change: Partial<AskerOptions> = {}): Asker {
    return new Asker(ports, { name: 'test', maxSpendUnits: asAmount(maxSpendUnits), sessionQuestions: 1, ...change });
  }

  ports(journal: Journal = this.journal): AskerPorts {
    return {
      owner: idOf<Address>('lab'),
      journal,
      clock: this.clock,
      random: this.random,
      termsOf: async (datasetId) => {
        const priceUnits = this.prices.get(datasetId);
        if (priceUnits === undefined) throw refuse('NOT_FOUND', { object: 'dataset' });
        return { priceUnits: asAmount(priceUnits), maxTermMs: 3_600_000 };
      },
      fund: (params) => this.fund(params),
      session: (jobId) => ({
        jobId,
        ask: async ({ key }, options) => this.ask(jobId, key, options?.onRefusal),
        forget: async () => undefined,
        close: () => this.alone(() => this.closed(jobId)),
        onChain: async () => this.jobs.get(jobId)!,
      }),
      questionIdOf: (jobId, key) => idOf<QuestionId>(`${jobId} ${key}`),
      isPaid: async (_jobId, questionId) => this.settled.has(questionId),
    };
  }

  /** One wallet: two of its transactions at once would take each other's coins. */
  private async alone<T>(transaction: () => T): Promise<T> {
    expect(++this.transactions).toBe(1);
    await new Promise(setImmediate);
    this.transactions--;
    return transaction();
  }

  private closed(jobId: JobId): JobView {
    const job: JobView = { ...this.jobs.get(jobId)!, state: 'succeeded' };
    this.jobs.set(jobId, job);
    return job;
  }

  get paidUnits(): bigint {
    return this.paid.reduce((sum, [, units]) => sum + units, 0n);
  }

  /** What was paid, and what is held for sessions that are open. */
  get spentUnits(): bigint {
    const open = [...this.jobs.values()].filter(({ state }) => state === 'funded');
    return open.reduce(
      (sum, { pricePerQuestionUnits, maxQuestions, questionsSettled }) =>
        sum + pricePerQuestionUnits * BigInt(maxQuestions - questionsSettled),
      this.paidUnits,
    );
  }

  private fund(params: FundParams): Promise<JobView> {
    return this.alone(() => this.funded(params));
  }

  private funded({ key, datasetId, maxQuestions, termMs, purpose }: FundParams): JobView {
    const known = this.jobs.get(idOf<JobId>(key));
    if (known !== undefined) return known;
    const pricePerQuestionUnits = asAmount(this.prices.get(datasetId)!);
    const job: JobView = {
      id: idOf<JobId>(key),
      daoId: idOf<DaoId>(`DAO of ${datasetId}`),
      datasetId,
      requester: idOf<Address>('lab'),
      purpose,
      kind: 'rag',
      protection: 'tee',
      policyVersion: 1,
      pricePerQuestionUnits,
      split: { contributorsBps: 8_000, treasuryBps: 1_000, runnerBps: 800, protocolBps: 200 },
      payoutMode: 'direct',
      maxQuestions,
      questionsSettled: 0,
      escrowUnits: asAmount(pricePerQuestionUnits * BigInt(maxQuestions)),
      clientPublicKey: '',
      state: 'funded',
      fundedAtMs: this.clock.nowMs(),
      expiresAtMs: (this.clock.nowMs() + termMs) as JobView['expiresAtMs'],
    };
    this.jobs.set(job.id, job);
    if (this.lostFundings-- > 0) throw refuse('SETTLEMENT_UNKNOWN');
    return job;
  }

  private async ask(jobId: JobId, key: string, onRefusal?: (refusal: RefusalEvidence) => void) {
    this.onAsked();
    await this.gate;
    const job = this.jobs.get(jobId)!;
    const { datasetId, pricePerQuestionUnits, questionsSettled, maxQuestions } = job;
    const questionId = idOf<QuestionId>(`${jobId} ${key}`);
    if (!this.settled.has(questionId)) {
      const code = this.refusals.get(datasetId);
      if (code !== undefined) {
        onRefusal?.({ refusal: String(datasetId), signature: '' } as RefusalEvidence);
        throw refuse(code);
      }
      if (job.state !== 'funded' || job.expiresAtMs <= this.clock.nowMs()) throw refuse('JOB_STATE');
      if (questionsSettled >= maxQuestions) throw refuse('QUESTION_LIMIT');
      this.paid.push([datasetId, pricePerQuestionUnits]);
      this.jobs.set(jobId, { ...job, questionsSettled: questionsSettled + 1 });
      this.settled.add(questionId);
    }
    const evidence = { receipt: receiptOf(jobId, questionId, pricePerQuestionUnits) } as ReceiptEvidence;
    return { questionId, answer: answerOf(this.quotes.get(datasetId)!), evidence, verdict: { ok: true, checks: [] } };
  }
}

const answerOf = (quotes: readonly string[]): Answer => ({
  text: quotes.join(' '),
  generator: 'extractive',
  sentences: quotes.map((text, i) => ({ text, citations: [i] })),
  citations: quotes.map((quote) => ({ contributionId: idOf(quote), fileName: 'a.txt', locator: '', quote })),
  uses: [],
  usesSalt: idOf('salt'),
  resultSalt: idOf('salt'),
});

const receiptOf = (jobId: JobId, questionId: QuestionId, priceUnits: AmountUnits): string =>
  toBase64(UsageReceiptBcs.serialize(aUsageReceipt({ jobId, questionId, priceUnits })).toBytes());

export const several = (
  datasetIds: readonly DatasetId[],
  change: Partial<AskSeveralParams> = {},
): AskSeveralParams => ({
  key: 'k',
  datasetIds,
  purpose: 'dpv:ResearchAndDevelopment',
  text: 'What is known of both?',
  ...change,
});
export const codes = ({ parts }: SeveralAnswers) => parts.map(({ error }) => error?.code ?? null);
export const codeOf = (asking: Promise<unknown>): Promise<string> =>
  asking.then(
    () => 'answered',
    (error: { code: string }) => error.code,
  );
