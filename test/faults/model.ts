import type { ContributionId, GrantId, JobId } from '@usufruct/kernel';
import { LIMITS } from '@usufruct/protocol';
import type { Readings } from './chain-line.js';

/** From when until when, in events of the chain: the first counts, the last does not. */
interface Span {
  readonly from: number;
  until: number;
}
interface Granted extends Span {
  readonly contributionId: ContributionId;
  /** Whether it is for what the jobs here are for. */
  readonly covers: boolean;
  readonly expiresAtMs: number;
}
interface Job extends Span {
  readonly expiresAtMs: number;
}

/**
 * What may be released, by what was done to the chain and in which order: kept by the test as it does it, in spans and
 * comparisons, and with nothing of what the parts use to decide.
 */
export class Model {
  readonly #grants = new Map<GrantId, Granted>();
  readonly #living = new Map<ContributionId, Span>();
  readonly #jobs = new Map<JobId, Job>();
  readonly #approved: Span[] = [];

  contributed(id: ContributionId, from: number): void {
    this.#living.set(id, { from, until: Infinity });
  }
  retired(id: ContributionId, at: number): void {
    const span = this.#living.get(id);
    if (span !== undefined) span.until = at;
  }
  granted(id: GrantId, grant: Omit<Granted, 'until'>): void {
    this.#grants.set(id, { ...grant, until: Infinity });
  }
  revoked(id: GrantId, at: number): void {
    const grant = this.#grants.get(id);
    if (grant !== undefined) grant.until = at;
  }
  funded(id: JobId, job: Omit<Job, 'until'>): void {
    this.#jobs.set(id, { ...job, until: Infinity });
  }
  closed(id: JobId, at: number): void {
    const job = this.#jobs.get(id);
    if (job !== undefined) job.until = Math.min(job.until, at);
  }
  approved(from: number): void {
    this.#approved.push({ from, until: Infinity });
  }
  withdrawn(at: number): void {
    const last = this.#approved.at(-1);
    if (last !== undefined) last.until = Math.min(last.until, at);
  }

  /**
   * Why a holder that had read this much of the chain, each thing at its own moment, must not have released this; null
   * when it may have.
   */
  objection(jobId: JobId, contributionId: ContributionId, readings: Readings, at: Moment): string | null {
    const seq = seqIn(readings);
    const job = this.#jobs.get(jobId);
    if (job === undefined || !covers(job, seq('jobs'))) return 'the job is not open';
    if (isPast(job.expiresAtMs, at)) return 'the job is over';
    if (!this.#approved.some((span) => covers(span, seq('daos')))) return 'the measurement is withdrawn';
    return this.notAllowed(contributionId, readings, at);
  }

  /** The same for what is derived of it: whether it may still be used, whatever the job. */
  notAllowed(contributionId: ContributionId, readings: Readings, at: Moment): string | null {
    const seq = seqIn(readings);
    const read = readings.has('contributions/query') ? 'contributions/query' : 'datasets/contributions';
    const living = this.#living.get(contributionId);
    if (living === undefined || !covers(living, seq(read))) return 'the contribution is retired';
    const isGranted = [...this.#grants.values()].some(
      (grant) =>
        grant.contributionId === contributionId &&
        grant.covers &&
        covers(grant, seq('grants/query')) &&
        !isPast(grant.expiresAtMs, at),
    );
    return isGranted ? null : 'nobody allows it';
  }
}

/** When a holder decided: by its own clock, and by the newest event that it had read. */
export interface Moment {
  readonly ownMs: number;
  readonly chainMs: number;
}

/**
 * By its own clock to the millisecond; by the chain's within what clocks may differ, however wrong its own is, and as much
 * again for how long a decision may take.
 */
const isPast = (endMs: number, { ownMs, chainMs }: Moment): boolean =>
  ownMs >= endMs || chainMs >= endMs + 2 * LIMITS.clockSkewMs;

/** The events are read last, and show what has ended since the rest was read. */
const seqIn = (readings: Readings) => {
  const last = readings.get('events') ?? 0;
  return (what: string): number => Math.max(readings.get(what) ?? NaN, last);
};

const covers = ({ from, until }: Span, seq: number): boolean => from <= seq && seq < until;
