import type { ClientWithCoreApi, SuiClientTypes } from '@mysten/sui/client';
import { TransactionDataBuilder } from '@mysten/sui/transactions';
import { asTimestampMs, isErrorCode, refuse, toUsufructError, type Digest } from '@usufruct/kernel';
import { LIMITS, type ChainAction, type ChainEvent, type TransactionOutcome } from '@usufruct/protocol';
import type { BlobCustody } from '../blob-custody.js';
import type { Chain, PreparedTransaction, WalletSigner } from '../port.js';
import { abortRefusal } from './abort-codes.js';
import { suiCustody } from './custody/sui-custody.js';
import type { WalrusContracts } from './custody/walrus-contracts.js';
import { toSuiDigest } from './digests.js';
import { EventIndex } from './events/event-index.js';
import { ownEventName, type SuiEventSource } from './events/event-source.js';
import type { SuiEventStore } from './events/event-store.js';
import { askSui } from './failures.js';
import { GovernanceReader } from './reads/governance-reader.js';
import { Lookup } from './reads/lookup.js';
import { PayoutReader } from './reads/payout-reader.js';
import { SuiReader } from './reads/sui-reader.js';
import { sealApprovals, type SealApprovals } from './seal/seal-approvals.js';
import { packageIdsOf, type SuiSettings } from './settings.js';
import { prepareSuiTransaction, SIGNATURE_SEPARATOR } from './transactions/prepare.js';
import type { Sponsor } from './transactions/sponsor.js';

export interface SuiChainOptions {
  readonly settings: SuiSettings;
  /** Any transport of `@mysten/sui`: what is asked of it is in its core interface. */
  readonly client: ClientWithCoreApi;
  readonly events: SuiEventSource;
  /** Where what was read of the events is kept over restarts; without one, the history is read again each time. */
  readonly eventStore?: SuiEventStore | undefined;
  /** Pays the gas; without one the sender does. */
  readonly sponsor?: Sponsor | undefined;
  /** How long one answer of the full node may take. */
  readonly timeoutMs?: number;
  /** Waits between the look-ups of a transaction that was sent: until its checkpoint is there, and where the answer was lost. */
  readonly lookUpAfterMs?: readonly number[];
  /** How often the chain is asked for new events while somebody waits for one. */
  readonly pollMs?: number;
}

/**
 * The chain port on a Sui network. It believes the full node that it is pointed at; a party that trusts no other runs
 * its own. A signed transaction happens at most once however often it is sent; one of which nothing is known is looked
 * up by its digest and never made anew here.
 */
export class SuiChain implements Chain {
  readonly #options: Required<Omit<SuiChainOptions, 'sponsor' | 'eventStore'>> & Pick<SuiChainOptions, 'sponsor'>;
  readonly #index: EventIndex;
  readonly #lookup: Lookup;
  readonly #reader: SuiReader;
  readonly #governance: GovernanceReader;
  readonly #payouts: PayoutReader;

