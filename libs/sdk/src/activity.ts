import { grantSetOf } from '@usufruct/consent';
import {
  asAmount,
  sumUnits,
  toUsufructError,
  type AmountUnits,
  type ContributionId,
  type Digest,
  type GrantId,
  type JobId,
  type QuestionId,
  type TimestampMs,
  type Weight,
  type WireError,
} from '@usufruct/kernel';
import type {
  ChainEvent,
  ComputationKind,
  ContributionView,
  KeyMode,
  LeaseLeaf,
  ProtectionKind,
} from '@usufruct/protocol';
import type { ClientContext } from './context.js';
import { keyModeOf } from './contribute/key-modes.js';
import { allEvents } from './governance/history.js';
import { AnchoredHeads } from './log/anchored-heads.js';
import { privatePayouts, type PrivatePayouts } from './private-payouts.js';
import type { DatasetEntry } from './log/judge-log.js';
import { readLogs, requireOwner, type HolderReleases } from './releases.js';

/** What one holder answered to one request for the key. */
export interface HolderDecision {
  readonly member: number;
  /** `key`: the contribution's own. `index`: that of a stored index over its dataset, which may have it inside. */
  readonly of: 'key' | 'index';
  /** `RELEASED`, of an index `LEASED`, or the code of the refusal. */
  readonly decision: string;
  readonly atMs: TimestampMs;
}
/** Everything about one job that asked for the key, or for that of an index over the dataset. */
export interface JobRequests {
  readonly jobId: JobId;
  readonly purpose: string;
  readonly kind: ComputationKind;
  readonly protection: ProtectionKind;
  readonly measurement: string;
  /** Oldest first; from logs that check out alone. */
  readonly decisions: readonly HolderDecision[];
  /**
   * `yes`: enough holders gave their share. `no`: not enough, whatever those say that did not answer. `unknown`: it hangs
   * on them.
   */
  readonly opened: 'yes' | 'no' | 'unknown';
}
/** A question that was answered from it and paid, as the chain shows it (direct mode). */
export interface PublicUse {
  readonly jobId: JobId;
  readonly questionId: QuestionId;
  readonly grantId: GrantId;
  readonly weight: Weight;
  readonly paidUnits: AmountUnits;
  readonly atMs: TimestampMs;
  readonly transaction: Digest;
  /**
   * False where it was used though fewer holders than it takes can have given its key, or that of an index with it:
   * somebody's log is not whole. Nobody keeps a log of what Seal's key servers give out, so with them there is nothing to
   * miss.
   */
  readonly isExplained: boolean;
}
/** One view of what became of a contribution, by the chain and the holders' own logs; nothing in it is the API's word. */
export interface Activity {
  readonly contribution: ContributionView;
  /** Who gives out its key; with `seal`, requests for it are in no log. Null where its manifest cannot be read. */
  readonly keyMode: KeyMode | null;
  readonly threshold: number;
  readonly holders: readonly HolderReleases[];
  /** Members that did not answer, and members whose log does not check out: what they know is missing here. */
  readonly unanswered: readonly number[];
  readonly untrusted: readonly number[];
  /** Newest first. */
  readonly requests: readonly JobRequests[];
  readonly uses: readonly PublicUse[];
  readonly paidUnits: AmountUnits;
  /** The account's parts of the DAO's epochs, of all its contributions together; null where the DAO has had none. */
  readonly privatePayouts: PrivatePayouts | null;
  readonly privatePayoutsError: WireError | null;
}

/**
 * Uses, key releases, refusals and payments of a contribution, for its owner. It reads every event of the chain and asks
 * every key holder; the wallet signs once for the logs, and once more where the DAO has paid privately.
 *
 * What it cannot show: a release that a holder did not write down or leaves out, unless a paid use gives it away; in
 * private mode which question used it, which nobody publishes; members that were rotated out.
 */
export async function activityOf(context: ClientContext, contributionId: ContributionId): Promise<Activity> {
  const { chain } = context;
  const contribution = await chain.contribution(contributionId);
  requireOwner(context, contribution);
  const set = await chain.holderSet(contribution.holderSetId);
  const keyMode = await keyModeOf(context, contribution);
  const anchors = new AnchoredHeads(set);
  const settled: SettledEvent[] = [];
  for await (const event of allEvents(context)) {
    anchors.note(event);
    if (isSettled(event) && event.data.uses.some((use) => use.contributionId === contributionId)) settled.push(event);
  }
  const holders = await readLogs(context, contribution, set, anchors);
  const good = holders.filter(({ error, verdict }) => error === null && verdict.ok);
  // Members whose word is missing: each may have released it.
  const silent = set.members.length - good.length;
  const couldHold = await indexesThatCouldHold(context, contribution);
  const requests = requestsOf(good, { threshold: set.threshold, silent, couldHold });
  const uses = settled.map((event) =>
    useOf(event, contributionId, (jobId) => {
      // Before a rotation others may have released it, whose logs are not read here.
      const gave = good.filter((log) => gaveKey(log, jobId)).length;
      return keyMode === 'seal' || set.version > 1 || gave + silent >= set.threshold;
    }),
  );
  return {
    contribution,
    keyMode,
    threshold: set.threshold,
    holders,
    unanswered: holders.filter(({ error }) => error !== null).map(({ member }) => member),
    untrusted: holders.filter(({ error, verdict }) => error === null && !verdict.ok).map(({ member }) => member),
    requests,
    uses,
    paidUnits: sumUnits(uses.map((use) => use.paidUnits)),
    ...(await ownPrivatePayouts(context, contribution)),
  };
}

