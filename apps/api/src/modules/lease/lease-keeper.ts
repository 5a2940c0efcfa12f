import { Inject, Injectable } from '@nestjs/common';
import { asTimestampMs, toUsufructError, type Clock, type Logger } from '@usufruct/kernel';
import type { Config } from '../../platform/config/config.js';
import { OutboxService } from '../../platform/outbox/index.js';
import { PrismaService, toDate } from '../../platform/prisma/index.js';
import type { StorePort } from '../../platform/store/index.js';
import { CLOCK, CONFIG, LOGGER, STORE } from '../../platform/tokens.js';
import { BlobSampling } from './blob-sampling.js';
import { LeaseRenewals, type NotRenewed } from './lease-renewals.js';
import { leaseLevel } from './lease-terms.js';
import { LeaseWarnings } from './lease-warnings.js';
import { LeaseRepository, type KeptContribution } from './lease.repository.js';

const TASK = 'lease.round';
const PAGE = 200;

/** Warnings begin when 30 % of a lease are left, and no store that is known leases for longer than this. */
const LONGEST_LEASE_EPOCHS = 400;

/**
 * Goes round at its interval: asks the store which epoch it is, sees whose lease is near its end, renews what it may
 * and warns the owners of the rest; then reads samples. It needs public data, gas and storage money; it cannot read,
 * grant or release anything. Two of them at work do each thing once.
 */
@Injectable()
export class LeaseKeeper {
  constructor(
    @Inject(STORE) private readonly store: StorePort,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly prisma: PrismaService,
    private readonly outbox: OutboxService,
    private readonly repository: LeaseRepository,
    private readonly renewals: LeaseRenewals,
    private readonly warnings: LeaseWarnings,
    private readonly sampling: BlobSampling,
  ) {
    outbox.register(TASK, (_, signal) => this.task(signal));
    outbox.onStart(() => this.next(0));
  }

  private async next(inMs: number): Promise<void> {
    if (this.config.lease.intervalMs === 0) return;
    const runAtMs = asTimestampMs(this.clock.nowMs() + inMs);
    await this.outbox.add(this.prisma, { task: TASK, payload: {}, key: TASK, runAtMs });
  }

  private async task(signal: AbortSignal): Promise<void> {
    try {
      await this.round(signal);
    } catch (thrown) {
      // The next round is the retry: whatever was missed is still due then.
      this.logger.warn('lease_round_failed', { code: toUsufructError(thrown).code });
    } finally {
      await this.next(this.config.lease.intervalMs);
    }
  }

  /** One look at everything. Refuses `UPSTREAM_*` when the store does not say its epoch; nothing is concluded then. */
  async round(signal: AbortSignal): Promise<void> {
    const epoch = await this.store.epoch(signal);
    if (epoch !== null) {
      await this.noteEpoch(epoch);
      await this.repository.sight(epoch);
      await this.leases(epoch, signal);
    }
    await this.sampling.round(epoch, signal);
  }

  /**
   * Whatever the store says: nothing is done that could not be right a moment later. An epoch that leaps warns of the
   * last level at once; one that goes back warns of nothing again.
   */
  private async noteEpoch(epoch: number): Promise<void> {
    const said = { epoch, readAt: toDate(this.clock.nowMs()) };
    await this.prisma.storeEpoch.upsert({ where: { id: 1 }, create: { id: 1, ...said }, update: said });
  }

  private async leases(epoch: number, signal: AbortSignal): Promise<void> {
    const longest = this.store.blobs.abilities.leaseEpochs?.most ?? LONGEST_LEASE_EPOCHS;
    const until = epoch + Math.max(this.config.lease.leadEpochs, 2, Math.ceil(longest * 0.3));
    let after = { endEpoch: -1, id: '' };
    for (;;) {
      const page = await this.repository.endingBy(until, after, PAGE);
      for (const contribution of page) {
        if (signal.aborted) return;
        await this.keep(contribution, epoch);
      }
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = { endEpoch: last.endEpoch, id: last.id };
    }
  }

  private async keep(contribution: KeptContribution, epoch: number): Promise<void> {
    const level = leaseLevel(contribution, epoch);
    const isDue = contribution.endEpoch - epoch <= this.config.lease.leadEpochs;
    const refusal = isDue ? await this.renewed(contribution, epoch) : 'off';
    // A renewal that is under way may fail: the first warning waits for it, the later ones do not.
    if (level === null || (refusal === null && level === 'notice')) return;
    await this.warnings.warn(contribution, level, epoch);
  }

  /** What goes wrong with one must keep neither its owner from being warned nor the others from being looked at. */
  private async renewed(contribution: KeptContribution, epoch: number): Promise<NotRenewed | null> {
    try {
      return await this.renewals.renew(contribution, epoch);
    } catch (thrown) {
      const { code } = toUsufructError(thrown);
      this.logger.warn('lease_not_renewed', { contributionId: contribution.id, code });
      return this.renewals.noteRefusal(contribution.id, code);
    }
  }
}
