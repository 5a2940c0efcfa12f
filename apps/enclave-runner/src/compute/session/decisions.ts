import { decide } from '@usufruct/consent';
import type { Address, ContributionId, ErrorCode, GrantId, TimestampMs } from '@usufruct/kernel';
import { LIMITS, type ContributionView, type GrantView } from '@usufruct/protocol';
import { forSlices } from '../../slices.js';
import type { Allowed, JobOnChain } from './consent.js';

export interface Granted {
  readonly contribution: ContributionView;
  /** All of the contribution, as the chain has them. */
  readonly grants: readonly GrantView[];
}

interface Decided {
  readonly given: Granted;
  /** The grant, or why not. */
  readonly outcome: { readonly grantId: GrantId } | { readonly code: ErrorCode };
  /** When time alone may make it another one: exclusive. */
  readonly untilMs: number;
}

/**
 * The decisions about the contributions of one session, kept for as long as nothing of what they rest on is another.
 * `decide` is pure: with the same contribution, grants, dataset, policy and use it says the same until one of the times
 * in them is reached. Whoever gives other objects for them has them decided anew; equal ones do not count as the same.
 */
export class Decisions {
  #on: JobOnChain | null = null;
  #decided = new Map<ContributionId, Decided>();
  #decidedAtMs = 0;
  #allowed: Allowed | null = null;

  /** Of exactly these contributions. The same object where nothing has changed. */
  async allowed(on: JobOnChain, all: ReadonlyMap<ContributionId, Granted>, nowMs: TimestampMs): Promise<Allowed> {
    const isSameWork = this.#on !== null && restsOnSame(this.#on, on) && nowMs >= this.#decidedAtMs;
    const before = isSameWork ? this.#decided : new Map<ContributionId, Decided>();
    const after = new Map<ContributionId, Decided>();
    let changed = before.size !== all.size;
    await forSlices(all, ([id, given]) => {
      const known = before.get(id);
      const isGood = known !== undefined && known.given === given && nowMs < known.untilMs;
      changed ||= !isGood;
      after.set(id, isGood ? known : decideOn(on, given, nowMs));
    });
    const allowed = changed || this.#allowed === null ? allowedOf(after) : this.#allowed;
    [this.#on, this.#decided, this.#decidedAtMs, this.#allowed] = [on, after, nowMs, allowed];
    return allowed;
  }
}

/** What is left of the escrow has no part in a decision. */
function restsOnSame(before: JobOnChain, now: JobOnChain): boolean {
  return before.dao === now.dao && before.dataset === now.dataset && isSameUse(before.job, now.job);
}

const isSameUse = (before: JobOnChain['job'], now: JobOnChain['job']): boolean =>
  before === now ||
  (Object.keys({ ...before, ...now }) as (keyof JobOnChain['job'])[]).every(
    (field) => field === 'questionsSettled' || field === 'escrowUnits' || before[field] === now[field],
  );

function decideOn({ job, dao, dataset }: JobOnChain, given: Granted, nowMs: TimestampMs): Decided {
  const { contribution, grants } = given;
  const decision = decide({ contribution, dataset, grants, dao, use: job, job, nowMs });
  const outcome = decision.ok ? { grantId: decision.value.grant.id } : { code: decision.refusal.code };
  const times = [job.expiresAtMs, ...grants.flatMap(timesOf)].filter((atMs) => atMs > nowMs);
  return { given, outcome, untilMs: Math.min(Infinity, ...times) };
}

/** When a grant begins to count, and when it no longer does. */
const timesOf = ({ givenAtMs, terms }: GrantView): number[] => [givenAtMs - LIMITS.clockSkewMs, terms.expiresAtMs];

function allowedOf(decided: ReadonlyMap<ContributionId, Decided>): Allowed {
  const grants = new Map<ContributionId, GrantId>();
  const owners = new Map<ContributionId, Address>();
  const refused = new Map<ContributionId, ErrorCode>();
  for (const [id, { given, outcome }] of decided) {
    if ('code' in outcome) refused.set(id, outcome.code);
    else {
      grants.set(id, outcome.grantId);
      owners.set(id, given.contribution.owner);
    }
  }
  return { grants, owners, refused };
}
