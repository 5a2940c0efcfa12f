import type { ContributionId, TimestampMs } from '@usufruct/kernel';
import type { ChainEvent, ContributionView, JobView } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import type { Allowed } from './consent.js';
import { Decisions, type Granted } from './decisions.js';
import { readStanding, type Standing } from './standing.js';

export interface Reading {
  readonly standing: Standing;
  /** Of all contributions of the dataset. */
  readonly allowed: Allowed;
}

type Views = ReadonlyMap<ContributionId, ContributionView>;

/** More events than this since the last question: everything is read anew. */
const EVENTS_AT_MOST = 500;

/** What an event leaves to be read again. */
interface Stale {
  standing: boolean;
  contributions: Set<ContributionId> | 'all';
}

/**
 * What the chain says of one session, for each question and each review as it is now: job, DAO, dataset, this runner's
 * registration, and the dataset's contributions with their grants. What was read is kept; each reading asks for the events since then, in one
 * request, and again only what they are about. An event that is not known here counts as being about everything. Where
 * the chain's events may be behind its objects (`position`), nothing is kept and all is read for each question.
 *
 * A reading begins after it was asked for: whatever the chain shows at that moment has its part in it. Those who ask while
 * one is under way share the one after it.
 */
export class StandingMemory {
  #cursor: number | null = null;
  #standing: Standing | null = null;
  #held = new Map<ContributionId, Granted>();
  /** The dataset's: as they were listed, and what was registered since. */
  #ids: Set<ContributionId> | null = null;
  readonly #decisions = new Decisions();
  #reading: Promise<unknown> = Promise.resolve();
  #next: Promise<Reading> | null = null;

  constructor(
    private readonly context: Pick<RunnerContext, 'chain' | 'clock' | 'keys'>,
    private readonly job: Pick<JobView, 'id' | 'datasetId'>,
  ) {}

  /** Refuses `CHAIN_UNAVAILABLE`: what cannot be read now allows nothing. */
  read(): Promise<Reading> {
    this.#next ??= this.#readNext();
    return this.#next;
  }

