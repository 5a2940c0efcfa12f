import type { PreparedTransaction } from '@usufruct/chain';
import { sumUnits, toUsufructError, type DaoId } from '@usufruct/kernel';
import {
  EMPTY_RECEIPT_CHAIN,
  LIMITS,
  type ChainAction,
  type DaoView,
  type EpochView,
  type HolderSetView,
  type ReceiptPoolView,
} from '@usufruct/protocol';
import { ensureRegistered } from '../attest/registration.js';
import type { RunnerContext } from '../context.js';
import { locateLiving } from '../keys/members.js';
import { batchLength, type BatchRules } from './batch.js';
import { countersignatures, draftEpoch, isFresh, type EpochDraft } from './epoch-draft.js';
import { followReceipts } from './follow-receipts.js';
import { commonReach, gatherOpenings, reachOf, type Gathered } from './gather-openings.js';
import { LateEpochs } from './late-epochs.js';
import type { PayoutStore, ReceiptRun, SentProposal } from './payout-store.js';
import { WithheldSignatures } from './withheld-signatures.js';

/** What the chain says about a DAO in which something waits to be divided. */
interface Due {
  readonly dao: DaoView;
  readonly pool: ReceiptPoolView;
  readonly epochs: readonly EpochView[];
  readonly run: ReceiptRun;
}

/**
 * Divides what private settlement has set aside, for the DAOs that this runner has settled for: an epoch at a time, over
 * as many of the next receipts as enough holders can recompute. Of two runners that do it at once the chain takes one;
 * the other drops its own when it sees the next number.
 */
export class EpochSettler {
  readonly #drafts = new Map<DaoId, EpochDraft>();
  /** The last attempt that this key has signed, by DAO and number: two statements for one would end its registration. */
  readonly #attempts = new Map<string, number>();
  readonly #withheld = new WithheldSignatures();
  readonly #late: LateEpochs;

  constructor(
    private readonly context: RunnerContext,
    private readonly store: PayoutStore,
    private readonly rules: BatchRules,
    private readonly attemptsAhead: number = LIMITS.epochAttemptsAhead,
  ) {
    this.#late = new LateEpochs(context, store.late);
  }

  /** One round over all DAOs. What fails in one is logged and tried again the next time; it never rejects. */
  async round(): Promise<void> {
    const { chain, wallet } = this.context;
    this.#withheld.nextRound();
    try {
      await followReceipts(chain, this.store);
    } catch (error) {
      return this.#warn('epoch.follow_failed', error);
    }
    for (const daoId of this.store.daosOf(wallet.address)) {
      await this.#settle(daoId).catch((error: unknown) => this.#warn('epoch.settlement_failed', error, daoId));
      await this.#late.bring(daoId).catch((error: unknown) => this.#warn('epoch.bringing_failed', error, daoId));
    }
  }

