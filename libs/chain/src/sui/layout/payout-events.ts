import type { DaoId, EpochId, JobId, QuestionId, RunnerId, SignerId } from '@usufruct/kernel';
import { account, digest, payout, timeMs, units } from './common.js';
import { address, amount, bytes, count, objectId, struct, u32, u8, vector } from './move-types.js';

const daoId = address<DaoId>();
const epochId = address<EpochId>();

export const PAYOUT_EVENT_LAYOUTS = {
  SignerRegistered: struct('payout_events::SignerRegistered', {
    signer_id: address<SignerId>(),
    dao_id: daoId,
    signer_kind: u8,
    public_keys: vector(bytes),
    pay_to: account,
  }),
  SignerWithdrawn: struct('payout_events::SignerWithdrawn', {
    dao_id: daoId,
    signer_id: address<SignerId>(),
    withdrawn_at_ms: timeMs,
  }),
  RunnerWithdrawn: struct('payout_events::RunnerWithdrawn', { dao_id: daoId, runner_id: address<RunnerId>() }),
  ReceiptSettledPrivately: struct('payout_events::ReceiptSettledPrivately', {
    job_id: address<JobId>(),
    question_id: address<QuestionId>(),
    dao_id: daoId,
    receipt_digest: digest,
    price_units: units,
    payouts: vector(payout),
    pooled_units: units,
    receipt_number: amount(),
    receipt_chain: digest,
    questions_settled: u32,
    escrow_left_units: units,
  }),
  EpochProposed: struct('payout_events::EpochProposed', {
    object: objectId,
    epoch_id: epochId,
    dao_id: daoId,
    number: amount(),
    attempt: u32,
    settler: address<RunnerId>(),
    from_receipt: amount(),
    to_receipt: amount(),
    total_units: units,
    root: digest,
    leaf_count: u32,
    proposed_at_ms: timeMs,
    challenge_ends_at_ms: timeMs,
    claim_term_ms: count(),
    unclaimed_to: u8,
  }),
  EpochObjected: struct('payout_events::EpochObjected', {
    epoch_id: epochId,
    operator: account,
    challenge_ends_at_ms: timeMs,
  }),
  EpochRejected: struct('payout_events::EpochRejected', { epoch_id: epochId, dao_id: daoId, amount_units: units }),
  ReceiptsWrittenOff: struct('payout_events::ReceiptsWrittenOff', {
    dao_id: daoId,
    from_receipt: amount(),
    to_receipt: amount(),
    amount_units: units,
  }),
  PayoutClaimed: struct('payout_events::PayoutClaimed', {
    epoch_id: epochId,
    dao_id: daoId,
    index: u32,
    account,
    amount_units: units,
  }),
  EpochSwept: struct('payout_events::EpochSwept', {
    epoch_id: epochId,
    dao_id: daoId,
    unclaimed_to: u8,
    account,
    amount_units: units,
  }),
};
