import { sign } from '@usufruct/crypto';
import { toBase64, type ContributionId, type Digest, type ErrorCode, type HolderSetId } from '@usufruct/kernel';
import {
  contributionListDigest,
  NO_EVIDENCE,
  ReleaseRequestBcs,
  TAGS,
  type DaoView,
  type EvidenceBundle,
  type HolderSetView,
  type JobView,
} from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import { enough } from './enough.js';
import {
  ANSWER_GRACE_MS,
  challengeMembers,
  evidenceFor,
  placesOf,
  type ChallengedMember,
  type LocatedMember,
} from './members.js';
import { verifyReleaseAnswer, type MemberRelease, type ReleasedShare, type ReleaseExpected } from './verify-release.js';

/** A contribution whose key is wanted, and the holder set that has its shares. */
export interface KeyWanted {
  readonly contributionId: ContributionId;
  readonly holderSetId: HolderSetId;
}

export interface KeysReleased {
  readonly evidenceDigest: Digest;
  /** Shares that came with a proof that their release is in the holder's log; unordered, of one or more polynomials. */
  readonly shares: ReadonlyMap<ContributionId, readonly ReleasedShare[]>;
  /** Why a holder refused, where one did. */
  readonly refusals: ReadonlyMap<ContributionId, ErrorCode>;
}

interface SetMember extends LocatedMember {
  readonly set: HolderSetView;
}

/**
 * Ask the holders for their shares: one challenge from each member of each set, one evidence bundle over all of them,
 * one request to each, for all of its contributions at once. Members that do not answer, that keep the others waiting,
 * or whose answer does not verify, are passed over and named in the log: whether enough shares came is for whoever
 * combines them. Where too few verified and somebody was not waited for, all are asked again and waited for: who was
 * quick to claim a place may have none.
 */
export async function releaseKeys(
  context: RunnerContext,
  job: JobView,
  dao: DaoView,
  wanted: readonly KeyWanted[],
): Promise<KeysReleased> {
  const hasty = await releaseRound(context, { job, dao, wanted, isPatient: false });
  const isOver = hasty.isEnough || hasty.isWhole;
  return (isOver ? hasty : await releaseRound(context, { job, dao, wanted, isPatient: true })).keys;
}

interface ReleaseRound {
  readonly job: JobView;
  readonly dao: DaoView;
  readonly wanted: readonly KeyWanted[];
  readonly isPatient: boolean;
}
interface RoundReleased {
  readonly keys: KeysReleased;
  /** As many members as are needed have answered, whatever they decided. */
  readonly isEnough: boolean;
  readonly isWhole: boolean;
}

async function releaseRound(context: RunnerContext, round: ReleaseRound): Promise<RoundReleased> {
  const { job, dao, wanted } = round;
  const info = await context.chain.info();
  const sets = await challengedSets(context, info.chainId, round);
  const challenged = sets.flatMap((set) => set.members);
  const isWhole = sets.every((set) => set.isWhole);
  const shares = new Map<ContributionId, ReleasedShare[]>();
  const refusals = new Map<ContributionId, ErrorCode>();
  if (challenged.length === 0) {
    return { keys: { evidenceDigest: NO_EVIDENCE, shares, refusals }, isEnough: false, isWhole };
  }
  const { bundle, evidenceDigest } = await evidenceFor(context, challenged, job.id);
  const measurement = await context.device.measurement();
  const asked = challenged.map(async (one): Promise<Answered> => {
    const contributionIds = wanted.filter((key) => key.holderSetId === one.set.id).map((key) => key.contributionId);
    const expected = { info, job, dao, measurement, contributionIds, evidenceDigest };
    return { set: one.set, member: one.member, releases: await askMember(context, one, bundle, expected) };
  });
  const answers = await enough(asked, { isEnough: haveThreshold(challenged), graceMs: ANSWER_GRACE_MS }, (i, reason) =>
    context.logger.warn('release.member_passed_over', passedOver(challenged[i]!, reason)),
  );
  const came = answers.filter((answer) => answer !== null);
  for (const { releases } of came) collect(releases, shares, refusals);
  const isEnough = sets.every(({ set, needed }) => placesOf(came.filter((one) => one.set.id === set.id)) >= needed);
  return { keys: { evidenceDigest, shares, refusals }, isEnough, isWhole };
}

const passedOver = ({ holder, member }: LocatedMember, reason: unknown) => ({
  member,
  holder: holder.name,
  code: typeof reason === 'object' && reason !== null && 'code' in reason ? reason.code : 'INTERNAL',
});

interface Answered {
  readonly set: HolderSetView;
  readonly member: number;
  readonly releases: readonly MemberRelease[];
}

/** Of each set so many members released everything that the threshold is reached without the others. */
function haveThreshold(asked: readonly SetMember[]): (answers: readonly Answered[]) => boolean {
  const sets = [...new Map(asked.map(({ set }) => [set.id, set])).values()];
  return (answers) =>
    sets.every(({ id, threshold }) => {
      const whole = answers.filter(({ set, releases }) => set.id === id && releases.every((one) => 'share' in one));
      return placesOf(whole) >= threshold;
    });
}

interface ChallengedSet {
  readonly set: HolderSetView;
  readonly needed: number;
  readonly members: readonly (SetMember & ChallengedMember)[];
  readonly isWhole: boolean;
}

/** Private payout needs the holders that countersign to have released, so these are waited for as those of the key. */
async function challengedSets(
  context: RunnerContext,
  chainId: string,
  { job, dao, wanted, isPatient }: ReleaseRound,
): Promise<ChallengedSet[]> {
  const setIds = [...new Set(wanted.map((key) => key.holderSetId))];
  return Promise.all(
    setIds.map(async (setId) => {
      const set = await context.chain.holderSet(setId);
      const needed = Math.max(set.threshold, dao.policy.verifierThreshold);
      const request = { for: 'release', jobId: job.id } as const;
      const { challenged, isWhole } = await challengeMembers(context, { set, chainId, request, needed, isPatient });
      return { set, needed, members: challenged.map((member) => ({ ...member, set })), isWhole };
    }),
  );
}

type Asked = Omit<ReleaseExpected, 'set' | 'member' | 'challenge' | 'keys'>;

async function askMember(
  { keys }: RunnerContext,
  { holder, set, member, challenge }: SetMember & ChallengedMember,
  bundle: EvidenceBundle,
  asked: Asked,
): Promise<MemberRelease[]> {
  const { info, job, contributionIds } = asked;
  const message = ReleaseRequestBcs.serialize({
    chainId: info.chainId,
    jobId: job.id,
    challenge,
    asked: contributionListDigest(contributionIds),
  }).toBytes();
  const { secretKey } = keys.signing;
  const answer = await holder.release({
    jobId: job.id,
    challenge: toBase64(challenge),
    bundle,
    contributionIds: [...contributionIds],
    signature: toBase64(await sign({ secretKey, domainTag: TAGS.releaseRequest, message })),
  });
  return verifyReleaseAnswer(answer, { ...asked, set, member, challenge, keys });
}

function collect(
  releases: readonly MemberRelease[],
  shares: Map<ContributionId, ReleasedShare[]>,
  refusals: Map<ContributionId, ErrorCode>,
): void {
  for (const release of releases) {
    if ('share' in release) {
      const known = shares.get(release.contributionId);
      if (known === undefined) shares.set(release.contributionId, [release.share]);
      else known.push(release.share);
    } else {
      refusals.set(release.contributionId, release.refusal);
    }
  }
}
