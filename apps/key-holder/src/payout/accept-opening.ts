import { open, sign } from '@usufruct/crypto';
import { fromBase64, refuse, toBase64, type DaoId, type Digest } from '@usufruct/kernel';
import { readOpening, type ReadOpening } from '@usufruct/ledger';
import { OpeningAckBcs, openingSealInfo, TAGS, type DeliverOpening, type OpeningAck } from '@usufruct/protocol';
import { seatIn, type Holder } from '../holder.js';
import { judgeOpening } from './judge-opening.js';

/** Beside one for each question: a runner that lost its store may have answered some of them twice. */
const SPARE_OPENINGS_PER_JOB = 64;

/**
 * Take the opening of a receipt, before or after it is settled, from whoever brings it: what it says is the word of the
 * runner that signed the receipt. Judged, stored, then acknowledged; the same one again gives the same signature, and
 * takes the place of one that no longer opens here.
 *
 * Refuses `RECEIPT_INVALID` when it does not open as one sealed to this holder for this receipt, what `judgeOpening`
 * refuses, `FORBIDDEN` (no seat), `TOMBSTONED` (this holder), `RATE_LIMITED`, and `LOG_BEHIND`: what it acknowledges now
 * would be gone when its operator restores a newer backup.
 */
export async function acceptOpening(holder: Holder, request: DeliverOpening): Promise<OpeningAck> {
  const { receiptDigest } = request;
  await holder.caughtUp.require();
  const read = await openSealed(holder, request);
  const known = await daoOfStored(holder, read);
  if (known !== null) return ackOf(holder, known, receiptDigest);
  const { job, dao } = await judgeOpening(holder, read);
  await seatIn(holder, dao.policy.holderSetId);
  const atMost = job.maxQuestions + SPARE_OPENINGS_PER_JOB;
  await holder.openings.insert(dao.id, read, { atMost, storedAtMs: holder.clock.nowMs() });
  holder.logger.info('opening.stored', { jobId: job.id, receiptDigest });
  return ackOf(holder, dao.id, receiptDigest);
}

async function openSealed({ keys }: Holder, { receiptDigest, sealedOpening }: DeliverOpening): Promise<ReadOpening> {
  const bytes = await open({
    privateKey: keys.sealing.privateKey,
    info: openingSealInfo(receiptDigest),
    aad: new Uint8Array(),
    sealed: fromBase64(sealedOpening, 'sealedOpening'),
  }).catch((cause: unknown) => {
    throw refuse('RECEIPT_INVALID', { check: 'sealed' }, cause);
  });
  const read = readOpening(bytes);
  if (read.digest !== receiptDigest) throw refuse('RECEIPT_INVALID', { check: 'digest' });
  return read;
}

async function daoOfStored({ chain, openings }: Holder, { digest, receipt }: ReadOpening): Promise<DaoId | null> {
  if (!openings.has(digest)) return null;
  const { daoId } = await chain.job(receipt.jobId);
  return (await openings.find(daoId, digest)) === null ? null : daoId;
}

async function ackOf({ chain, keys }: Holder, daoId: DaoId, receiptDigest: Digest): Promise<OpeningAck> {
  const { chainId } = await chain.info();
  const message = OpeningAckBcs.serialize({ chainId, daoId, receiptDigest }).toBytes();
  const { secretKey } = keys.signing;
  return { receiptDigest, signature: toBase64(await sign({ secretKey, domainTag: TAGS.openingAck, message })) };
}
