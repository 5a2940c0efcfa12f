import { Inject, Injectable } from '@nestjs/common';
import {
  asId,
  toHex32,
  toUsufructError,
  type Clock,
  type ContributionId,
  type Hex32,
  type Logger,
  type RandomSource,
} from '@usufruct/kernel';
import type { Config } from '../../platform/config/config.js';
import { PrismaService, toDate, toMs } from '../../platform/prisma/index.js';
import { CLOCK, CONFIG, LOGGER, RANDOM } from '../../platform/tokens.js';
import { BlobSource, type Reading } from './blob-source.js';
import { LeaseRenewals } from './lease-renewals.js';
import { LeaseWarnings } from './lease-warnings.js';
import { blobsOf, LeaseRepository, type KeptContribution } from './lease.repository.js';

/** So often must every aggregator say that a blob is not there before its contribution counts as lost. */
export const TIMES_UNTIL_LOST = 3;
/** How many that gave cause are looked at in one round, beside the samples. */
const SUSPECTS = 64;

/**
 * Reads blobs at random from several aggregators, as a contributor would who does not trust the store. What one has and
 * another has not is put back; what none has, round after round, is lost: quotes leave it out, and its owner is told.
 * A store that does not answer proves nothing, and what is lost is found again when it can be read.
 */