  async #readNext(): Promise<Reading> {
    await this.#reading;
    this.#next = null;
    const reading = this.#read();
    this.#reading = reading.catch(() => undefined);
    return reading;
  }

  async #read(): Promise<Reading> {
    try {
      await this.#catchUp();
    } catch (error) {
      // Half of it may be newer than the other half.
      this.#forget();
      throw error;
    }
    const standing = this.#standing!;
    const nowMs: TimestampMs = this.context.clock.nowMs();
    return { standing, allowed: await this.#decisions.allowed(standing, this.#held, nowMs) };
  }

  async #catchUp(): Promise<void> {
    const { chain } = this.context;
    const stale = await this.#staleSinceThen();
    const { ids, listed } = await this.#inDataset();
    const again = stale.contributions === 'all' ? ids : stale.contributions;
    const wanted = [...ids].filter((id) => again.has(id) || !this.#held.has(id));
    const [standing, contributions, grants] = await Promise.all([
      stale.standing || this.#standing === null ? readStanding(this.context, this.job.id) : this.#standing,
      this.#contributions(wanted, listed),
      wanted.length === 0 ? [] : chain.grantsOfEach(wanted),
    ]);
    this.#standing = standing;
    for (const [i, id] of wanted.entries()) {
      const contribution: ContributionView | null = contributions[i] ?? null;
      if (contribution === null) this.#held.delete(id);
      else this.#held.set(id, { contribution, grants: grants[i] ?? [] });
    }
  }

  /** With what a listing that was needed for it says of each. */
  async #inDataset(): Promise<{ readonly ids: ReadonlySet<ContributionId>; readonly listed: Views | null }> {
    if (this.#ids !== null) return { ids: this.#ids, listed: null };
    const contributions = await this.context.chain.contributionsOf(this.job.datasetId);
    this.#ids = new Set(contributions.map(({ id }) => id));
    return { ids: this.#ids, listed: new Map(contributions.map((one) => [one.id, one])) };
  }

  #contributions(
    wanted: readonly ContributionId[],
    listed: Views | null,
  ): Promise<(ContributionView | null)[]> | (ContributionView | null)[] {
    if (listed !== null) return wanted.map((id) => listed.get(id) ?? null);
    return wanted.length === 0 ? [] : this.context.chain.contributions(wanted);
  }

  async #staleSinceThen(): Promise<Stale> {
    const { chain } = this.context;
    const stale: Stale = { standing: false, contributions: new Set() };
    if (this.#cursor !== null && (await this.#noteSince(this.#cursor, stale))) return stale;
    this.#forget();
    // Before anything is read: an event that comes meanwhile is found by the next question.
    this.#cursor = (await chain.position?.()) ?? null;
    return { standing: true, contributions: 'all' };
  }

  /** False where there are too many. A page may be cut before its limit: what the chain's position says has to be in it. */
  async #noteSince(after: number, stale: Stale): Promise<boolean> {
    const { chain } = this.context;
    const page = (from: number): Promise<ChainEvent[]> => chain.events(from, { limit: EVENTS_AT_MOST });
    const [first, position] = await Promise.all([page(after), chain.position?.() ?? after]);
    let events = first;
    for (let last = after; ;) {
      for (const event of events) this.#note(event, stale);
      last = events.at(-1)?.seq ?? last;
      this.#cursor = last;
      if (last >= position) return true;
      if (events.length === 0 || last - after >= EVENTS_AT_MOST) return false;
      events = await page(last);
    }
  }

  #forget(): void {
    this.#cursor = null;
    this.#standing = null;
    this.#held = new Map();
    this.#ids = null;
  }

  /** By what it is about. Whatever has no place here, or will be added to the events, is about everything. */
  #note({ data }: ChainEvent, stale: Stale): void {
    const { job, dao, dataset } = this.#standing!;
    const contribution = (id: ContributionId): void => {
      if (stale.contributions !== 'all') stale.contributions.add(id);
    };
    const standingOf = (isOurs: boolean): void => void (stale.standing ||= isOurs);
    switch (data.type) {
      case 'Minted':
      case 'Transferred':
      case 'TreeHeadAnchored':
      case 'LicenceBought':
      case 'PayoutClaimed':
      case 'HolderSetCreated':
        return;
      case 'ReceiptSettled':
      case 'ReceiptSettledPrivately':
        if (data.jobId !== job.id) return;
        this.#standing = {
          ...this.#standing!,
          job: { ...job, questionsSettled: data.questionsSettled, escrowUnits: data.escrowLeftUnits },
        };
        return;
      case 'JobFunded':
        return standingOf(data.job.id === job.id);
      case 'JobClosed':
        return standingOf(data.jobId === job.id);
      case 'DaoCreated':
        return standingOf(data.dao.id === dao.id);
      case 'PolicySet':
      case 'DaoPaused':
      case 'DaoUnpaused':
      case 'MembershipApplied':
      case 'MembershipDecided':
      case 'MemberAdded':
        return standingOf(data.daoId === dao.id);
      case 'RunnerRegistered':
        return standingOf(data.runner.daoId === dao.id);
      case 'RunnerWithdrawn':
        return standingOf(data.daoId === dao.id);
      case 'DatasetCreated':
        return standingOf(data.dataset.id === dataset.id);
      case 'DatasetTombstoned':
      case 'AnswerRulesSet':
        return standingOf(data.datasetId === dataset.id);
      case 'ContributionRegistered':
        if (data.contribution.datasetId !== dataset.id) return;
        this.#ids?.add(data.contribution.id);
        contribution(data.contribution.id);
        // It counts them.
        return standingOf(true);
      case 'ContributionDecided':
      case 'ContributionTombstoned':
      case 'LeaseRenewed':
      case 'GrantRevoked':
        return contribution(data.contributionId);
      case 'GrantGiven':
        return contribution(data.grant.contributionId);
      default:
        stale.standing = true;
        stale.contributions = 'all';
        this.#ids = null;
    }
  }
}
