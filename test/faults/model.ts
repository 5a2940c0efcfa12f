import type { ContributionId, GrantId, JobId } from '@usufruct/kernel';
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
  objection(jobId: JobId, contributionId: ContributionId, readings: Readings, atMs: number): string | null {
    // The events are read last, and show what has ended since the rest was read.
    const last = readings.get('events') ?? 0;
    const seq = (what: string): number => Math.max(readings.get(what) ?? NaN, last);
    const job = this.#jobs.get(jobId);
    if (job === undefined || !covers(job, seq('jobs'))) return 'the job is not open';
    if (atMs >= job.expiresAtMs) return 'the job is over';
    if (!this.#approved.some((span) => covers(span, seq('daos')))) return 'the measurement is withdrawn';
    const living = this.#living.get(contributionId);
    if (living === undefined || !covers(living, seq('contributions/query'))) return 'the contribution is retired';
    const isGranted = [...this.#grants.values()].some(
      (grant) =>
        grant.contributionId === contributionId &&
        grant.covers &&
        covers(grant, seq('grants/query')) &&
        atMs < grant.expiresAtMs,
    );
    return isGranted ? null : 'nobody allows it';
  }
}

const covers = ({ from, until }: Span, seq: number): boolean => from <= seq && seq < until;
