import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { BlobObject, Chain } from '@usufruct/chain';
import {
  asAmount,
  asTimestampMs,
  isErrorCode,
  refuse,
  sumUnits,
  toUsufructError,
  type UsufructError,
  type Address,
  type BlobId,
  type Clock,
  type ContributionId,
  type DaoId,
  type ErrorCode,
  type Hex32,
  type Logger,
} from '@usufruct/kernel';
import { hasRole, parseAnswer, type BlobReference } from '@usufruct/protocol';
import { z } from 'zod';
import type { Config } from '../../platform/config/config.js';
import { OutboxService } from '../../platform/outbox/index.js';
import { Prisma, PrismaService, toBigint, toDate, toJson } from '../../platform/prisma/index.js';
import type { LeaseRenewal } from '../../platform/prisma/generated/client.js';
import type { StorePort } from '../../platform/store/index.js';
import { CHAIN, CLOCK, CONFIG, LOGGER, STORE } from '../../platform/tokens.js';
import { blobIdOf } from './blob-id.js';
import { BlobPrices, bornBy, zPlannedBlob, type PlannedBlob } from './blob-prices.js';
import { BlobSource } from './blob-source.js';
import { KeeperWallet } from './keeper-wallet.js';
import { isCustodyStep, KeptObjects } from './kept-objects.js';
import { blobsOf, LeaseRepository, type KeptContribution, type OtherRenewal } from './lease.repository.js';
import { makeKnown, zPrepared } from './make-known.js';
import { StorageBooks } from './storage-books.js';

const TASK = 'lease.renew';
const CLAIM_MS = 5 * 60_000;
const FIRST_RETRY_MS = 2_000;
const LAST_RETRY_MS = 60 * 60_000;
/** About half a day of tries; then the next round plans anew, so often for one lease. */
const MOST_FAILURES = 20;
const MOST_ATTEMPTS = 24;

const NONE: ReadonlyMap<Hex32, BlobObject> = new Map();

const zPayload = z.object({ renewalId: z.uuid() });
const zConfirmed = z.record(z.string(), z.int());

/** Why a lease is not made longer; `off`: this keeper renews nothing. */
export type NotRenewed = ErrorCode | 'off';

/**
 * Makes leases longer at the keeper's expense, out of what the DAO has paid in. Every step is stored before it is
 * taken: the plan with what is set aside, each blob that the store has confirmed, the transaction as it was signed.
 * The store takes the same wish twice for one (a lease lasts until an epoch), and so does the chain. What is in custody is
 * made longer and made known by the keeper's wallet in one transaction, where the chain knows the objects.
 */
@Injectable()
export class LeaseRenewals {
  constructor(
    @Inject(CHAIN) private readonly chain: Chain,
    @Inject(STORE) private readonly store: StorePort,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly prisma: PrismaService,
    private readonly outbox: OutboxService,
    private readonly books: StorageBooks,
    private readonly keeper: KeeperWallet,
    private readonly source: BlobSource,
    private readonly prices: BlobPrices,
    private readonly repository: LeaseRepository,
    private readonly kept: KeptObjects,
  ) {
    outbox.register(TASK, (payload, signal) => this.advance(payload, signal));
    outbox.onStart(() => this.resume());
  }

  /** Null: it is under way. Otherwise why not; the newest reason is kept for whoever asks. */
  async renew(contribution: KeptContribution, epoch: number): Promise<NotRenewed | null> {
    const { renewEpochs } = this.config.lease;
    const limits = this.store.blobs.abilities.leaseEpochs;
    if (renewEpochs === 0 || limits === null) return 'off';
    // Nobody pays for what nobody can read; the round in which it is found again says so.
    if (await this.repository.isLost(contribution.id)) return this.noteRefusal(contribution.id, 'BLOB_LOST');
    const toEpoch = epoch + Math.min(renewEpochs, limits.most);
    const due = blobsOf(contribution).filter(({ endEpoch }) => endEpoch < toEpoch);
    const refusal = await this.plan(contribution, 'renewal', due, toEpoch, epoch);
    return this.noteRefusal(contribution.id, refusal);
  }

