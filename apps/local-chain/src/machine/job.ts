import { asTimestampMs, refuse, toBase64, U64_MAX, ZERO_UNITS, type AmountUnits, type JobId } from '@usufruct/kernel';
import { deriveId, LIMITS, type ChainActionPayloads, type ChainJobState, type JobView } from '@usufruct/protocol';
import { requireInteger, requireKey } from './guards.js';
import { credit, debit } from './money.js';
import { requireOpen } from './pause.js';
import { mustFind, requireNew, requireSender, type Room } from './room.js';
import { requireLiving } from './tombstone.js';

/** Lock the price of every question that may be asked before anything is done for it. */
export function fundJob(room: Room, action: ChainActionPayloads['fundJob']): void {
  const dataset = mustFind(room, 'dataset', action.datasetId);
  const dao = mustFind(room, 'dao', dataset.daoId);
  requireOpen(dao);
  requireLiving(dataset);
  const { id: daoId, policy, policyVersion, payoutRules } = dao;
  if (action.policyVersion !== policyVersion) throw refuse('POLICY_OUTDATED', { current: String(policyVersion) });
  if (action.pricePerQuestionUnits !== policy.pricePerQuestionUnits) {
    throw refuse('INVALID_ARGUMENT', { field: 'pricePerQuestionUnits', expected: "the policy's price" });
  }
  if (!policy.purposes.includes(action.purpose)) throw refuse('PURPOSE_DENIED');
  if (!policy.kinds.includes(action.computation)) throw refuse('SCOPE_MISMATCH', { field: 'kind' });
  if (!policy.protections.includes(action.protection)) throw refuse('SCOPE_MISMATCH', { field: 'protection' });
  requireInteger(action.maxQuestions, 1, LIMITS.questionsPerJob, 'maxQuestions');
  requireInteger(action.termMs, 1, policy.maxJobTermMs, 'termMs');
  requireKey(action.clientPublicKey, 'clientPublicKey');
  const escrow = action.pricePerQuestionUnits * BigInt(action.maxQuestions);
  // No balance exceeds u64, so neither does an escrow that a balance covers.
  if (escrow > U64_MAX) throw refuse('INSUFFICIENT_BALANCE', { account: room.sender });
  debit(room.draft, room.sender, escrow as AmountUnits);
  const id = deriveId<JobId>('job', dataset.id, room.sender, action.salt);
  requireNew(room, 'job', id);

  const { datasetId, purpose, computation, protection, pricePerQuestionUnits, maxQuestions } = action;
  const job: JobView = {
    id,
    daoId,
    datasetId,
    requester: room.sender,
    purpose,
    kind: computation,
    protection,
    policyVersion,
    pricePerQuestionUnits,
    split: policy.split,
    payoutMode: payoutRules.mode,
    maxQuestions,
    questionsSettled: 0,
    escrowUnits: escrow as AmountUnits,
    clientPublicKey: toBase64(action.clientPublicKey),
    state: 'funded',
    fundedAtMs: room.nowMs,
    expiresAtMs: asTimestampMs(room.nowMs + action.termMs),
  };
  room.draft.write('job', id, job);
  room.emit({ type: 'JobFunded', job });
}

export function closeJob(room: Room, { jobId }: ChainActionPayloads['closeJob']): void {
  const job = mustFind(room, 'job', jobId);
  requireSender(room, job.requester);
  requireFunded(job);
  refundAndClose(room, job, job.questionsSettled > 0 ? 'succeeded' : 'cancelled');
}

export function expireJob(room: Room, { jobId }: ChainActionPayloads['expireJob']): void {
  const job = mustFind(room, 'job', jobId);
  requireFunded(job);
  if (room.nowMs < job.expiresAtMs) throw refuse('JOB_STATE', { state: job.state, expected: 'past its term' });
  refundAndClose(room, job, 'expired');
}

export function requireFunded(job: JobView): void {
  if (job.state === 'expired') throw refuse('JOB_EXPIRED', { jobId: job.id });
  if (job.state !== 'funded') throw refuse('JOB_STATE', { state: job.state });
}

export function refundAndClose(room: Room, job: JobView, state: ChainJobState): void {
  const refundUnits = job.escrowUnits;
  room.draft.write('job', job.id, { ...job, state, escrowUnits: ZERO_UNITS });
  if (refundUnits > 0n) credit(room.draft, job.requester, refundUnits);
  room.emit({ type: 'JobClosed', jobId: job.id, state, refundedTo: job.requester, refundUnits });
}
