import { makeEvidence } from '@usufruct/attestation';
import type { Share } from '@usufruct/crypto';
import { toBase64, type ContributionId, type Digest, type ErrorCode, type HolderSetId } from '@usufruct/kernel';
import {
  evidenceDigest,
  NO_EVIDENCE,
  type DaoView,
  type EvidenceBundle,
  type HolderSetView,
  type JobView,
} from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import { challengesOf, locateMembers, type ChallengedMember, type LocatedMember } from './members.js';
import { verifyReleaseAnswer, type MemberRelease } from './verify-release.js';

/** A contribution whose key is wanted, and the holder set that has its shares. */
export interface KeyWanted {
  readonly contributionId: ContributionId;
  readonly holderSetId: HolderSetId;
}

export interface KeysReleased {
  readonly evidenceDigest: Digest;
  /** Shares that came with a proof that their release is in the holder's log; unordered, of different indexes. */
  readonly shares: ReadonlyMap<ContributionId, readonly Share[]>;
  /** Why a holder refused, where one did. */
  readonly refusals: ReadonlyMap<ContributionId, ErrorCode>;
}

interface SetMember extends LocatedMember {
  readonly set: HolderSetView;
}

/**
 * Ask the holders for their shares: one challenge from each member of each set, one evidence bundle over all of them,
 * one request to each. Members that do not answer, or whose answer does not verify, are passed over: whether enough
 * shares came is for whoever combines them.
 */
export async function releaseKeys(
  context: RunnerContext,
  job: JobView,
  dao: DaoView,
  wanted: readonly KeyWanted[],
): Promise<KeysReleased> {
  const info = await context.chain.info();
  const members = await membersOf(context, info.chainId, wanted);
  const challenged = await challengesOf(members, { for: 'release', jobId: job.id });
  const shares = new Map<ContributionId, Share[]>();
  const refusals = new Map<ContributionId, ErrorCode>();
  if (challenged.length === 0) return { evidenceDigest: NO_EVIDENCE, shares, refusals };
  const bundle = await makeEvidence(context.device, {
    challenges: challenged.map(({ challenge }) => challenge),
    jobId: job.id,
    keys: context.keys.bound,
  });
  const measurement = await context.device.measurement();
  const answers = await Promise.allSettled(
    challenged.map((member) =>
      askMember(context, member, bundle, {
        info,
        job,
        dao,
        measurement,
        contributionIds: wanted.filter((key) => key.holderSetId === member.set.id).map((key) => key.contributionId),
      }),
    ),
  );
  answers.forEach((answer, i) => {
    if (answer.status === 'fulfilled') collect(answer.value, shares, refusals);
    else context.logger.warn('release.member_passed_over', passedOver(challenged[i]!, answer.reason));
  });
  return { evidenceDigest: evidenceDigest(bundle), shares, refusals };
}

const passedOver = ({ holder, member }: LocatedMember, reason: unknown) => ({
  member,
  holder: holder.name,
  code: typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : 'INTERNAL',
});

async function membersOf(context: RunnerContext, chainId: string, wanted: readonly KeyWanted[]): Promise<SetMember[]> {
  const setIds = [...new Set(wanted.map((key) => key.holderSetId))];
  const bySet = await Promise.all(
    setIds.map(async (setId) => {
      const set = await context.chain.holderSet(setId);
      const located = await locateMembers(context.holders, set, chainId);
      return located.map((member) => ({ ...member, set }));
    }),
  );
  return bySet.flat();
}

type Asked = Omit<
  Parameters<typeof verifyReleaseAnswer>[1],
  'set' | 'member' | 'challenge' | 'evidenceDigest' | 'keys'
>;

async function askMember(
  { keys }: RunnerContext,
  { holder, set, member, challenge }: SetMember & ChallengedMember,
  bundle: EvidenceBundle,
  asked: Asked,
): Promise<MemberRelease[]> {
  const { job, contributionIds } = asked;
  const request = { jobId: job.id, challenge: toBase64(challenge), bundle, contributionIds: [...contributionIds] };
  const answer = await holder.release(request);
  return verifyReleaseAnswer(answer, {
    ...asked,
    set,
    member,
    challenge,
    keys,
    evidenceDigest: evidenceDigest(bundle),
  });
}

function collect(
  releases: readonly MemberRelease[],
  shares: Map<ContributionId, Share[]>,
  refusals: Map<ContributionId, ErrorCode>,
): void {
  for (const release of releases) {
    if ('share' in release) {
      shares.set(release.contributionId, [...(shares.get(release.contributionId) ?? []), release.share]);
    } else {
      refusals.set(release.contributionId, release.refusal);
    }
  }
}