  /** Puts a blob back that an aggregator still has and the store has lost, for the rest of its lease. */
  async repair(contribution: KeptContribution, blob: BlobReference, epoch: number): Promise<NotRenewed | null> {
    if (this.config.lease.renewEpochs === 0 || blob.endEpoch <= epoch) return 'off';
    const refusal = await this.plan(contribution, 'repair', [blob], blob.endEpoch, epoch);
    return this.noteRefusal(contribution.id, refusal);
  }

  private async plan(
    contribution: KeptContribution,
    kind: 'renewal' | 'repair',
    due: readonly BlobReference[],
    toEpoch: number,
    epoch: number,
  ): Promise<NotRenewed | null> {
    const { id: contributionId, daoId, owner, endEpoch: fromEpoch } = contribution;
    if (due.length === 0) return 'off';
    if (!contribution.accepted) return 'CONTRIBUTION_NOT_ACCEPTED';
    if (!(await this.isSteward(daoId))) return 'FORBIDDEN';
    const open = await this.prisma.leaseRenewal.count({
      where: { contributionId, state: { in: ['planned', 'stored'] } },
    });
    if (open > 0) return null;
    const names = due.map(({ blob }) => blob);
    const kept = kind === 'renewal' ? await this.kept.living(contributionId, names, epoch) : NONE;
    const blobs: PlannedBlob[] = [];
    for (const reference of due) {
      const what = { kind, toEpoch, epoch, kept: kept.get(reference.blob) };
      blobs.push(await this.prices.planned(contribution, reference, what));
    }
    const units = asAmount(sumUnits(blobs.map((blob) => blob.units)));
    return this.prisma.$transaction(async (tx) => {
      await this.books.lock(tx, daoId);
      // Of what lies in one quilt, one pays for all; the others find its lease longer in the next round.
      const others = await this.repository.othersOf(
        tx,
        contribution,
        blobs.map(({ blob }) => blob),
      );
      const answer = answerOfOthers(others, kind, fromEpoch, blobs);
      if (answer !== undefined) return answer;
      const earlier = await tx.leaseRenewal.findMany({
        where: { contributionId, kind, fromEpoch },
        orderBy: { attempt: 'asc' },
      });
      if (earlier.some(({ state }) => state === 'planned' || state === 'stored')) return null;
      // Done: the chain's event is on its way. A repair that was done and did not help is not paid a second time.
      if (earlier.some(({ state }) => state === 'done')) return kind === 'repair' ? 'BLOB_UNAVAILABLE' : null;
      if (earlier.length >= MOST_ATTEMPTS) return refusalOf(earlier.at(-1));
      // Something was paid for this lease and did not lead to its end: a person has to look before more is paid.
      const stuck = earlier.find(({ state, chargeUnits }) => state === 'failed' && toBigint(chargeUnits) > 0n);
      if (stuck !== undefined) return refusalOf(stuck);
      await this.books.noteFunding(tx, daoId);
      const { availableUnits } = await this.books.budget(tx, daoId);
      if (availableUnits < units) return 'INSUFFICIENT_BALANCE';
      const now = toDate(this.clock.nowMs());
      const id = randomUUID();
      await tx.leaseRenewal.create({
        data: {
          id,
          contributionId,
          daoId,
          owner,
          kind,
          fromEpoch,
          toEpoch,
          attempt: earlier.length,
          blobs: toJson(blobs),
          confirmed: {},
          state: 'planned',
          chargeUnits: new Prisma.Decimal(units.toString()),
          claimedUntil: now,
          plannedAt: now,
        },
      });
      await this.outbox.add(tx, taskOf(id));
      return null;
    });
  }

