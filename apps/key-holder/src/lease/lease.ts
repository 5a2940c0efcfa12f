import { seal } from '@usufruct/crypto';
import type { GrantSet } from '@usufruct/consent';
import { asTimestampMs, refuse, toBase64, type TimestampMs, type UsufructError } from '@usufruct/kernel';
import { leasedShareInfo, LIMITS, type LeaseAnswer, type LeasedKey, type LeaseRequest } from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import type { LastLook } from '../last-look.js';
import { leaseEntry } from './entry.js';
import { currentGrants } from './grants-seen.js';
import type { StoredKey } from './leased-key-store.js';
import { openLeaseSession, readAgain, restsOn, standingRefusal, type LeaseSession } from './session.js';
import { superseded } from './superseded.js';
import { destroySuperseded } from './sweep.js';

/**
 * Lease this holder's share of a key to an attested runner, until a moment that the log entry names: ten minutes at
 * most, and no longer than the job, the key and every grant that it rests on last. Only where the grants that this
 * holder sees in force now are those that the key was made for. The decision, a refusal too, is in the log, under a
 * signed head, before the share leaves. A key that is found to be of another version loses its share at once.
 *
 * Refuses as a whole what `openLeaseSession` refuses, and `NOT_FOUND` (no such key was deposited here).
 */
export async function lease(holder: Holder, request: LeaseRequest): Promise<LeaseAnswer> {
  const { keyId } = request;
  const opened = await openLeaseSession(holder, { ...request, action: 'lease', about: () => keyId });
  return holder.lastLooks.decide((look) => leaseOnce(holder, keyId, opened, look));
}

async function leaseOnce(
  holder: Holder,
  keyId: LeaseRequest['keyId'],
  opened: LeaseSession,
  look: LastLook,
): Promise<LeaseAnswer> {
  const grants = await currentGrants(holder, opened);
  const session = await readAgain(holder, opened);
  // After all that takes time: its share may have been destroyed meanwhile.
  const stored = holder.leasedKeys.find(keyId);
  if (stored === undefined) throw refuse('NOT_FOUND', { keyId });
  const refusal = leaseRefusal(session, stored, grants);
  const share = refusal === null ? decrypted(holder, stored) : null;
  const decision = refusal?.code ?? (share === null ? 'INTERNAL' : 'LEASED');
  const leasedUntilMs = share === null ? asTimestampMs(0) : leaseEnd(session, stored.key, grants);
  const sealedShare = share === null ? null : await sealShare(session, stored, share, leasedUntilMs);
  const entry = leaseEntry(
    holder,
    session,
    { keyId, ...namedBy(stored), grants },
    { shareIndex: stored.index, decision, leasedUntilMs },
  );
  const { firstIndex, treeSize, head } = await holder.log.append([entry], session.seat, () => {
    if (share === null) return;
    look.requireCurrent(restsOn(session, [...grants.usable, ...grants.inForce]));
    holder.withdrawnRunners.requireOther(session.dao.id, session.claims.signingPublicKey);
    requireLiving(holder, keyId);
    holder.givenForJobs.note(session.job, grants.usable, session.nowMs);
  });
  holder.logger.info('lease.decided', { jobId: session.job.id, keyId, decision, standIn: session.claims.standIn });
  if (decision === 'KEY_SUPERSEDED') await destroySuperseded(holder, [stored]);
  const inclusionProof = holder.log.inclusionProof(firstIndex, treeSize);
  return {
    leaf: toBase64(entry.leaf),
    leafIndex: firstIndex,
    inclusionProof,
    head,
    ...(sealedShare && { sealedShare }),
  };
}

/** What was read before it was destroyed does not leave afterwards. */
function requireLiving({ leasedKeys }: Holder, keyId: StoredKey['keyId']): void {
  if ((leasedKeys.find(keyId)?.encrypted ?? null) === null)
    throw refuse('KEY_SUPERSEDED', { reason: 'its share was destroyed' });
}

const namedBy = ({ key: { keyKind, datasetId } }: StoredKey) => ({ keyKind, datasetId });

function leaseRefusal(session: LeaseSession, { key, encrypted }: StoredKey, grants: GrantSet): UsufructError | null {
  const { job, dao, seat, nowMs } = session;
  if (key.datasetId !== job.datasetId) return refuse('DATASET_MISMATCH', { datasetId: job.datasetId });
  const standing = standingRefusal(session);
  if (standing !== null) return standing;
  if (key.purpose !== job.purpose || key.kind !== job.kind || key.protection !== job.protection) {
    return refuse('SCOPE_MISMATCH', { purpose: key.purpose, kind: key.kind, protection: key.protection });
  }
  if (key.keyKind === 'checkpoint' && key.jobId !== job.id) {
    return refuse('SCOPE_MISMATCH', { keyKind: key.keyKind, jobId: key.jobId });
  }
  if (encrypted === null) return refuse('KEY_SUPERSEDED', { reason: 'its share was destroyed' });
  return superseded(key, { grants, dao, set: seat.set, nowMs });
}

/** A row that does not open is refused, loudly. */
function decrypted({ leasedKeys, logger }: Holder, { keyId, encrypted }: StoredKey): Uint8Array | null {
  try {
    return encrypted === null ? null : leasedKeys.decrypt(keyId, encrypted);
  } catch {
    logger.error('lease.share_broken', { keyId });
    return null;
  }
}

const leaseEnd = ({ job, nowMs }: LeaseSession, key: LeasedKey, grants: GrantSet): TimestampMs =>
  asTimestampMs(
    Math.min(
      nowMs + LIMITS.sessionTermMs,
      job.expiresAtMs,
      key.expiresAtMs,
      grants.changesAtMs ?? Number.MAX_SAFE_INTEGER,
    ),
  );

async function sealShare(
  { seat, dao, job, challenge, claims }: LeaseSession,
  { keyId }: StoredKey,
  share: Uint8Array,
  leasedUntilMs: TimestampMs,
): Promise<string> {
  const { chainId, packageId } = seat.info;
  const { policyDigest } = dao;
  try {
    const sealed = await seal({
      recipientPublicKey: claims.hpkePublicKey,
      info: leasedShareInfo({ chainId, packageId, policyDigest, challenge, jobId: job.id, keyId, leasedUntilMs }),
      aad: new Uint8Array(),
      plaintext: share,
    });
    return toBase64(sealed);
  } finally {
    share.fill(0);
  }
}
