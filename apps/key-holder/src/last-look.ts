import { refuse, type Clock, type TimestampMs } from '@usufruct/kernel';
import { LIMITS, type ChainEvent, type DaoView, type HolderSetView, type JobView } from '@usufruct/protocol';

/** A dataset, a job, a grant, …: what a decision rests on, by its id. */
type Id = string;

/** What a decision rests on, as it was read. */
export interface RestsOn {
  readonly job: Pick<JobView, 'id'>;
  readonly dao: Pick<DaoView, 'id' | 'policyVersion' | 'paused'>;
  readonly set: Pick<HolderSetView, 'id' | 'version' | 'tombstonedKeys'>;
  /** Dataset, contributions, grants. */
  readonly others: readonly Id[];
  /** The time that it was decided by. */
  readonly decidedAtMs: TimestampMs;
}

/**
 * What the events have said up to now and no later one has taken back. A node that lags, or one of several behind one
 * address that does, shows what was before it: that decides nothing here.
 */
class Seen {
  /** For as long as this process lives: its first reading is from the first event on. */
  readonly #ended = new Set<Id>();
  /** Of policies by DAO, of members by holder set: the newest. */
  readonly #versions = new Map<Id, number>();
  /** Paused DAOs and declined contributions, as the newest event about each has it. */
  readonly #closed = new Set<Id>();
  /** Keys of members that were retired for good, by holder set. */
  readonly #retiredKeys = new Map<Id, Set<string>>();
  /** With their time, oldest first: after its term a job is over whatever is shown of it. */
  readonly #closedJobs = new Map<Id, number>();
  /** Of the newest event. */
  newestMs = 0;

  note({ data, atMs }: ChainEvent): void {
    this.newestMs = Math.max(this.newestMs, atMs);
    switch (data.type) {
      case 'GrantRevoked':
        return void this.#ended.add(data.grantId);
      case 'ContributionTombstoned':
        return void this.#ended.add(data.contributionId);
      case 'DatasetTombstoned':
        return void this.#ended.add(data.datasetId);
      case 'JobClosed':
        this.#forgetJobs(atMs);
        return void this.#closedJobs.set(data.jobId, atMs);
      case 'DaoPaused':
        return void this.#closed.add(data.daoId);
      case 'DaoUnpaused':
        return void this.#closed.delete(data.daoId);
      case 'ContributionDecided':
        if (data.state === 'declined') this.#closed.add(data.contributionId);
        else this.#closed.delete(data.contributionId);
        return;
      case 'HolderTombstoned': {
        const retired = this.#retiredKeys.get(data.holderSetId) ?? new Set();
        return void this.#retiredKeys.set(data.holderSetId, retired.add(data.signingPublicKey));
      }
      case 'PolicySet':
        return void this.#versions.set(data.daoId, data.version);
      case 'HolderSetRotated':
        return void this.#versions.set(data.holderSetId, data.version);
    }
  }

  isPast({ job, dao, set, others }: RestsOn): boolean {
    return (
      this.#closedJobs.has(job.id) ||
      dao.policyVersion < (this.#versions.get(dao.id) ?? 0) ||
      set.version < (this.#versions.get(set.id) ?? 0) ||
      (!dao.paused && this.#closed.has(dao.id)) ||
      [...(this.#retiredKeys.get(set.id) ?? [])].some((key) => !set.tombstonedKeys.includes(key)) ||
      others.some((id) => this.#ended.has(id) || this.#closed.has(id))
    );
  }

  #forgetJobs(nowMs: number): void {
    for (const [id, atMs] of this.#closedJobs) {
      if (atMs + LIMITS.jobTermMs >= nowMs) return;
      this.#closedJobs.delete(id);
    }
  }
}

/** What may be one way and then the other, and was changed since a decision began. */
class Watch {
  readonly #changed = new Set<Id>();

  note({ data }: ChainEvent): void {
    switch (data.type) {
      case 'ContributionDecided':
        return void this.#changed.add(data.contributionId);
      case 'PolicySet':
      case 'DaoPaused':
      case 'DaoUnpaused':
        return void this.#changed.add(data.daoId);
      case 'HolderSetRotated':
      case 'HolderTombstoned':
        return void this.#changed.add(data.holderSetId);
    }
  }

  /** All of it is read anew from here on. */
  lookAgain(): void {
    this.#changed.clear();
  }

  has({ dao, set, others }: RestsOn): boolean {
    return this.#changed.size > 0 && [dao.id, set.id, ...others].some((id) => this.#changed.has(id));
  }
}

/** Says that something on which the decision rests has ended since it was read. Never leaves this file. */
class Outdated extends Error {}

/** How often a decision is made anew. */
const TRIES = 3;
/** What was decided longer ago was decided at another time: grants, jobs and sessions may have run out since. */
const DECISION_TERM_MS = LIMITS.clockSkewMs;

export interface LastLook {
  /** To be called when the events were read for the last time, and before anything of the decision is kept or leaves. */
  requireCurrent(restsOn: RestsOn): void;
}

/**
 * A decision rests on several readings of the chain, one after the other, and what was read first may have ended when
 * the last is done. The events are read after all of them, before the log is written (`CaughtUp`): they show whatever
 * ended in between, of every kind, at one moment. Then it is decided anew. What ended before it began counts as well,
 * where one of the readings does not show it.
 */
export class LastLooks {
  readonly #seen = new Seen();
  readonly #watches = new Set<Watch>();

  constructor(private readonly clock: Clock) {}

  /** Every event of the chain, once. */
  note(event: ChainEvent): void {
    this.#seen.note(event);
    for (const watch of this.#watches) watch.note(event);
  }

  /**
   * Refuses `CHAIN_UNAVAILABLE` where the events and what else is read of the chain do not come to agree, or no decision
   * is made in time.
   */
  async decide<T>(attempt: (look: LastLook) => Promise<T>): Promise<T> {
    const watch = new Watch();
    const requireCurrent = (restsOn: RestsOn): void => {
      if (this.#isOld(restsOn) || this.#seen.isPast(restsOn) || watch.has(restsOn)) throw new Outdated();
    };
    this.#watches.add(watch);
    try {
      for (let tries = 0; tries < TRIES; tries += 1) {
        watch.lookAgain();
        try {
          return await attempt({ requireCurrent });
        } catch (error) {
          if (!(error instanceof Outdated)) throw error;
        }
      }
      throw refuse('CHAIN_UNAVAILABLE', {
        reason: 'its events say that what it shows has ended, or it takes too long',
      });
    } finally {
      this.#watches.delete(watch);
    }
  }

  #isOld({ decidedAtMs }: RestsOn): boolean {
    return Math.max(this.clock.nowMs(), this.#seen.newestMs) - decidedAtMs > DECISION_TERM_MS;
  }
}