@Injectable()
export class BlobSampling {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) private readonly random: RandomSource,
    @Inject(LOGGER) private readonly logger: Logger,
    private readonly prisma: PrismaService,
    private readonly repository: LeaseRepository,
    private readonly source: BlobSource,
    private readonly renewals: LeaseRenewals,
    private readonly warnings: LeaseWarnings,
  ) {}

  async round(epoch: number | null, signal: AbortSignal): Promise<void> {
    for (const { contribution, blob } of await this.choose(epoch)) {
      if (signal.aborted) return;
      try {
        await this.look(contribution, blob, epoch, signal);
      } catch (thrown) {
        const { code } = toUsufructError(thrown);
        this.logger.warn('lease_sample_failed', { contributionId: contribution.id, code });
      }
    }
  }

  /** Those that gave cause, those whose lease has ended, and as many at random as are configured. */
  private async choose(epoch: number | null): Promise<{ contribution: KeptContribution; blob: Hex32 }[]> {
    const chosen: { contribution: KeptContribution; blob: Hex32 }[] = [];
    const suspects = await this.prisma.lostContribution.findMany({ orderBy: { countedAt: 'asc' }, take: SUSPECTS });
    for (const { contributionId, blob } of suspects) {
      const contribution = await this.repository.find(asId<ContributionId>(contributionId, 'contributionId'));
      if (contribution !== null) chosen.push({ contribution, blob: asId<Hex32>(blob, 'blob') });
      else await this.prisma.lostContribution.deleteMany({ where: { contributionId } });
    }
    const known = new Set<string>(suspects.map(({ contributionId }) => contributionId));
    const ended = epoch === null ? [] : await this.repository.endedBy(epoch, toHex32(this.random(32)), SUSPECTS);
    const add = (contribution: KeptContribution): void => {
      // Once in a round, whatever the draw: several looks at one moment are one.
      if (!known.has(contribution.id)) chosen.push(this.anyBlob(contribution));
      known.add(contribution.id);
    };
    ended.forEach(add);
    for (let i = 0; i < this.config.lease.samples; i++) {
      const contribution = await this.repository.sampleFrom(toHex32(this.random(32)));
      if (contribution !== null) add(contribution);
    }
    return chosen;
  }

  private anyBlob(contribution: KeptContribution): { contribution: KeptContribution; blob: Hex32 } {
    const blobs = blobsOf(contribution);
    const [a = 0, b = 0] = this.random(2);
    // At most 1,025 blobs: the bias of the remainder is of no concern for a sample.
    const blob = blobs[(a * 256 + b) % blobs.length] ?? contribution.manifestBlob;
    return { contribution, blob: blob.blob };
  }

  private async look(
    contribution: KeptContribution,
    wanted: Hex32,
    epoch: number | null,
    signal: AbortSignal,
  ): Promise<void> {
    const { blob, readings } = await this.source.read(contribution, wanted, signal);
    await this.note(contribution.id, blob, readings);
    const outcomes = readings.map(({ outcome }) => outcome);
    if (outcomes.includes('readable')) return this.found(contribution, blob, outcomes, epoch);
    // Silence is no proof: one that answers later may have it.
    if (outcomes.includes('silent')) return;
    await this.notFound(contribution, blob, epoch, signal);
  }

  private async note(contributionId: ContributionId, blob: Hex32, readings: readonly Reading[]): Promise<void> {
    const sampledAt = toDate(this.clock.nowMs());
    for (const [aggregator, { outcome }] of readings.entries()) {
      await this.prisma.blobSample.upsert({
        where: { contributionId_blob_aggregator: { contributionId, blob, aggregator } },
        create: { contributionId, blob, aggregator, outcome, sampledAt },
        update: { outcome, sampledAt },
      });
    }
  }

  private async found(
    contribution: KeptContribution,
    blob: Hex32,
    outcomes: readonly string[],
    epoch: number | null,
  ): Promise<void> {
    const { count } = await this.prisma.lostContribution.deleteMany({
      where: { contributionId: contribution.id, blob },
    });
    if (count > 0) this.logger.info('blob_found_again', { contributionId: contribution.id });
    const reference = blobsOf(contribution).find((candidate) => candidate.blob === blob);
    // The first aggregator is the one that runners read: what it says it has not, it is given again.
    const isGone = outcomes[0] === 'missing' || outcomes[0] === 'wrong';
    if (isGone && reference !== undefined && epoch !== null) await this.renewals.repair(contribution, reference, epoch);
  }

  private async notFound(
    contribution: KeptContribution,
    blob: Hex32,
    epoch: number | null,
    signal: AbortSignal,
  ): Promise<void> {
    const { id: contributionId, endEpoch } = contribution;
    const now = this.clock.nowMs();
    // After its end a lease promises nothing, so there is nothing to wait for.
    const needed = epoch !== null && endEpoch <= epoch ? 1 : TIMES_UNTIL_LOST;
    const lost = await this.prisma.$transaction(async (tx) => {
      await tx.lostContribution.createMany({
        data: [{ contributionId, blob, state: 'suspected', times: 0, countedAt: new Date(0), since: toDate(now) }],
        skipDuplicates: true,
      });
      await tx.$queryRaw`select 1 from lost_contribution where contribution_id = ${contributionId} for update`;
      const before = await tx.lostContribution.findUniqueOrThrow({ where: { contributionId } });
      const isAgain = now - toMs(before.countedAt) < this.config.lease.intervalMs / 2;
      if (isAgain && before.times >= needed) return before.state === 'lost';
      const times = isAgain ? before.times : before.times + 1;
      const state = times >= needed ? 'lost' : 'suspected';
      await tx.lostContribution.update({
        where: { contributionId },
        data: { times, state, blob, ...(!isAgain && { countedAt: toDate(now) }) },
      });
      return state === 'lost';
    });
    if (!lost) return;
    await this.tellLost(contribution, epoch);
    // A quilt that is gone takes all that lies in it along: nobody has to be drawn for that.
    if (!(await this.source.isGone(blob, signal))) return;
    for (const other of await this.repository.sharing(contribution, blob)) {
      if (other.id === contributionId) continue;
      const lostToo = { state: 'lost', times: needed, countedAt: toDate(now) };
      const where = { contributionId: other.id, blob, state: 'suspected' };
      const suspected = await this.prisma.lostContribution.updateMany({ where, data: lostToo });
      const created = await this.prisma.lostContribution.createMany({
        data: [{ ...lostToo, contributionId: other.id, blob, since: toDate(now) }],
        skipDuplicates: true,
      });
      const count = suspected.count + created.count;
      if (count > 0) await this.tellLost(other, epoch);
    }
  }

  private async tellLost(contribution: KeptContribution, epoch: number | null): Promise<void> {
    if (!(await this.warnings.warn(contribution, 'lost', epoch))) return;
    this.logger.warn('contribution_lost', { contributionId: contribution.id, endEpoch: contribution.endEpoch });
  }
}
