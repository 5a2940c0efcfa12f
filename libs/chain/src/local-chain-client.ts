import {
  isErrorCode,
  refuse,
  systemClock,
  systemRandom,
  toBase64,
  UsufructError,
  type Address,
  type AmountUnits,
  type Clock,
  type ContributionId,
  type DaoId,
  type DatasetId,
  type Digest,
  type EpochId,
  type GrantId,
  type HolderSetId,
  type JobId,
  type LicenceId,
  type ProposalId,
  type QuestionId,
  type RandomSource,
  type RunnerId,
  type SignerId,
} from '@usufruct/kernel';
import {
  LIMITS,
  parseAnswer,
  zAmount,
  zApplicationView,
  zChainEvent,
  zChainInfo,
  zContributionView,
  zDaoView,
  zDatasetView,
  zEpochView,
  zGrantView,
  zHex32,
  zHolderSetView,
  zJobView,
  zLicenceOfferView,
  zLicenceView,
  zMemberView,
  zProposalView,
  zReceiptPoolView,
  zRunnerView,
  zSignerView,
  zTransactionOutcome,
  type ChainAction,
  type ChainEvent,
  type TransactionOutcome,
} from '@usufruct/protocol';
import { z } from 'zod';
import { GatheredReads } from './gathered-reads.js';
import { requestJson, type HttpRequest } from './http.js';
import type { Chain, PreparedTransaction, WalletSigner } from './port.js';
import { prepareLocalTransaction } from './prepare.js';
import { textFetch, withTimeout, type TextFetch, type WebFetch } from './text-fetch.js';

export interface LocalChainOptions {
  readonly url: string;
  readonly fetch?: WebFetch;
  readonly clock?: Clock;
  readonly random?: RandomSource;
  /** How long one answer may take, waiting for events not counted. */
  readonly timeoutMs?: number;
  /** Waits between the look-ups of a transaction whose answer was lost. */
  readonly lookUpAfterMs?: readonly number[];
}

const zEvents = z.object({ events: z.array(zChainEvent) });
const zPosition = z.object({ seq: z.int() });
const zBalance = z.object({ amountUnits: zAmount });
const zClaimed = z.object({ isClaimed: z.boolean() });
const zSettled = z.object({ receiptDigest: zHex32<Digest>().nullable() });

/**
 * The chain port over the local chain's HTTP interface; runs in a browser as in Node. Believes the chain it is
 * pointed at: there is no consensus to check behind a local ledger.
 */
export class LocalChainClient implements Chain {
  readonly #options: Required<Omit<LocalChainOptions, 'fetch'>> & { readonly fetch: TextFetch };
  readonly #reads = new GatheredReads((request) => this.#request(request));
  #chainId: string | undefined;

