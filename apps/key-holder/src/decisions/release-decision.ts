import { decide } from '@usufruct/consent';
import { refuse, UsufructError, type ContributionId, type GrantId, type HolderSetId } from '@usufruct/kernel';
import type { ContributionView, GrantView } from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { mapSome, orNull } from '../reads.js';
import type { StoredShare } from '../store/shares.js';
import type { ReleaseSession } from './release.js';

const NO_GRANT: GrantId = `0x${'0'.repeat(64)}` as GrantId;

/** What the chain says about one contribution that was asked for; null where it knows none. */
export interface AskedContribution {
  readonly contributionId: ContributionId;
  readonly contribution: ContributionView | null;
  readonly grants: readonly GrantView[];
}

interface Decided {
  readonly contributionId: ContributionId;
  readonly holderSetId: HolderSetId;
  /** 0 where this holder has no share. */
  readonly shareIndex: number;
  readonly grantId: GrantId;
}
/** Either the share (ShareBcs bytes, secret) or the refusal. */
export type ReleaseDecision = Decided &
  ({ readonly share: Uint8Array; readonly refusal: null } | { readonly share: null; readonly refusal: UsufructError });

/** In the order asked. Refuses `CHAIN_UNAVAILABLE`: what cannot be read now is not decided. */
export async function readContributions(
  { chain }: Holder,
  { job }: ReleaseSession,
  ids: readonly ContributionId[],
): Promise<AskedContribution[]> {
  const ofDataset = await chain.contributionsOf(job.datasetId);
  const known = new Map(ofDataset.map((contribution) => [contribution.id, contribution]));
  return mapSome(ids, async (contributionId) => {
    const contribution = known.get(contributionId) ?? (await orNull(chain.contribution(contributionId)));
    const grants = contribution === null ? [] : await chain.grantsOf(contributionId);
    return { contributionId, contribution, grants };
  });
}

/** One contribution: consent as the chain has it now, the registered manifest, and a share that is here. */
export async function decideRelease(
  holder: Holder,
  session: ReleaseSession,
  { contributionId, contribution, grants }: AskedContribution,
): Promise<ReleaseDecision> {
  const { job, dao, dataset, seat } = session;
  const stored = contribution === null ? undefined : holder.shares.find(contribution.manifestDigest);
  const about = {
    contributionId,
    holderSetId: contribution?.holderSetId ?? seat.holderSetId,
    shareIndex: stored?.index ?? 0,
    grantId: NO_GRANT,
  };
  const no = (refusal: UsufructError): ReleaseDecision => ({ ...about, share: null, refusal });
  if (contribution === null) return no(refuse('NOT_FOUND', { contributionId }));
  const manifest = stored && { ...stored, digest: stored.manifestDigest };
  const decision = decide({
    contribution,
    dataset,
    grants,
    dao,
    use: job,
    job,
    nowMs: holder.clock.nowMs(),
    ...(manifest && { manifest }),
  });
  if (!decision.ok) return no(decision.refusal);
  if (stored === undefined) return no(withoutShare(holder, contributionId));
  if (stored.holderSetId !== contribution.holderSetId) return no(refuse('MANIFEST_MISMATCH', { contributionId }));
  const grantId = decision.value.grant.id;
  return openStored(holder, stored, { ...about, grantId });
}

const withoutShare = ({ shares }: Holder, contributionId: ContributionId): UsufructError =>
  shares.countOf(contributionId) > 0
    ? refuse('MANIFEST_MISMATCH', { contributionId })
    : refuse('NOT_FOUND', { contributionId, reason: 'no share of it was deposited with this holder' });

/** A row that does not open says nothing about the others: it is refused, loudly, and the others are released. */
async function openStored(holder: Holder, stored: StoredShare, about: Decided): Promise<ReleaseDecision> {
  try {
    return { ...about, share: await holder.shares.decrypt(stored), refusal: null };
  } catch {
    holder.logger.error('share.broken', { manifestDigest: stored.manifestDigest });
    return { ...about, share: null, refusal: refuse('INTERNAL') };
  }
}
