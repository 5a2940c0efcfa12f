import { grantSetOf, type GrantSet } from '@usufruct/consent';
import { deal, deriveSessionKey, keyCommitment, seal, verify, type Share } from '@usufruct/crypto';
import { asTimestampMs, fromBase64, refuse, toBase64, type Digest, type TimestampMs } from '@usufruct/kernel';
import {
  decodeLeasedKey,
  encodeLeasedKey,
  LeasedShareReceiptBcs,
  leasedKeyId,
  leasedShareSealInfo,
  LIMITS,
  requireSealingKey,
  ShareBcs,
  TAGS,
  type ChainInfo,
  type DaoView,
  type HolderSetView,
  type JobView,
  type LeasedKey,
} from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import { askHolders, type MemberAsked } from './ask-holders.js';
import { combineGood } from './combine-good.js';
import { holderFlaw } from './holder-flaw.js';
import { Lease } from './lease.js';
import { verifyLeaseAnswer } from './verify-lease.js';

/** For which job, as the chain has it now. */
export interface LeaseWork {
  readonly job: JobView;
  readonly dao: DaoView;
  /** The grants as they were just read; read anew without. */
  readonly grants?: GrantSet;
}

export interface NewLeasedKey {
  /** LeasedKey bytes: public, to be kept beside what the key encrypts, and bound to it (`keyId` as associated data). */
  readonly statement: Uint8Array;
  readonly keyId: Digest;
  readonly lease: Lease;
  /** Holders that have their share: as many as the threshold may be lost less than this. */
  readonly storedBy: number;
}

export interface LeasedAgain {
  readonly lease: Lease;
  /** Of the bundle that was shown for it. */
  readonly evidenceDigest: Digest;
}

/**
 * Make a key for an index over the job's dataset, or for the job's checkpoints, and share it among the DAO's holders:
 * each takes its share only for the grants that it sees in force itself. What is to be encrypted must be derived from
 * no other contributions than those that may be used now. The key is the runner's for as long as a lease would be.
 *
 * Refuses `NO_USABLE_DATA`, what the holders refuse (`KEY_SUPERSEDED` where the grants changed on the way: try again),
 * and `SHARES_INSUFFICIENT` where fewer than the threshold took their share.
 */
export async function makeLeasedKey(context: RunnerContext, work: LeaseWork): Promise<NewLeasedKey> {
  const { job, dao } = work;
  const [info, set, grants] = await Promise.all([
    context.chain.info(),
    context.chain.holderSet(dao.policy.holderSetId),
    work.grants ?? grantsNow(context, job),
  ]);
  if (grants.usable.length === 0) throw refuse('NO_USABLE_DATA', { datasetId: job.datasetId });
  const dealt = deal({ threshold: set.threshold, holderCount: set.members.length, random: context.random });
  const made = keyOf(dealt.secret, dealt.commitments);
  const nowMs = context.clock.nowMs();
  const isIndex = job.kind === 'rag';
  const key: LeasedKey = {
    chainId: info.chainId,
    packageId: info.packageId,
    daoId: dao.id,
    datasetId: job.datasetId,
    holderSetId: set.id,
    holderSetVersion: set.version,
    keyKind: isIndex ? 'index' : 'checkpoint',
    jobId: job.id,
    purpose: job.purpose,
    kind: job.kind,
    protection: job.protection,
    pricePerQuestionUnits: job.pricePerQuestionUnits,
    grantSetVersion: grants.version,
    expiresAtMs: isIndex ? asTimestampMs(nowMs + LIMITS.indexKeyTermMs) : job.expiresAtMs,
    commitments: dealt.commitments,
    keyCommitment: made.commitment,
  };
  const statement = encodeLeasedKey(key);
  const keyId = leasedKeyId(statement);
  const question = { job, dao, set, action: 'deposit', about: keyId, needed: set.threshold } as const;
  const receipts = await askHolders(context, question, (asked) =>
    deposit(context, asked, { info, set, keyId, statement, share: dealt.shares[asked.member]! }),
  ).finally(() => {
    for (const { value } of dealt.shares) value.fill(0);
  });
  const lease = new Lease(keyId, ownEnd(nowMs, job, grants), made.bytes);
  return { statement, keyId, lease, storedBy: receipts.length };
}

/**
 * Lease a key again, in this job or a later one for the same use. The statement comes from wherever the ciphertext was
 * kept, so it is nobody's word: the holders know the key by it or not at all, and give their shares only while the
 * grants that they see are those that it was made for.
 *
 * Refuses `KEY_SUPERSEDED` (make it anew), what else the holders refuse, `SHARES_INSUFFICIENT`, `SHARE_INVALID`,
 * `KEY_COMMITMENT_MISMATCH` and `INVALID_ARGUMENT` (no statement).
 */
