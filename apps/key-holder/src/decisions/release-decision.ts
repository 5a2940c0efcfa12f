import { decide } from '@usufruct/consent';
import { type ContributionId, type ErrorCode, type GrantId, type TimestampMs } from '@usufruct/kernel';
import { SHARE_BYTES, type ContributionView, type GrantView, type ReleaseEntry } from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { mapInSlices } from '../slices.js';
import type { StoredShare } from '../store/shares.js';
import type { ReleaseSession } from './release-session.js';

const NO_GRANT: GrantId = `0x${'0'.repeat(64)}` as GrantId;

/** What the chain and this holder's own store say about one contribution that was asked for. */
export interface AskedContribution {
  readonly contributionId: ContributionId;
  /** Null where the chain knows none. */
  readonly contribution: ContributionView | null;
  readonly grants: readonly GrantView[];
  /** Of the registered manifest. */
  readonly stored: StoredShare | undefined;
}

export interface ReleaseDecision {
  readonly contributionId: ContributionId;
  readonly entry: ReleaseEntry;
  /** ShareBcs bytes, secret; null when it is refused. */
  readonly share: Uint8Array | null;
}

/** In the order asked. Refuses `CHAIN_UNAVAILABLE`: what cannot be read now is not decided. */
export async function readAsked(
  { chain, shares }: Holder,
  ids: readonly ContributionId[],
): Promise<AskedContribution[]> {
  // Grants last: a revocation counts up to the moment at which it is read.
  const contributions = await chain.contributions(ids);
  const grants = await chain.grantsOfEach(ids);
  const stored = shares.findMany(contributions.map((contribution) => contribution?.manifestDigest ?? null));
  return ids.map((contributionId, i) => ({
    contributionId,
    contribution: contributions[i] ?? null,
    grants: grants[i] ?? [],
    stored: stored[i],
  }));
}

/**
 * Each contribution on its own: consent as the chain has it, the evidence of who asks, the registered manifest, and a
 * share that is here. But a request that names a contribution of another dataset releases nothing at all: no job needs
 * one, so it is flagged, and whoever asked so gets nothing more for this job.
 */
export async function decideReleases(
  holder: Holder,
  session: ReleaseSession,
  asked: readonly AskedContribution[],
  nowMs: TimestampMs,
): Promise<ReleaseDecision[]> {
  const judged = await mapInSlices(asked, (one) => judge(holder, session, one, nowMs));
  const isForeign = asked.some(
    ({ contribution }) => contribution !== null && contribution.datasetId !== session.dataset.id,
  );
  if (isForeign) {
    session.flag('other-dataset');
    return judged.map(({ entry, contributionId }) => {
      const decision = entry.decision === 'RELEASED' ? 'FORBIDDEN' : entry.decision;
      return { contributionId, entry: { ...entry, decision }, share: null };
    });
  }
  const opened = await holder.shares.decryptMany(
    judged.map(({ entry }, i) => (entry.decision === 'RELEASED' ? asked[i]!.stored : undefined)),
  );
  return judged.map((one, i) => withShare(holder, one, asked[i]!, opened[i] ?? null));
}

type Judged = Pick<ReleaseDecision, 'contributionId' | 'entry'>;

/** Pure, but for what it looks up when no share is here: the same input always gives the same entry. */
function judge(
  holder: Holder,
  { job, dao, dataset, seat, attestation }: ReleaseSession,
  { contributionId, contribution, grants, stored }: AskedContribution,
  nowMs: TimestampMs,
): Judged {
  const about = {
    holderSetId: contribution?.holderSetId ?? seat.holderSetId,
    shareIndex: stored?.index ?? 0,
    grantId: NO_GRANT,
  };
  const no = (decision: ErrorCode): Judged => ({ contributionId, entry: { ...about, decision } });
  if (contribution === null) return no('NOT_FOUND');
  const manifest = stored && { ...stored, digest: stored.manifestDigest };
  const decision = decide({
    contribution,
    dataset,
    grants,
    dao,
    use: job,
    job,
    attestation,
    mustJudge: ['job', 'attestation'],
    nowMs,
    ...(manifest && { manifest }),
  });
  if (!decision.ok) return no(decision.refusal.code);
  // Without a share of the registered manifest there may be one of another, which was dealt before or instead.
  if (stored === undefined) return no(holder.shares.countOf(contributionId) > 0 ? 'MANIFEST_MISMATCH' : 'NOT_FOUND');
  if (stored.holderSetId !== contribution.holderSetId) return no('MANIFEST_MISMATCH');
  return { contributionId, entry: { ...about, grantId: decision.value.grant.id, decision: 'RELEASED' } };
}

/** A row that does not open says nothing about the others: it is refused, loudly, and the others are released. */
function withShare(
  { logger }: Holder,
  { contributionId, entry }: Judged,
  { stored }: AskedContribution,
  share: Uint8Array | null,
): ReleaseDecision {
  if (entry.decision !== 'RELEASED' || share?.length === SHARE_BYTES) return { contributionId, entry, share };
  logger.error('share.broken', { manifestDigest: stored?.manifestDigest });
  return { contributionId, entry: { ...entry, decision: 'INTERNAL' }, share: null };
}
