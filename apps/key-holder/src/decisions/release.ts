import { seal } from '@usufruct/crypto';
import { concatBytes, refuse, toBase64, type TimestampMs } from '@usufruct/kernel';
import {
  releaseLeaves,
  sealedSharesAad,
  shareReleaseInfo,
  type ReleaseAnswer,
  type ReleaseEntry,
  type ReleaseRequest,
} from '@usufruct/protocol';
import { isErased } from '../erasure/erase.js';
import { seatIn, type Holder } from '../holder.js';
import { decisionTime } from '../freshness.js';
import type { LastLook, RestsOn } from '../last-look.js';
import type { LogEntry } from '../log/release-log.js';
import { mapInSlices } from '../slices.js';
import { decideReleases, readAsked, type AskedContribution, type ReleaseDecision } from './release-decision.js';
import { openSession, type ReleaseSession } from './release-session.js';

/**
 * Release this holder's shares to an attested runner: one challenge and one appraisal, then one decision for each
 * contribution of the list that the runner signed, on this holder's own view of the chain. All decisions, refusals too,
 * are in the log, in one durable transaction with the signed head that covers them, before any share leaves; the shares
 * leave in one message that opens as a whole or not at all (`shareReleaseInfo`).
 *
 * The whole request is refused, and not logged, as long as nothing proves who asks: `CHALLENGE_*`, `NOT_FOUND` (the
 * job), `FORBIDDEN` (no seat, or an anomaly, which is kept), `RUNNER_NOT_REGISTERED` (withdrawn), `ATTESTATION_REFUSED`, `PROFILE_UNSUPPORTED`,
 * `SIGNATURE_INVALID` (the attested key did not sign this list), `RATE_LIMITED`, `INVALID_ARGUMENT` (the attested HPKE
 * key is no key), `CHAIN_UNAVAILABLE`, `LOG_BEHIND` (the chain knows a longer log of this holder).
 *
 * What ends on the chain between two of its readings is seen by the last of them, and decided anew (`LastLooks`).
 */
export async function release(holder: Holder, request: ReleaseRequest): Promise<ReleaseAnswer> {
  const opened = await openSession(holder, request);
  return holder.lastLooks.decide((look) => releaseOnce(holder, request, opened, look));
}

async function releaseOnce(
  holder: Holder,
  request: ReleaseRequest,
  opened: ReleaseSession,
  look: LastLook,
): Promise<ReleaseAnswer> {
  const erasedBefore = holder.erasures.count();
  const asked = await readAsked(holder, request.contributionIds);
  const session = await readAgain(holder, opened);
  const decidedAtMs = await decisionTime(holder);
  const decisions = await decideReleases(holder, session, asked, decidedAtMs);
  const entries = decisions.map(({ entry }) => entry);
  const sealedShares = await sealShares(session, decisions);
  const { firstIndex, treeSize, head } = await holder.log.append(
    await leavesOf(session, request, entries, decidedAtMs),
    session.seat,
    () => {
      // A refusal harms nobody by being a moment old.
      if (decisions.some(({ share }) => share !== null)) {
        look.requireCurrent(restsOn(session, decisions, decidedAtMs));
        holder.withdrawnRunners.requireOther(session.dao.id, session.claims.signingPublicKey);
        session.requireStillNoAnomaly();
      }
      if (holder.erasures.count() !== erasedBefore) requireNoneErased(holder, decisions);
      holder.requests.count(session.by, decidedAtMs);
      const given = decisions.filter(({ share }) => share !== null).map(({ contributionId }) => contributionId);
      holder.givenForJobs.note(session.job, given, decidedAtMs);
    },
  );
  const inclusionProof = holder.log.rangeProof(firstIndex, entries.length, treeSize);
  report(holder, session, decisions);
  const reshared = resharedOf(decisions, asked);
  return {
    entries,
    decidedAtMs,
    firstIndex,
    inclusionProof,
    head,
    ...(reshared.length > 0 && { reshared }),
    ...(sealedShares && { sealedShares }),
  };
}

/**
 * What counts for all of them is read last, and the decision judges the attestation by it once more: while thousands of
 * grants are read, the DAO may withdraw a measurement and the requester close the job.
 */