export async function leaseKey(context: RunnerContext, work: LeaseWork, statement: Uint8Array): Promise<LeasedAgain> {
  const key = decodeLeasedKey(statement);
  if (key === null) throw refuse('INVALID_ARGUMENT', { field: 'statement' });
  const { job, dao } = work;
  const keyId = leasedKeyId(statement);
  const [info, set, grants, measurement] = await Promise.all([
    context.chain.info(),
    context.chain.holderSet(dao.policy.holderSetId),
    work.grants ?? grantsNow(context, job),
    context.device.measurement(),
  ]);
  // The holders decide; what this runner can see for itself it does not ask them.
  if (key.grantSetVersion !== grants.version) throw refuse('KEY_SUPERSEDED', { keyId });
  // Who has to countersign a private payout vouches only for what is in its own log.
  const needed = job.payoutMode === 'epoch' ? Math.max(set.threshold, dao.policy.verifierThreshold) : set.threshold;
  const question = { job, dao, set, action: 'lease', about: keyId, needed } as const;
  const leased = await askHolders(context, question, async (asked) => {
    const answer = await asked.holder.lease({ jobId: job.id, keyId, ...asked.proof });
    const expected = { ...asked, info, job, dao, set, key, keyId, measurement, keys: context.keys };
    return { ...(await verifyLeaseAnswer(answer, expected)), evidenceDigest: asked.evidenceDigest };
  });
  const made = keyOf(
    combineGood(
      leased.map(({ share }) => share),
      key.commitments,
    ),
    key.commitments,
  );
  if (made.commitment !== key.keyCommitment) {
    made.bytes.fill(0);
    throw refuse('KEY_COMMITMENT_MISMATCH', { keyId });
  }
  const ends = leased.map(({ leasedUntilMs }) => leasedUntilMs);
  const endsAtMs = asTimestampMs(Math.min(ownEnd(context.clock.nowMs(), job, grants), ...ends));
  return { lease: new Lease(keyId, endsAtMs, made.bytes), evidenceDigest: leased[0]!.evidenceDigest };
}

/** The grants that count for the job's use, on this runner's own view of the chain. Refuses `CHAIN_UNAVAILABLE`. */
export async function grantsNow(
  { chain, clock }: Pick<RunnerContext, 'chain' | 'clock'>,
  job: JobView,
): Promise<GrantSet> {
  const contributions = await chain.contributionsOf(job.datasetId);
  const grants = await chain.grantsOfEach(contributions.map(({ id }) => id));
  return grantSetOf({
    dataset: { id: job.datasetId },
    contributions: contributions.map((contribution, i) => ({ contribution, grants: grants[i] ?? [] })),
    use: job,
    nowMs: clock.nowMs(),
  });
}

/** No longer than a session, the job, and every grant that the key rests on. */
const ownEnd = (nowMs: TimestampMs, job: JobView, { changesAtMs }: GrantSet): TimestampMs =>
  asTimestampMs(Math.min(nowMs + LIMITS.sessionTermMs, job.expiresAtMs, changesAtMs ?? job.expiresAtMs));

/** The key that follows from the secret, in the context of its public point; the secret is forgotten. */
function keyOf(secret: Uint8Array, commitments: readonly Uint8Array[]): { bytes: Uint8Array; commitment: Digest } {
  const context = commitments[0]!;
  const bytes = deriveSessionKey({ domainTag: TAGS.leasedKeyUse, secret, context });
  secret.fill(0);
  return { bytes, commitment: keyCommitment({ domainTag: TAGS.leasedKeyCommitment, sessionKey: bytes, context }) };
}

interface MadeKey {
  readonly info: ChainInfo;
  readonly set: HolderSetView;
  readonly keyId: Digest;
  readonly statement: Uint8Array;
  readonly share: Share;
}

/**
 * Its receipt, which names this key and its place, or `UPSTREAM_INVALID`; `SEALING_KEY_INVALID` where what it says of
 * the key to seal to is not its word. It is asked each time: keys are made once an index or job, and theirs change.
 */
async function deposit(
  { clock }: RunnerContext,
  { holder, member: position, proof }: MemberAsked,
  { info, set, keyId, statement, share }: MadeKey,
): Promise<{ readonly member: number }> {
  // Before anything is waited for: the share is wiped as soon as enough others have theirs.
  const plaintext = ShareBcs.serialize(share).toBytes();
  const member = set.members[position]!;
  const { chainId, packageId } = info;
  const expected = { member, chainId, packageId, nowMs: clock.nowMs(), verify };
  const { publicKey: sealedTo } = await requireSealingKey(await holder.sealingKey(), expected);
  const sealInfo = leasedShareSealInfo(keyId);
  const sealedShare = await seal({ recipientPublicKey: sealedTo, info: sealInfo, aad: new Uint8Array(), plaintext });
  plaintext.fill(0);
  const answer = await holder.depositLeasedKey({
    key: toBase64(statement),
    sealedTo: toBase64(sealedTo),
    sealedShare: toBase64(sealedShare),
    ...proof,
  });
  const isSigned = await verify({
    publicKey: fromBase64(member.signingPublicKey),
    domainTag: TAGS.leasedShareReceipt,
    message: LeasedShareReceiptBcs.serialize({ keyId, holderSetId: set.id, index: position + 1 }).toBytes(),
    signature: fromBase64(answer.signature),
  });
  if (!isSigned) throw holderFlaw('signature');
  return { member: position };
}