  private async isSteward(daoId: DaoId): Promise<boolean> {
    const { address } = this.keeper;
    const member = await this.prisma.member.findUnique({ where: { daoId_address: { daoId, address } } });
    return hasRole(member, 'steward');
  }

  private async resume(): Promise<void> {
    const open = await this.prisma.leaseRenewal.findMany({ where: { state: { in: ['planned', 'stored'] } } });
    for (const { id } of open) await this.outbox.add(this.prisma, taskOf(id));
  }

  private async advance(payload: unknown, signal: AbortSignal): Promise<void> {
    const { renewalId: id } = parseAnswer(zPayload, payload, 'outbox');
    const now = this.clock.nowMs();
    const { count } = await this.prisma.leaseRenewal.updateMany({
      where: { id, state: { in: ['planned', 'stored'] }, claimedUntil: { lte: toDate(now) } },
      data: { claimedUntil: toDate(asTimestampMs(now + CLAIM_MS)) },
    });
    const row = await this.prisma.leaseRenewal.findUniqueOrThrow({ where: { id } });
    if (row.state === 'done' || row.state === 'failed') return;
    // Somebody else is at it; whoever that is may die.
    if (count === 0) return this.outbox.add(this.prisma, taskOf(id, now + CLAIM_MS));
    try {
      await this.take(row, signal);
    } catch (thrown) {
      await this.failed(row, thrown);
    }
  }

  private async take(row: LeaseRenewal, signal: AbortSignal): Promise<void> {
    if (row.state === 'planned') await this.lengthen(row, signal);
    if (row.kind === 'renewal') await this.makeKnown(row.id);
    if (!(await this.isWhole(row.id))) return this.end(row.id, 'failed', 'BLOB_UNAVAILABLE');
    await this.end(row.id, 'done', null);
    this.logger.info('lease_renewed', { renewalId: row.id, contributionId: row.contributionId, toEpoch: row.toEpoch });
  }

  /** At the store, blob after blob; then what it cost is booked with the state that says so. */
  private async lengthen(row: LeaseRenewal, signal: AbortSignal): Promise<void> {
    const { id, toEpoch } = row;
    const blobs = parseAnswer(z.array(zPlannedBlob), row.blobs, 'database');
    const confirmed = { ...parseAnswer(zConfirmed, row.confirmed, 'database') };
    for (const planned of blobs) {
      if (confirmed[planned.blob] !== undefined) continue;
      const endEpoch = await this.lengthenOne(row, planned, toEpoch, signal);
      // A store that answers well and does less: nothing is charged for it, and it is not called done.
      if (endEpoch < toEpoch) throw refuse('UPSTREAM_INVALID', { upstream: 'store', field: 'endEpoch' });
      confirmed[planned.blob] = endEpoch;
      await this.prisma.leaseRenewal.update({
        where: { id },
        data: { confirmed, claimedUntil: toDate(asTimestampMs(this.clock.nowMs() + CLAIM_MS)) },
      });
    }
    await this.settle(row, blobs);
  }

