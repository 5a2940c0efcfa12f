import {
  asAmount,
  refuse,
  utf8,
  type Hex32,
  type TimestampMs,
  type AmountUnits,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type ErrorCode,
  type JobId,
  type QuestionId,
} from '@usufruct/kernel';
import { digestOf } from '@usufruct/crypto';
import type { Answer } from '@usufruct/protocol';
import type {
  AskOptions,
  AskParams,
  KnownReceipt,
  RefusalEvidence,
  ListedDataset,
  PaidAnswer,
  ReceiptEvidence,
} from '@usufruct/sdk';
import type { Backend } from '../openai/backend.js';

/** As in the builders of @usufruct/testing, which only specs may import. */
const idOf = <T extends Hex32>(name: string): T => digestOf(utf8(name)) as Hex32 as T;
const AT_MS = 1_800_000_000_000 as TimestampMs;

export const DATASET = idOf<DatasetId>('field reports');
export const OTHER_DATASET = idOf<DatasetId>('other reports');
const PRICE = asAmount(1_500_000n);

export const listed = (datasetId: DatasetId, title: string, change: Partial<ListedDataset> = {}): ListedDataset => ({
  datasetId,
  title,
  description: null,
  contributionCount: 3,
  dao: {
    daoId: idOf<DaoId>('dao'),
    title: 'Field records',
    policy: {
      pricePerQuestionUnits: PRICE,
      purposes: ['dpv:ResearchAndDevelopment'],
      kinds: ['rag'],
      protections: ['tee'],
      maxJobTermMs: 3_600_000,
    },
  },
  ...change,
});

/** An asker that answers at once, or when a test says so, and pays once for each key. */
export class AnsweringBackend implements Backend {
  readonly coin = { type: '0x2::coin::TEST', symbol: 'TEST', decimals: 6 };
  readonly standIns: readonly string[] = ['local chain'];
  readonly asked: AskParams[] = [];
  paidUnits = 0n;
  listedDatasets: readonly ListedDataset[] = [listed(DATASET, 'Reports'), listed(OTHER_DATASET, 'Others')];
  openJob: JobId | null = null;
  /** Thrown by the next questions, one after the other. */
  readonly failures: (ErrorCode | Error)[] = [];
  readonly refusing = new Map<DatasetId, ErrorCode>();
  /** Questions wait for it. */
  gate: Promise<unknown> = Promise.resolve();
  isKnown = true;
  maxPriceUnits: AmountUnits | null = null;
  private readonly answers = new Map<string, Promise<PaidAnswer>>();
  private readonly known = new Map<Digest, KnownReceipt>();

  readonly asker: Backend['asker'];
  constructor() {
    const spending = (): { maxUnits: AmountUnits; lockedUnits: AmountUnits; paidUnits: AmountUnits } => ({
      maxUnits: asAmount(100_000_000n),
      lockedUnits: asAmount(0n),
      paidUnits: asAmount(this.paidUnits),
    });
    const maxPrice = (): AmountUnits | null => this.maxPriceUnits;
    this.asker = {
      ask: (params, options) => this.ask(params, options),
      priceNow: async ({ key }) => (this.answers.has(key) ? asAmount(0n) : PRICE),
      makeRoom: async () => undefined,
      currentSession: () => this.openJob,
      get maxPriceUnits() {
        return maxPrice();
      },
      receipt: async (id) => this.known.get(id) ?? null,
      receipts: async () => [...this.known.values()],
      get spending() {
        return spending();
      },
    };
  }

  datasets = async (): Promise<readonly ListedDataset[]> => this.listedDatasets;
  judgedReceipt: Backend['judgedReceipt'] = async ({ jobId }) => ({
    evidence: { receipt: 'AA==', job: { id: jobId } } as ReceiptEvidence,
    verdict: { ok: true, checks: [{ name: 'SIGNATURE', status: 'passed', detail: '' }] },
  });
  inspect: Backend['inspect'] = async () => {
    throw refuse('RUNNER_UNAVAILABLE');
  };

  private async ask(params: AskParams, { onRefusal }: AskOptions = {}): Promise<PaidAnswer> {
    this.asked.push(params);
    const earlier = this.answers.get(params.key);
    if (earlier !== undefined) return { ...(await earlier), costUnits: asAmount(0n), isRepeat: true };
    const answer = this.answered(params, onRefusal);
    this.answers.set(params.key, answer);
    answer.catch(() => this.answers.delete(params.key));
    return answer;
  }
  private async answered(params: AskParams, onRefusal: AskOptions['onRefusal']): Promise<PaidAnswer> {
    const failure = this.refusing.get(params.datasetId) ?? this.failures.shift();
    await this.gate;
    // A runner signs what its rules refuse.
    if (failure === 'PURPOSE_DENIED')
      onRefusal?.({ refusal: 'cmVmdXNhbA==', signature: 'c2lnbmVk' } as RefusalEvidence);
    if (failure !== undefined) throw typeof failure === 'string' ? refuse(failure, { field: 'detail' }) : failure;
    this.paidUnits += PRICE;
    const questionId = idOf<QuestionId>(params.key);
    const jobId = idOf<JobId>('job');
    const receiptId = idOf<Digest>(`receipt of ${params.key}`);
    const { datasetId } = params;
    const atMs = AT_MS;
    this.known.set(receiptId, { receiptId, jobId, questionId, datasetId, priceUnits: PRICE, atMs });
    return {
      questionId,
      jobId,
      datasetId,
      receiptId,
      evidenceDigest: idOf<Digest>('evidence'),
      costUnits: PRICE,
      isRepeat: false,
      answer: this.isKnown ? answerTo(params.text) : NO_ANSWER,
      evidence: { receipt: 'AA==', runner: { profile: 'software-dev' } } as ReceiptEvidence,
      verdict: { ok: true, checks: [] },
    };
  }
}

const citation = (quote: string) => ({
  contributionId: idOf<ContributionId>('log'),
  fileName: 'log.txt',
  locator: 'Day 3',
  quote,
});
const answerTo = (text: string): Answer => ({
  text: `About ${text}: three dark days. [1] The battery was low. [1][2]`,
  generator: 'extractive',
  sentences: [
    { text: `About ${text}: three dark days.`, citations: [0] },
    { text: 'The battery was low.', citations: [0, 1] },
  ],
  citations: [citation('three dark days.'), citation('The battery was low.')],
  uses: [],
  usesSalt: idOf('salt'),
  resultSalt: idOf('salt'),
});
const NO_ANSWER: Answer = { ...answerTo(''), text: "I don't know.", sentences: [], citations: [] };
