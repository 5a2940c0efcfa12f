import { MAX_HOLDERS, sign, verifyShare, type Share } from '@usufruct/crypto';
import type { GrantSet } from '@usufruct/consent';
import { asTimestampMs, fromBase64, refuse, toBase64, UsufructError, type Digest } from '@usufruct/kernel';
import {
  decodeLeasedKey,
  decodeShare,
  LeasedShareReceiptBcs,
  leasedKeyId,
  leasedShareSealInfo,
  LIMITS,
  ShareBcs,
  TAGS,
  type DepositLeasedKey,
  type DepositLeasedKeyAnswer,
  type LeasedKey,
} from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { openSealed } from '../sealing/sealed.js';
import { leaseEntry } from './entry.js';
import { currentGrants } from './grants-seen.js';
import { openLeaseSession, readAgain, standingRefusal, type LeaseSession } from './session.js';
import { superseded } from './superseded.js';

/**
 * Take this holder's share of a key that an attested runner made, for the grants that this holder itself sees in force.
 * Stored in one transaction with its log entry, before the receipt is signed. The same key again gives the same receipt
 * and no second entry.
 *
 * Once the runner is known, a refusal is logged, too: those of `useRefusal`, `INVALID_ARGUMENT` (the key is not named as
 * the job is), `SCOPE_MISMATCH`, `NO_USABLE_DATA`, `KEY_SUPERSEDED` (another version; or its share was destroyed),
 * `SEALING_KEY_RETIRED`, `SHARE_INVALID`, `RATE_LIMITED`.
 */
export async function depositLeasedKey(holder: Holder, request: DepositLeasedKey): Promise<DepositLeasedKeyAnswer> {
  const statement = fromBase64(request.key, 'key');
  const key = decodeLeasedKey(statement);
  if (key === null) throw refuse('INVALID_ARGUMENT', { field: 'key', expected: 'a leased key' });
  const keyId = leasedKeyId(statement);
  const opened = await openLeaseSession(holder, {
    ...request,
    jobId: key.jobId,
    action: 'deposit',
    about: () => keyId,
  });
  const grants = await currentGrants(holder, opened);
  const session = await readAgain(holder, opened);
  const { sealedTo, sealedShare } = request;
  const deposited: Deposited = { key, keyId, statement, sealedTo, sealedShare, grants };
  // One at a time: what comes at once finds what is stored, and how many there are.
  return holder.depositing.exclusively(() => store(holder, session, deposited));
}

interface Deposited {
  readonly key: LeasedKey;
  readonly keyId: Digest;
  readonly statement: Uint8Array;
  readonly sealedTo: string;
  readonly sealedShare: string;
  readonly grants: GrantSet;
}

async function store(holder: Holder, session: LeaseSession, deposited: Deposited): Promise<DepositLeasedKeyAnswer> {
  const { key, keyId, statement, grants } = deposited;
  const stored = holder.leasedKeys.find(keyId);
  if (stored !== undefined && stored.encrypted !== null) return receiptOf(holder, key, keyId, stored.index);
  // A key may be named after any dataset: the job's is the one that it is about.
  const about = { keyId, keyKind: key.keyKind, datasetId: session.job.datasetId, grants };
  try {
    if (stored !== undefined) throw refuse('KEY_SUPERSEDED', { reason: 'its share was destroyed' });
    requireForJob(holder, session, key);
    const refusal = standingRefusal(session) ?? supersededNow(session, key, grants);
    if (refusal !== null) throw refusal;
    const share = await openShare(holder, session, deposited);
    const { index } = share;
    const bytes = ShareBcs.serialize(share).toBytes();
    const entry = leaseEntry(holder, session, about, { shareIndex: index, decision: 'STORED' });
    await holder.log.append([entry], session.seat, () => {
      holder.leasedKeys.insert(keyId, key.jobId, statement, { index, bytes }, holder.clock.nowMs());
      holder.givenForJobs.note(session.job, grants.usable, session.nowMs);
    });
    holder.logger.info('lease.stored', { jobId: key.jobId, keyId, keyKind: key.keyKind });
    return await receiptOf(holder, key, keyId, index);
  } catch (error) {
    if (!(error instanceof UsufructError)) throw error;
    const entry = leaseEntry(holder, session, about, { shareIndex: 0, decision: error.code });
    await holder.log.append([entry], session.seat);
    throw error;
  }
}

/** The key says of itself what the chain says of the job, and is of the kind that such a job makes. */
function requireForJob(holder: Holder, { job, seat }: LeaseSession, key: LeasedKey): void {
  const expected = {
    chainId: seat.info.chainId,
    packageId: seat.info.packageId,
    daoId: job.daoId,
    datasetId: job.datasetId,
    purpose: job.purpose,
    kind: job.kind,
    protection: job.protection,
    pricePerQuestionUnits: job.pricePerQuestionUnits,
  };
  for (const field of Object.keys(expected) as (keyof typeof expected)[]) {
    if (key[field] !== expected[field])
      throw refuse('INVALID_ARGUMENT', { field: `key.${field}`, expected: "the job's" });
  }
  if ((key.keyKind === 'index') !== (job.kind === 'rag')) {
    throw refuse('SCOPE_MISMATCH', { keyKind: key.keyKind, kind: job.kind });
  }
  const latestMs =
    key.keyKind === 'checkpoint' ? job.expiresAtMs : holder.clock.nowMs() + LIMITS.indexKeyTermMs + LIMITS.clockSkewMs;
  if (key.expiresAtMs > latestMs) {
    throw refuse('INVALID_ARGUMENT', { field: 'key.expiresAtMs', latestMs: String(asTimestampMs(latestMs)) });
  }
  if (holder.leasedKeys.countOf(job.id) >= LIMITS.leasedKeysPerJob) {
    throw refuse('RATE_LIMITED', { jobId: job.id, limit: 'keys of one job' });
  }
}

function supersededNow({ dao, seat, nowMs }: LeaseSession, key: LeasedKey, grants: GrantSet) {
  if (grants.usable.length === 0) return refuse('NO_USABLE_DATA', { datasetId: key.datasetId });
  return superseded(key, { grants, dao, set: seat.set, nowMs });
}

async function openShare(
  holder: Holder,
  { seat }: LeaseSession,
  { key: { commitments }, keyId, sealedTo, sealedShare }: Deposited,
): Promise<Share> {
  if (commitments.length !== seat.set.threshold || commitments.length > MAX_HOLDERS) {
    throw refuse('SHARE_INVALID', { reason: 'as many commitments as the threshold of the holder set' });
  }
  const sealed = fromBase64(sealedShare, 'sealedShare');
  const share = decodeShare(await openSealed(holder, { sealedTo, info: leasedShareSealInfo(keyId), sealed }));
  const index = seat.member + 1;
  if (share === null || share.index !== index || !liesOn(share, commitments)) {
    throw refuse('SHARE_INVALID', { index: String(index) });
  }
  return share;
}

function liesOn(share: Share, commitments: readonly Uint8Array[]): boolean {
  try {
    return verifyShare(share, commitments);
  } catch {
    return false; // commitments that are no points
  }
}

async function receiptOf(
  { keys }: Holder,
  { holderSetId }: LeasedKey,
  keyId: Digest,
  index: number,
): Promise<DepositLeasedKeyAnswer> {
  const message = LeasedShareReceiptBcs.serialize({ keyId, holderSetId, index }).toBytes();
  const { secretKey } = keys.signing;
  return { index, signature: toBase64(await sign({ secretKey, domainTag: TAGS.leasedShareReceipt, message })) };
}