  private async lengthenOne(
    row: LeaseRenewal,
    planned: PlannedBlob,
    toEpoch: number,
    signal: AbortSignal,
  ): Promise<number> {
    const { blobs } = this.store;
    const blobId = blobIdOf(planned.blob);
    const id = row.contributionId as ContributionId;
    // Paid for already, perhaps by another contribution of the quilt: putting it again could be another lease.
    if (row.kind === 'renewal' && planned.endEpoch >= toEpoch) return planned.endEpoch;
    // What was signed is settled first, whatever has become of the contribution.
    if (await this.kept.isBegun(row.id, planned.blob)) return this.kept.renew(row.id, id, planned.blob, toEpoch);
    const contribution = await this.repository.find(id);
    // It is over since this was planned: nothing more is paid for it.
    if (contribution === null) throw refuse('TOMBSTONED', { contributionId: id });
    const epoch = (await this.store.epoch(signal)) ?? 0;
    if (row.kind === 'renewal') {
      const object = (await this.kept.living(id, [planned.blob], epoch)).get(planned.blob);
      // It came into custody since this was planned, and would cost more than was set aside: that is planned anew.
      if (object !== undefined && object.endEpoch < planned.endEpoch)
        throw refuse('MANIFEST_MISMATCH', { field: 'endEpoch' });
      if (object !== undefined) return this.kept.renew(row.id, id, planned.blob, toEpoch);
    }
    if (blobs.abilities.extendable && row.kind === 'renewal' && planned.endEpoch > epoch) {
      return (await blobs.extend({ blobId }, toEpoch, { signal })).endEpoch;
    }
    // The same bytes under a new lease: the store answers for the lease that lasts longest, and sells none twice.
    const bytes = await this.source.wholeOf(contribution, planned.blob, signal);
    if (bytes.length !== planned.sizeBytes) throw refuse('MANIFEST_MISMATCH', { field: 'sizeBytes' });
    const epochs = Math.max(1, toEpoch - epoch);
    const resumeKey = `renewal/${row.id}/${planned.blob}`;
    // As the DAO decides: what is put again for good could not be deleted when it is erased.
    const deletable = (await this.chain.dao(row.daoId as DaoId)).policy.blobs === 'deletable';
    const stored = await blobs.put(bytes, { epochs, deletable, resumeKey, signal });
    requireSame(stored.blobId, blobId);
    return stored.endEpoch;
  }

  /** What was bought is charged, also where the rest could not be. */
  private async settle(row: LeaseRenewal, bought: readonly PlannedBlob[]): Promise<void> {
    const { id } = row;
    const [daoId, contributionId] = [row.daoId as DaoId, row.contributionId as ContributionId];
    const units = asAmount(sumUnits(bought.map((blob) => blob.units)));
    await this.prisma.$transaction(async (tx) => {
      await this.books.lock(tx, daoId);
      const { count } = await tx.leaseRenewal.updateMany({
        where: { id, state: 'planned' },
        data: { state: 'stored', chargeUnits: new Prisma.Decimal(units.toString()) },
      });
      if (count === 0) return;
      for (const share of bornBy({ contributionId, owner: row.owner as Address }, bought)) {
        await this.books.charge(tx, { id, daoId, ...share });
      }
    });
  }

  private async makeKnown(id: string): Promise<void> {
    const row = await this.prisma.leaseRenewal.findUniqueOrThrow({ where: { id } });
    await makeKnown({
      chain: this.chain,
      clock: this.clock,
      signer: this.keeper.signer,
      contributionId: row.contributionId as ContributionId,
      ends: parseAnswer(zConfirmed, row.confirmed, 'database'),
      earlier:
        row.prepared === null || isCustodyStep(row.prepared) ? null : parseAnswer(zPrepared, row.prepared, 'database'),
      store: async (prepared) => {
        await this.prisma.leaseRenewal.update({
          where: { id },
          data: { prepared: prepared === null ? Prisma.DbNull : toJson(prepared) },
        });
      },
    });
  }

  private async isWhole(id: string): Promise<boolean> {
    const row = await this.prisma.leaseRenewal.findUniqueOrThrow({ where: { id } });
    const confirmed = parseAnswer(zConfirmed, row.confirmed, 'database');
    return parseAnswer(z.array(zPlannedBlob), row.blobs, 'database').every(({ blob }) => blob in confirmed);
  }

