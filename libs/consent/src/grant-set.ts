import {
  asTimestampMs,
  refused,
  type ContributionId,
  type Digest,
  type GrantId,
  type TimestampMs,
  type UsufructError,
} from '@usufruct/kernel';
import {
  grantSetDigest,
  type ContributionView,
  type DatasetView,
  type GrantSetEntry,
  type GrantView,
} from '@usufruct/protocol';
import type { BudgetView, Use, UseInput } from './decision-input.js';
import { grantRules } from './grant-rules.js';
import { RELEASE_RULES } from './release-rules.js';
import { firstFailure } from './rules.js';
import { PLACE_RULES } from './standing-rules.js';

export interface GrantSetInput {
  readonly dataset: Pick<DatasetView, 'id'>;
  /** Every contribution of the dataset with every grant of it, in any order. */
  readonly contributions: readonly {
    readonly contribution: ContributionView;
    readonly grants: readonly GrantView[];
  }[];
  readonly use: Use;
  readonly nowMs: number;
}

/** The grants of a dataset that count for one use, at one moment. */
export interface GrantSet {
  /** Another one whenever something in it changes; none comes back. */
  readonly version: Digest;
  /**
   * How much has happened: acceptances, retirements, grants given, grants ended. It never falls, and no two versions for
   * one use have the same number: of two views of the chain the one with fewer facts is the older.
   */
  readonly facts: number;
  /** What may be used now. */
  readonly usable: readonly ContributionId[];
  /** By which grants: the ones that are in force now. */
  readonly inForce: readonly GrantId[];
  /** When the first grant in force expires; null where none is in force. */
  readonly changesAtMs: TimestampMs | null;
}

/** Raised whenever other grants count, or count otherwise, for the same chain: a change of the rules is no old view. */
export const GRANT_SET_RULES = 1;

/** Training and statistics spend budget: how much, the ledger of budgets says; a grant that gives none covers neither. */
const LEAST_BUDGET: BudgetView = { neededMicroEpsilon: 1n, spentMicroEpsilon: 0n };
/** What ends a grant that covered the use; all other failures say that it never did. */
const ENDED: readonly string[] = ['grant.revocation', 'grant.expiry'];

/**
 * What is derived from a dataset (an index, a checkpoint) holds for the grants that it was derived under and no longer.
 * Pure, so that every holder and every runner says the same of the same chain and moment.
 *
 * In it is every accepted contribution with the grants of its owner that cover the use, those in force and those that
 * ended; and nothing else: grants for other uses, of others, and contributions that nobody granted for this use change
 * nothing. The DAO's policy, the job and the attestation are judged apart from it (`useRefusal`).
 */
export function grantSetOf({ dataset, contributions, use, nowMs }: GrantSetInput): GrantSet {
  const judged = contributions.flatMap(({ contribution, grants }) => {
    if (contribution.state !== 'accepted' || contribution.datasetId !== dataset.id) return [];
    const own = grants.filter(
      ({ contributionId, grantor }) => contributionId === contribution.id && grantor === contribution.owner,
    );
    const counted = own.flatMap((grant) => judge(grant, use, nowMs)).sort((a, b) => order(a.grant.id, b.grant.id));
    return counted.length === 0 ? [] : [{ contribution, counted }];
  });
  judged.sort((a, b) => order(a.contribution.id, b.contribution.id));
  const entries = judged.map(({ contribution: { id, tombstonedAtMs }, counted }): GrantSetEntry => {
    const standing = counted.map(({ grant, isInForce }) => ({ grantId: grant.id, isInForce }));
    return { contributionId: id, isRetired: tombstonedAtMs !== null, grants: standing };
  });
  const live = judged.filter(({ contribution }) => contribution.tombstonedAtMs === null);
  const inForce = live.flatMap(({ counted }) => counted.filter(({ isInForce }) => isInForce));
  const ends = inForce.map(({ grant }) => grant.terms.expiresAtMs);
  return {
    version: versionOf(dataset, use, entries),
    facts: entries.reduce((sum, entry) => sum + factsOf(entry), 0),
    usable: live
      .filter(({ counted }) => counted.some(({ isInForce }) => isInForce))
      .map(({ contribution }) => contribution.id),
    inForce: inForce.map(({ grant }) => grant.id),
    changesAtMs: ends.length === 0 ? null : asTimestampMs(ends.reduce((first, end) => Math.min(first, end), Infinity)),
  };
}

function judge(grant: GrantView, use: Use, nowMs: number): { grant: GrantView; isInForce: boolean }[] {
  const budget = use.kind === 'rag' ? {} : { budget: LEAST_BUDGET };
  const failures = grantRules(grant, { use, nowMs, ...budget });
  if (!failures.every(({ details }) => ENDED.includes(details['rule'] ?? ''))) return [];
  return [{ grant, isInForce: failures.length === 0 }];
}

const versionOf = (
  { id }: GrantSetInput['dataset'],
  { purpose, kind, protection }: Use,
  entries: GrantSetEntry[],
): Digest =>
  grantSetDigest({
    rules: GRANT_SET_RULES,
    datasetId: id,
    purpose,
    kind,
    protection,
    entries: entries.map((entry) => ({ ...entry, grants: [...entry.grants] })),
  });

const factsOf = ({ isRetired, grants }: GrantSetEntry): number =>
  1 + Number(isRetired) + grants.reduce((sum, { isInForce }) => sum + (isInForce ? 1 : 2), 0);

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Why nothing of the dataset may be used so now, whatever is granted: the rules of `decide` about dataset, DAO, policy,
 * licence, job and attestation, in their order. Null where nothing is against it.
 */
export function useRefusal(input: UseInput): UsufructError | null {
  const failure = firstFailure(PLACE_RULES, input) ?? firstFailure(RELEASE_RULES, input);
  return failure === null ? null : refused(failure.code, failure.details).refusal;
}
