import { refuse } from '@usufruct/kernel';
import type { ChainEvent } from '@usufruct/protocol';

/** A dataset, a job, a grant, …: what a decision rests on, by its id. */
type Id = string;

/** What the events say has ended since a decision began. */
class Watch {
  readonly #ended = new Set<Id>();
  readonly #changed = new Set<Id>();

  note({ data }: ChainEvent): void {
    switch (data.type) {
      case 'GrantRevoked':
        return void this.#ended.add(data.grantId);
      case 'ContributionTombstoned':
        return void this.#ended.add(data.contributionId);
      case 'DatasetTombstoned':
        return void this.#ended.add(data.datasetId);
      case 'JobClosed':
        return void this.#ended.add(data.jobId);
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

  /** What may be one way and then the other is read anew from here on; what has ended does not come back. */
  lookAgain(): void {
    this.#changed.clear();
  }

  has(restsOn: readonly Id[]): boolean {
    if (this.#ended.size + this.#changed.size === 0) return false;
    return restsOn.some((id) => this.#ended.has(id) || this.#changed.has(id));
  }
}

/** Says that something on which the decision rests has ended since it was read. Never leaves this file. */
class Outdated extends Error {}

/** How often a decision is made anew. */
const TRIES = 3;

export interface LastLook {
  /** To be called when the events were read for the last time, and before anything of the decision is kept or leaves. */
  requireCurrent(restsOn: readonly Id[]): void;
}

/**
 * A decision rests on several readings of the chain, one after the other, and what was read first may have ended when
 * the last is done. The events are read after all of them, before the log is written (`CaughtUp`): they show whatever
 * ended in between, of every kind, at one moment. Then it is decided anew.
 */
export class LastLooks {
  readonly #watches = new Set<Watch>();

  /** Every event of the chain, once. */
  note(event: ChainEvent): void {
    for (const watch of this.#watches) watch.note(event);
  }

  /** Refuses `CHAIN_UNAVAILABLE` where the events and what else is read of the chain do not come to agree. */
  async decide<T>(attempt: (look: LastLook) => Promise<T>): Promise<T> {
    const watch = new Watch();
    const requireCurrent = (restsOn: readonly Id[]): void => {
      if (watch.has(restsOn)) throw new Outdated();
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
      throw refuse('CHAIN_UNAVAILABLE', { reason: 'its events say that what it shows has ended' });
    } finally {
      this.#watches.delete(watch);
    }
  }
}