async function readAgain(holder: Holder, session: ReleaseSession): Promise<ReleaseSession> {
  const { chain } = holder;
  const { id: jobId } = session.job;
  const [job, dao, dataset] = await Promise.all([
    chain.job(jobId),
    chain.dao(session.dao.id),
    chain.dataset(session.dataset.id),
  ]);
  return { ...session, job, dao, dataset, seat: await seatIn(holder, dao.policy.holderSetId) };
}

const restsOn = (
  { job, dao, dataset, seat: { set } }: ReleaseSession,
  decisions: readonly ReleaseDecision[],
  decidedAtMs: TimestampMs,
): RestsOn => {
  const released = decisions.filter(({ share }) => share !== null);
  const others = [dataset.id, ...released.flatMap(({ contributionId, entry }) => [contributionId, entry.grantId])];
  return { job, dao, set, others, decidedAtMs };
};

/** What was read before it was destroyed does not leave after the word that it was. */
function requireNoneErased(holder: Holder, decisions: readonly ReleaseDecision[]): void {
  for (const { contributionId, share } of decisions) {
    if (share !== null && isErased(holder, contributionId)) throw refuse('TOMBSTONED', { contributionId });
  }
}

/** Shares combine only with others on their polynomial, so the runner is told which of them are not on the manifest's. */
const resharedOf = (
  decisions: readonly ReleaseDecision[],
  asked: readonly AskedContribution[],
): NonNullable<ReleaseAnswer['reshared']> =>
  decisions.flatMap(({ share }, entry) => {
    const stored = asked[entry]?.stored;
    if (share === null || stored === undefined || stored.commitments === null) return [];
    return [{ entry, version: stored.version, commitments: toBase64(stored.commitments) }];
  });

/** One message with all that is released, or null. */
async function sealShares(session: ReleaseSession, decisions: readonly ReleaseDecision[]): Promise<string | null> {
  const released = decisions.flatMap(({ contributionId, share }) =>
    share === null ? [] : [{ contributionId, share }],
  );
  if (released.length === 0) return null;
  const { seat, dao, job, challenge, asked, claims } = session;
  const { chainId, packageId } = seat.info;
  const plaintext = concatBytes(...released.map(({ share }) => share));
  try {
    const sealed = await seal({
      recipientPublicKey: claims.hpkePublicKey,
      info: shareReleaseInfo({ chainId, packageId, policyDigest: dao.policyDigest, challenge, jobId: job.id, asked }),
      aad: sealedSharesAad(released.map(({ contributionId }) => contributionId)),
      plaintext,
    });
    return toBase64(sealed);
  } catch (cause) {
    // Found out before, by `openSession`: a key that was one then is one now.
    throw refuse('INTERNAL', {}, cause);
  } finally {
    plaintext.fill(0);
    for (const { share } of released) share.fill(0);
  }
}

async function leavesOf(
  { job, claims }: ReleaseSession,
  { contributionIds }: ReleaseRequest,
  entries: readonly ReleaseEntry[],
  atMs: ReleaseAnswer['decidedAtMs'],
): Promise<LogEntry[]> {
  const common = {
    jobId: job.id,
    datasetId: job.datasetId,
    purpose: job.purpose,
    kind: job.kind,
    protection: job.protection,
    measurement: claims.measurement,
    runnerSigningKey: claims.signingPublicKey,
    evidenceDigest: claims.evidenceDigest,
    atMs,
  };
  const leaves = releaseLeaves(common, contributionIds, entries);
  return mapInSlices(contributionIds, (subject) => ({ subject, leaf: leaves.next().value! }));
}

function report({ logger }: Holder, { job, claims }: ReleaseSession, decisions: readonly ReleaseDecision[]): void {
  const refused = decisions.filter(({ entry }) => entry.decision !== 'RELEASED');
  const released = decisions.length - refused.length;
  logger.info('release.decided', { jobId: job.id, released, refused: refused.length, standIn: claims.standIn });
  for (const { contributionId, entry } of refused.slice(0, 16)) {
    logger.info('release.refused', { jobId: job.id, contributionId, code: entry.decision });
  }
}