  private async failed(row: LeaseRenewal, thrown: unknown): Promise<void> {
    const { id } = row;
    const error = toUsufructError(thrown);
    const failures = row.failures + 1;
    this.logger.warn('lease_renewal_failed', { renewalId: id, code: error.code, failures });
    await this.noteRefusal(row.contributionId as ContributionId, error.code);
    const now = await this.prisma.leaseRenewal.findUniqueOrThrow({ where: { id } });
    // What is paid, or may be, is made known however long that takes; what is not may be planned anew.
    const mayBePaid = now.state === 'planned' && now.prepared !== null;
    const givesUp = !mayBePaid && (!mayPass(error) || (now.state === 'planned' && failures >= MOST_FAILURES));
    if (!givesUp) {
      const nowMs = this.clock.nowMs();
      await this.prisma.leaseRenewal.update({ where: { id }, data: { failures, claimedUntil: toDate(nowMs) } });
      const waitMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
      return this.outbox.add(this.prisma, taskOf(id, nowMs + waitMs));
    }
    const confirmed = parseAnswer(zConfirmed, now.confirmed, 'database');
    const bought = parseAnswer(z.array(zPlannedBlob), now.blobs, 'database').filter(
      ({ blob }) => confirmed[blob] !== undefined,
    );
    if (now.state !== 'planned') return this.end(id, 'failed', error.code);
    await this.settle(row, bought);
    if (bought.length === 0) return this.end(id, 'failed', error.code);
    // What was made longer is at least made known.
    await this.prisma.leaseRenewal.update({ where: { id }, data: { failures: 0, claimedUntil: now.plannedAt } });
    await this.outbox.add(this.prisma, taskOf(id));
  }

  private async end(id: string, state: 'done' | 'failed', refusal: ErrorCode | null): Promise<void> {
    await this.prisma.leaseRenewal.updateMany({
      where: { id, state: { in: ['planned', 'stored'] } },
      data: { state, refusal, endedAt: toDate(this.clock.nowMs()) },
    });
  }

  /** Keeps the newest reason for whoever asks, and says it again. */
  async noteRefusal<T extends NotRenewed | null>(contributionId: ContributionId, refusal: T): Promise<T> {
    if (refusal === null || refusal === 'off') {
      await this.prisma.renewalRefusal.deleteMany({ where: { contributionId } });
      return refusal;
    }
    const said = { code: refusal, at: toDate(this.clock.nowMs()) };
    await this.prisma.renewalRefusal.upsert({
      where: { contributionId },
      create: { contributionId, ...said },
      update: said,
    });
    return refusal;
  }
}

/** Null: another pays for it now, or just did; a refusal where it was put back and did not help; otherwise undefined. */
function answerOfOthers(
  others: readonly OtherRenewal[],
  kind: string,
  fromEpoch: number,
  blobs: readonly PlannedBlob[],
): NotRenewed | null | undefined {
  for (const other of others) {
    const isOpen = other.state === 'planned' || other.state === 'stored';
    for (const { blob, endEpoch } of blobs) {
      const named = other.blobs.find((each) => each.blob === blob);
      if (named === undefined) continue;
      const pays = other.kind === 'repair' || named.endEpoch < other.toEpoch;
      if (isOpen && pays) return null;
      if (kind === 'renewal' && (other.confirmed[blob] ?? 0) > endEpoch) return null;
      const isSame = kind === 'repair' && other.kind === kind && other.fromEpoch === fromEpoch;
      if (isSame && other.state === 'done') return 'BLOB_UNAVAILABLE';
    }
  }
  return undefined;
}

const refusalOf = (renewal: LeaseRenewal | undefined): ErrorCode =>
  isErrorCode(renewal?.refusal) ? renewal.refusal : 'INTERNAL';

/** A transaction that came too late is signed anew. */
const mayPass = ({ code, entry }: UsufructError): boolean => entry.retry === 'later' || code === 'TRANSACTION_EXPIRED';

const requireSame = (told: string, blobId: BlobId): void => {
  if (told !== blobId) throw refuse('BLOB_MISMATCH', { blobId });
};

const taskOf = (renewalId: string, runAtMs?: number) => ({
  task: TASK,
  payload: { renewalId },
  key: `lease:${renewalId}`,
  ...(runAtMs !== undefined && { runAtMs: asTimestampMs(runAtMs) }),
});