  constructor(options: LocalChainOptions) {
    this.#options = {
      clock: systemClock,
      random: systemRandom,
      timeoutMs: 10_000,
      lookUpAfterMs: [50, 250, 1_000, 2_500],
      ...options,
      fetch: options.fetch === undefined ? textFetch : withTimeout(options.fetch),
      url: options.url.replace(/\/+$/, ''),
    };
  }

  info = () => this.#get('/v1/info', zChainInfo);
  dao = (id: DaoId) => this.#get(`/v1/daos/${id}`, zDaoView);
  member = (daoId: DaoId, address: Address) =>
    this.#get(`/v1/daos/${daoId}/members/${address}`, zMemberView.nullable());
  applicationsOf = (id: DaoId) => this.#get(`/v1/daos/${id}/applications`, z.array(zApplicationView));
  proposal = (id: ProposalId) => this.#get(`/v1/proposals/${id}`, zProposalView);
  proposalsOf = (id: DaoId) => this.#get(`/v1/daos/${id}/proposals`, z.array(zProposalView));
  signer = (daoId: DaoId, id: SignerId) => this.#get(`/v1/daos/${daoId}/signers/${id}`, zSignerView);
  receiptPool = (id: DaoId) => this.#get(`/v1/daos/${id}/receipt-pool`, zReceiptPoolView);
  epoch = (id: EpochId) => this.#get(`/v1/epochs/${id}`, zEpochView);
  epochsOf = (id: DaoId) => this.#get(`/v1/daos/${id}/epochs`, z.array(zEpochView));

  async isClaimed(id: EpochId, index: number): Promise<boolean> {
    return (await this.#get(`/v1/epochs/${id}/claims/${index}`, zClaimed)).isClaimed;
  }

  licenceOffer = (id: LicenceId) => this.#get(`/v1/licence-offers/${id}`, zLicenceOfferView);
  licence = (id: LicenceId) => this.#get(`/v1/licences/${id}`, zLicenceView);
  dataset = (id: DatasetId) => this.#get(`/v1/datasets/${id}`, zDatasetView);
  contribution = (id: ContributionId) => this.#get(`/v1/contributions/${id}`, zContributionView);
  contributions = (ids: readonly ContributionId[]) =>
    this.#paged('/v1/contributions/query', ids, zContributionView.nullable());
  contributionsOf = (id: DatasetId) => this.#get(`/v1/datasets/${id}/contributions`, z.array(zContributionView));
  grant = (id: GrantId) => this.#get(`/v1/grants/${id}`, zGrantView);
  grantsOf = (id: ContributionId) => this.#get(`/v1/contributions/${id}/grants`, z.array(zGrantView));
  grantsOfEach = (ids: readonly ContributionId[]) => this.#paged('/v1/grants/query', ids, z.array(zGrantView));
  holderSet = (id: HolderSetId) => this.#get(`/v1/holder-sets/${id}`, zHolderSetView);
  runner = (daoId: DaoId, runnerId: RunnerId) => this.#get(`/v1/daos/${daoId}/runners/${runnerId}`, zRunnerView);
  job = (id: JobId) => this.#get(`/v1/jobs/${id}`, zJobView);

  async settledReceipt(jobId: JobId, questionId: QuestionId): Promise<Digest | null> {
    return (await this.#get(`/v1/jobs/${jobId}/receipts/${questionId}`, zSettled)).receiptDigest;
  }

  async balanceOf(account: Address): Promise<AmountUnits> {
    return (await this.#get(`/v1/balances/${account}`, zBalance)).amountUnits;
  }

  async events(
    after: number,
    options: { limit?: number; waitMs?: number; signal?: AbortSignal } = {},
  ): Promise<ChainEvent[]> {
    const { limit = LIMITS.eventsPage, waitMs = 0, signal } = options;
    const path = `/v1/events?after=${after}&limit=${limit}&waitMs=${waitMs}`;
    if (waitMs === 0 && signal === undefined) return (await this.#get(path, zEvents)).events;
    return parseAnswer(zEvents, await this.#request({ path, signal, waitMs }), 'local chain').events;
  }

  /** An object and the event about it are written in one transaction of its store. */
  async position(): Promise<number> {
    return (await this.#get('/v1/position', zPosition)).seq;
  }

  transaction = (digest: Digest) => this.#get(`/v1/transactions/${digest}`, zTransactionOutcome.nullable());

  async prepare(actions: readonly ChainAction[], signer: WalletSigner): Promise<PreparedTransaction> {
    // Never another one for the same chain: with a wrong one the chain refuses the transaction.
    this.#chainId ??= (await this.info()).chainId;
    const chainId = this.#chainId;
    const { clock, random } = this.#options;
    return prepareLocalTransaction({ chainId, actions, signer, clock, random });
  }

  async send(transaction: PreparedTransaction): Promise<TransactionOutcome> {
    return succeeded((await this.#post(transaction)) ?? (await this.#lookUp(transaction.digest)));
  }

  async execute(actions: readonly ChainAction[], signer: WalletSigner): Promise<TransactionOutcome> {
    return this.send(await this.prepare(actions, signer));
  }

  /** Null when no answer came, or one that says nothing about the transaction. */
  async #post({ bytes, signature, digest }: PreparedTransaction): Promise<TransactionOutcome | null> {
    try {
      const body = JSON.stringify({ bytes: toBase64(bytes), signature });
      const answer = await this.#request({ path: '/v1/transactions', body });
      const outcome = parseAnswer(zTransactionOutcome, answer, 'local chain');
      if (outcome.digest !== digest) throw refuse('UPSTREAM_INVALID', { upstream: 'local chain', field: 'digest' });
      return outcome;
    } catch (error) {
      if (isDecided(error)) throw error;
      return null;
    }
  }

  async #lookUp(digest: Digest): Promise<TransactionOutcome> {
    for (const waitMs of this.#options.lookUpAfterMs) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const outcome = await this.transaction(digest).catch((error: unknown) => {
        if (isDecided(error)) throw error;
        return null;
      });
      if (outcome !== null) return outcome;
    }
    throw refuse('SETTLEMENT_UNKNOWN', { digest });
  }

  async #get<S extends z.ZodType>(path: string, schema: S, body?: string): Promise<z.output<S>> {
    const answer = await this.#reads.read({ path, ...(body !== undefined && { body }) });
    return parseAnswer(schema, answer, 'local chain');
  }

  /** One answer for each id, page by page: no request and no answer grows with the dataset. */
  async #paged<S extends z.ZodType>(path: string, ids: readonly ContributionId[], schema: S): Promise<z.output<S>[]> {
    const answers: z.output<S>[] = [];
    for (let from = 0; from < ids.length; from += LIMITS.contributionsPage) {
      const page = ids.slice(from, from + LIMITS.contributionsPage);
      const body = JSON.stringify({ contributionIds: page });
      answers.push(...(await this.#get(path, z.array(schema).length(page.length), body)));
    }
    return answers;
  }

  #request(request: HttpRequest): Promise<unknown> {
    const { url, fetch, timeoutMs } = this.#options;
    return requestJson({ baseUrl: url, fetch, timeoutMs }, request);
  }
}

/** The chain said no before it executed anything; every other failure leaves the outcome open. */
const isDecided = (error: unknown): boolean =>
  !(error instanceof UsufructError) || !['CHAIN_UNAVAILABLE', 'UPSTREAM_INVALID', 'INTERNAL'].includes(error.code);

/** The outcome, or the error of a transaction that the chain executed and that failed. */
function succeeded(outcome: TransactionOutcome): TransactionOutcome {
  if (outcome.status === 'succeeded') return outcome;
  const { code, details } = outcome.error ?? { code: 'INTERNAL', details: {} };
  throw refuse(isErrorCode(code) ? code : 'UPSTREAM_INVALID', details);
}