  constructor(options: SuiChainOptions) {
    this.#options = {
      timeoutMs: 10_000,
      lookUpAfterMs: [0, 200, 300, 500, 1_000, 2_000, 4_000],
      pollMs: 1_000,
      ...options,
    };
    const { settings, client, events, timeoutMs } = this.#options;
    this.#index = new EventIndex(events, settings.coinType, packageIdsOf(settings), options.eventStore);
    this.#lookup = new Lookup({ client, settings, index: this.#index, timeoutMs });
    this.#reader = new SuiReader(this.#lookup);
    this.#governance = new GovernanceReader(this.#lookup);
    this.#payouts = new PayoutReader(this.#lookup);
  }

  info: Chain['info'] = () => this.#reader.info();
  dao: Chain['dao'] = (id) => this.#reader.dao(id);
  dataset: Chain['dataset'] = (id) => this.#reader.dataset(id);
  contribution: Chain['contribution'] = (id) => this.#reader.contribution(id);
  contributions: Chain['contributions'] = (ids) => this.#reader.contributions(ids);
  contributionsOf: Chain['contributionsOf'] = (id) => this.#reader.contributionsOf(id);
  grant: Chain['grant'] = (id) => this.#reader.grant(id);
  grantsOf: Chain['grantsOf'] = (id) => this.#reader.grantsOf(id);
  grantsOfEach: Chain['grantsOfEach'] = (ids) => this.#reader.grantsOfEach(ids);
  holderSet: Chain['holderSet'] = (id) => this.#reader.holderSet(id);
  runner: Chain['runner'] = (daoId, runnerId) => this.#reader.runner(daoId, runnerId);
  job: Chain['job'] = (id) => this.#reader.job(id);
  settledReceipt: Chain['settledReceipt'] = (jobId, questionId) => this.#reader.settledReceipt(jobId, questionId);
  licenceOffer: Chain['licenceOffer'] = (id) => this.#reader.licenceOffer(id);
  licence: Chain['licence'] = (id) => this.#reader.licence(id);
  balanceOf: Chain['balanceOf'] = (account) => this.#reader.balanceOf(account);
  member: Chain['member'] = (daoId, address) => this.#governance.member(daoId, address);
  applicationsOf: Chain['applicationsOf'] = (daoId) => this.#governance.applicationsOf(daoId);
  proposal: Chain['proposal'] = (id) => this.#governance.proposal(id);
  proposalsOf: Chain['proposalsOf'] = (daoId) => this.#governance.proposalsOf(daoId);
  signer: Chain['signer'] = (daoId, id) => this.#payouts.signer(daoId, id);
  receiptPool: Chain['receiptPool'] = (daoId) => this.#payouts.receiptPool(daoId);
  epoch: Chain['epoch'] = (id) => this.#payouts.epoch(id);
  epochsOf: Chain['epochsOf'] = (daoId) => this.#payouts.epochsOf(daoId);
  isClaimed: Chain['isClaimed'] = (epochId, index) => this.#payouts.isClaimed(epochId, index);

  async events(
    after: number,
    { limit = LIMITS.eventsPage, waitMs = 0, signal }: { limit?: number; waitMs?: number; signal?: AbortSignal } = {},
  ): Promise<ChainEvent[]> {
    const { pollMs } = this.#options;
    for (let leftMs = waitMs; ; leftMs -= pollMs) {
      await this.#index.sync();
      signal?.throwIfAborted();
      const events = this.#index.after(after, limit);
      if (events.length > 0 || leftMs <= 0) return events;
      await pause(Math.min(pollMs, leftMs), signal);
    }
  }

  async transaction(digest: Digest): Promise<TransactionOutcome | null> {
    const found = await this.#find(digest);
    if (found === null) return null;
    const { status, timestampMs, events } = found;
    if (timestampMs === null) throw notYet('it is executed and in no checkpoint yet');
    const atMs = asTimestampMs(timestampMs);
    if (!status.success) {
      const { code, details } = abortRefusal(status.error);
      return { digest, status: 'failed', error: { code, details: { ...details } }, events: [], atMs };
    }
    const hasOurs = events.some(({ eventType }) => this.#isOurs(eventType));
    return { digest, status: 'succeeded', error: null, events: hasOurs ? await this.#eventsOf(digest) : [], atMs };
  }

  /** For Seal's key servers, which run a function of our contracts; nothing of it is ever sent. */
  seal(): SealApprovals {
    const { client, settings, timeoutMs } = this.#options;
    return sealApprovals({ client, settings, timeoutMs, index: this.#index });
  }

  /** Custody of Walrus's `Blob` objects by this wallet, where Walrus's contracts are on the same network. */
  custody(walrus: WalrusContracts, signer: WalletSigner): BlobCustody {
    const { client, settings, sponsor, timeoutMs } = this.#options;
    const context = { client, settings, sponsor, timeoutMs, index: this.#index, lookup: this.#lookup };
    return suiCustody({ ...context, chain: this, walrus, signer });
  }

  prepare(actions: readonly ChainAction[], signer: WalletSigner): Promise<PreparedTransaction> {
    const { client, settings, sponsor, timeoutMs } = this.#options;
    const context = { client, settings, sponsor, timeoutMs, index: this.#index };
    const views = { reader: this.#reader, governance: this.#governance };
    return prepareSuiTransaction({ ...context, ...views }, actions, signer);
  }

  async send(transaction: PreparedTransaction): Promise<TransactionOutcome> {
    const { client, timeoutMs } = this.#options;
    const { digest, bytes, signature } = transaction;
    let refused = false;
    try {
      const signatures = signature.split(SIGNATURE_SEPARATOR);
      await askSui((signal) => client.core.executeTransaction({ transaction: bytes, signatures, signal }), {
        timeoutMs,
      });
    } catch {
      refused = true; // or lost on the way: what became of it is looked up, not guessed from an error's words
    }
    const outcome = await this.#lookUp(digest);
    if (outcome !== null) return succeeded(outcome);
    if (refused && (await this.#hasEnded(bytes)) && (await this.#find(digest)) === null) {
      throw refuse('TRANSACTION_EXPIRED', { digest });
    }
    throw refuse('SETTLEMENT_UNKNOWN', { digest });
  }

  async execute(actions: readonly ChainAction[], signer: WalletSigner): Promise<TransactionOutcome> {
    return this.send(await this.prepare(actions, signer));
  }

  /** Null when the chain has said nothing of it in all that time. */
  async #lookUp(digest: Digest): Promise<TransactionOutcome | null> {
    for (const waitMs of this.#options.lookUpAfterMs) {
      await pause(waitMs);
      try {
        const outcome = await this.transaction(digest);
        if (outcome !== null) return outcome;
      } catch (error) {
        const refusal = toUsufructError(error);
        if (refusal.code !== 'CHAIN_UNAVAILABLE') throw refusal;
      }
    }
    return null;
  }

  async #find(digest: Digest): Promise<SuiClientTypes.Transaction<{ events: true }> | null> {
    const { client, timeoutMs } = this.#options;
    try {
      const result = await askSui(
        (signal) => client.core.getTransaction({ digest: toSuiDigest(digest), include: { events: true }, signal }),
        { timeoutMs },
      );
      return result.$kind === 'Transaction' ? result.Transaction : result.FailedTransaction;
    } catch (error) {
      const refusal = toUsufructError(error);
      if (refusal.code === 'NOT_FOUND') return null;
      throw refusal;
    }
  }

  async #eventsOf(digest: Digest): Promise<ChainEvent[]> {
    if (this.#index.ofTransaction(digest) === null) await this.#index.sync();
    const events = this.#index.ofTransaction(digest);
    if (events === null) throw notYet('its events are not in the list of events yet');
    return [...events];
  }

  #isOurs(eventType: string): boolean {
    const { packageId, callPackageId } = this.#options.settings;
    return ownEventName(eventType, packageId) !== null || ownEventName(eventType, callPackageId) !== null;
  }

  /** Whether the chain is past the last epoch in which these bytes could have been executed. */
  async #hasEnded(bytes: Uint8Array): Promise<boolean> {
    const { client, timeoutMs } = this.#options;
    const { expiration } = TransactionDataBuilder.fromBytes(bytes);
    const last = expiration?.$kind === 'Epoch' ? expiration.Epoch : expiration?.ValidDuring?.maxEpoch;
    if (last === undefined || last === null) return false;
    const { systemState } = await askSui((signal) => client.core.getCurrentSystemState({ signal }), { timeoutMs });
    return BigInt(systemState.epoch) > BigInt(last);
  }
}

const notYet = (reason: string) => refuse('CHAIN_UNAVAILABLE', { chain: 'Sui', reason });

/** The outcome, or the error of a transaction that the chain executed and that failed. */
function succeeded(outcome: TransactionOutcome): TransactionOutcome {
  if (outcome.status === 'succeeded') return outcome;
  const { code, details } = outcome.error ?? { code: 'INTERNAL', details: {} };
  throw refuse(isErrorCode(code) ? code : 'UPSTREAM_INVALID', details);
}

const pause = (waitMs: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, waitMs);
    signal?.addEventListener('abort', stop, { once: true });
  });