type SettledEvent = ChainEvent & { readonly data: Extract<ChainEvent['data'], { type: 'ReceiptSettled' }> };
const isSettled = (event: ChainEvent): event is SettledEvent => event.data.type === 'ReceiptSettled';

interface RequestsAbout {
  readonly threshold: number;
  readonly silent: number;
  readonly couldHold: (lease: LeaseLeaf) => boolean;
}

function requestsOf(logs: readonly HolderReleases[], { threshold, silent, couldHold }: RequestsAbout): JobRequests[] {
  const all = logs.flatMap(({ member, entries, datasetEntries }) => [
    ...entries.map((entry) => ({ member, of: 'key' as const, entry })),
    ...datasetEntries.flatMap((one) =>
      isIndexLease(one) && couldHold(one.leaf) ? [{ member, of: 'index' as const, entry: one.leaf }] : [],
    ),
  ]);
  all.sort((a, b) => a.entry.atMs - b.entry.atMs);
  const byJob = new Map<JobId, typeof all>();
  for (const one of all) {
    const known = byJob.get(one.entry.jobId);
    if (known === undefined) byJob.set(one.entry.jobId, [one]);
    else known.push(one);
  }
  const requests = [...byJob.values()].map((entries): JobRequests => {
    const { jobId, purpose, kind, protection, measurement } = entries.at(-1)!.entry;
    const decisions = entries.map(({ member, of, entry: { decision, atMs } }) => ({ member, of, decision, atMs }));
    // The shares of one key make it, not those of both together.
    const released = Math.max(releasedBy(decisions, 'key', 'RELEASED'), releasedBy(decisions, 'index', 'LEASED'));
    const opened = released >= threshold ? 'yes' : released + silent < threshold ? 'no' : 'unknown';
    return { jobId, purpose, kind, protection, measurement, decisions, opened };
  });
  return requests.toReversed();
}

/** Its own key, or that of an index over the dataset. */
const gaveKey = ({ entries, datasetEntries }: HolderReleases, jobId: JobId): boolean =>
  entries.some((entry) => entry.jobId === jobId && entry.decision === 'RELEASED') ||
  datasetEntries.some(
    ({ type, leaf }) =>
      type === 'lease' && leaf.keyKind === 'index' && leaf.jobId === jobId && leaf.decision === 'LEASED',
  );

/**
 * Whether an index that was leased then may have had the contribution in it: it was not retired, and a grant for the use
 * was in force, by the chain as it is now. The price is not in the log, so one under the grant's floor is shown, too.
 */
async function indexesThatCouldHold(
  { chain }: ClientContext,
  contribution: ContributionView,
): Promise<(lease: LeaseLeaf) => boolean> {
  const { datasetId } = contribution;
  const [grants, { daoId }] = await Promise.all([chain.grantsOf(contribution.id), chain.dataset(datasetId)]);
  return ({ purpose, kind, protection, atMs }) => {
    const endedBy = (endMs: TimestampMs | null): TimestampMs | null => (endMs !== null && endMs <= atMs ? endMs : null);
    const then = {
      contribution: { ...contribution, tombstonedAtMs: endedBy(contribution.tombstonedAtMs) },
      grants: grants.map((grant) => ({ ...grant, revokedAtMs: endedBy(grant.revokedAtMs) })),
    };
    const use = { purpose, kind, protection, pricePerQuestionUnits: MOST_UNITS, datasetId, daoId };
    return grantSetOf({ dataset: { id: datasetId }, contributions: [then], use, nowMs: atMs }).usable.length > 0;
  };
}
const MOST_UNITS = asAmount(2n ** 64n - 1n);

/** That a key was deposited opens nothing: who made it had released the contributions' own. */
const isIndexLease = (entry: DatasetEntry): entry is Extract<DatasetEntry, { readonly type: 'lease' }> =>
  entry.type === 'lease' && entry.leaf.keyKind === 'index' && entry.leaf.decision !== 'STORED';

const releasedBy = (decisions: readonly HolderDecision[], key: HolderDecision['of'], good: string): number =>
  new Set(decisions.filter(({ of, decision }) => of === key && decision === good).map(({ member }) => member)).size;

function useOf(
  { data, atMs, transaction }: SettledEvent,
  contributionId: ContributionId,
  isExplained: (jobId: JobId) => boolean,
): PublicUse {
  const { grantId, weight } = data.uses.find((use) => use.contributionId === contributionId)!;
  const own = data.payouts.filter((one) => one.role === 'contributor' && one.contributionId === contributionId);
  return {
    jobId: data.jobId,
    questionId: data.questionId,
    grantId,
    weight,
    paidUnits: sumUnits(own.map(({ amountUnits }) => amountUnits)),
    atMs,
    transaction,
    isExplained: isExplained(data.jobId),
  };
}

async function ownPrivatePayouts(
  context: ClientContext,
  { datasetId }: ContributionView,
): Promise<Pick<Activity, 'privatePayouts' | 'privatePayoutsError'>> {
  try {
    const { daoId } = await context.chain.dataset(datasetId);
    if ((await context.chain.epochsOf(daoId)).length === 0) return { privatePayouts: null, privatePayoutsError: null };
    return { privatePayouts: await privatePayouts(context, daoId), privatePayoutsError: null };
  } catch (error) {
    return { privatePayouts: null, privatePayoutsError: toUsufructError(error).toWire() };
  }
}