  async #settle(daoId: DaoId): Promise<void> {
    const sent = this.store.proposal(daoId);
    if (sent !== null) await this.#finish(daoId, sent);
    const due = await this.#due(daoId);
    if (due === null) return;
    await ensureRegistered(this.context, due.dao);
    const { chainId } = await this.context.chain.info();
    const set = await this.context.chain.holderSet(due.dao.policy.holderSetId);
    const members = await locateLiving(this.context.holders, set, chainId);
    const gathered = await gatherOpenings(this.context, members, { daoId, set, digests: due.run.digests });
    const draft = await this.#draft(due, set, gathered);
    if (draft !== null) await this.#propose(due, draft, set, gathered);
  }

  /** Null when nothing is due: no batch of receipts, an epoch that can still be challenged, or a pause. */
  async #due(daoId: DaoId): Promise<Due | null> {
    const { chain, clock } = this.context;
    const [dao, pool, epochs] = [await chain.dao(daoId), await chain.receiptPool(daoId), await chain.epochsOf(daoId)];
    const nowMs = clock.nowMs();
    if (dao.paused || epochs.some((one) => one.state === 'open' && nowMs < one.challengeEndsAtMs)) return null;
    const from = pool.coveredReceipts + 1n;
    const run = this.store.run(daoId, from, this.rules.mostReceipts, EMPTY_RECEIPT_CHAIN);
    return batchLength(run, run.digests.length, this.rules, nowMs) === 0 ? null : { dao, pool, epochs, run };
  }

  /** The draft that is there as long as it fits, else a new one of the next attempt; null while too few can follow. */
  async #draft(
    { dao, pool, epochs, run }: Due,
    set: HolderSetView,
    { openings, members }: Gathered,
  ): Promise<EpochDraft | null> {
    const daoId = dao.id;
    const needed = Math.max(1, dao.policy.verifierThreshold);
    // What a holder says that it has counts for nothing while it does not sign: the others may agree on less.
    const willing = this.#withheld.without(members, set, needed);
    const nowMs = this.context.clock.nowMs();
    const length = batchLength(run, commonReach(willing, needed, run.digests), this.rules, nowMs);
    const number = pool.epochCount + 1n;
    const fromReceipt = pool.coveredReceipts + 1n;
    const known = this.#drafts.get(daoId);
    const last = Math.max(0, ...epochs.filter((one) => one.number === number).map((one) => one.attempt));
    const isNext = known?.number === number && known.fromReceipt === fromReceipt && known.attempt > last;
    if (isNext && known.digests.length <= length && isFresh(known, nowMs)) return known;
    if (length === 0) {
      this.context.logger.warn('epoch.too_few_holders', { daoId, needed, answered: members.length });
      return null;
    }
    const key = `${daoId}/${number}`;
    const attempt = 1 + Math.max(last, this.#attempts.get(key) ?? 0);
    if (attempt - last > this.attemptsAhead) {
      // The chain takes none of them any more; a new process has a new key, whose attempts are all free.
      this.context.logger.warn('epoch.attempts_spent', { daoId, attempt });
      return null;
    }
    const draft = await draftEpoch(this.context, {
      daoId,
      number,
      attempt,
      fromReceipt,
      chainBefore: run.chainBefore,
      receiptChain: run.chains[length - 1]!,
      openings: run.digests.slice(0, length).map((digest) => openings.get(digest)!),
      pooledUnits: sumUnits(run.pooledUnits.slice(0, length)),
    });
    // Only now: an attempt that was not signed is still free.
    this.#attempts.set(key, attempt);
    this.#drafts.set(daoId, draft);
    return draft;
  }

  async #propose({ dao }: Due, draft: EpochDraft, set: HolderSetView, { members }: Gathered): Promise<void> {
    const { chain, clock, logger, wallet } = this.context;
    const able = members.filter((member) => reachOf(member, draft.digests) === draft.digests.length);
    const signatures = await countersignatures(this.context, draft, set, able);
    this.#withheld.note(able, set, signatures);
    if (signatures.length < Math.max(1, dao.policy.verifierThreshold)) return;
    const { statement, signature: settlerSignature } = draft;
    const action: ChainAction = { kind: 'proposeEpoch', statement, settlerSignature, signatures };
    const transaction = await chain.prepare([action], wallet);
    await this.#late.keep(dao.id, draft, set, signatures);
    this.store.putProposal(dao.id, { transaction, preparedAtMs: clock.nowMs() });
    await this.#send(dao.id, transaction);
    logger.info('epoch.proposed', { daoId: dao.id, epochId: draft.id, receipts: draft.digests.length });
  }

  /** What became of a proposal that was sent before. Throws while that cannot be known: nothing else is sent then. */
  async #finish(daoId: DaoId, { transaction, preparedAtMs }: SentProposal): Promise<void> {
    const { chain, clock } = this.context;
    const outcome = await chain.transaction(transaction.digest);
    const isOver = clock.nowMs() > preparedAtMs + LIMITS.transactionTermMs + LIMITS.clockSkewMs;
    if (outcome === null && !isOver) return this.#send(daoId, transaction);
    this.store.dropProposal(daoId);
  }

  /** Once the chain has said yes or no it is dropped; without an answer it stays, to be looked up in the next round. */
  async #send(daoId: DaoId, transaction: PreparedTransaction): Promise<void> {
    await this.context.chain.send(transaction).catch((cause: unknown) => {
      if (toUsufructError(cause).entry.retry !== 'later') this.store.dropProposal(daoId);
      throw cause;
    });
    this.store.dropProposal(daoId);
  }

  #warn(event: string, cause: unknown, daoId?: DaoId): void {
    const { code } = toUsufructError(cause);
    this.context.logger.warn(event, { code, ...(daoId !== undefined && { daoId }) });
  }
}
