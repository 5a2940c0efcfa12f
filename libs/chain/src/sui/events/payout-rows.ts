import { asAmount, refuse, toBase64, ZERO_UNITS, type DaoId, type EpochId } from '@usufruct/kernel';
import { UNCLAIMED_TO } from '@usufruct/protocol';
import { countQuestion } from './job-rows.js';
import type { ObjectIndex } from './object-index.js';
import type { EventRows } from './row.js';
import { named, otherSignerKind, payoutView } from './wire-values.js';

const daoOfEpoch = (epochId: EpochId, index: ObjectIndex): DaoId => index.epochs.known(epochId).daoId;

/** Other signers of receipts, private settlement and epochs. */
export const PAYOUT_ROWS: EventRows<
  | 'SignerRegistered'
  | 'SignerWithdrawn'
  | 'RunnerWithdrawn'
  | 'ReceiptSettledPrivately'
  | 'EpochProposed'
  | 'EpochObjected'
  | 'EpochRejected'
  | 'PayoutClaimed'
  | 'EpochSwept'
  | 'ReceiptsWrittenOff'
> = {
  SignerRegistered: {
    dao: (event) => event.dao_id,
    learn: (event, index) => void index.daos.known(event.dao_id).signers.push(event.signer_id),
    data: (event) => ({
      type: 'SignerRegistered',
      signer: {
        id: event.signer_id,
        daoId: event.dao_id,
        signerKind: otherSignerKind(event.signer_kind),
        publicKeys: event.public_keys.map(toBase64),
        payTo: event.pay_to,
        withdrawnAtMs: null,
      },
    }),
  },
  SignerWithdrawn: {
    dao: (event) => event.dao_id,
    data: (event) => ({
      type: 'SignerWithdrawn',
      daoId: event.dao_id,
      signerId: event.signer_id,
      withdrawnAtMs: event.withdrawn_at_ms,
    }),
  },
  RunnerWithdrawn: {
    dao: (event) => event.dao_id,
    data: (event) => ({ type: 'RunnerWithdrawn', daoId: event.dao_id, runnerId: event.runner_id }),
  },
  ReceiptSettledPrivately: {
    dao: (event) => event.dao_id,
    learn: (event, index) => {
      countQuestion(index, event.job_id, event.questions_settled);
      const dao = index.daos.known(event.dao_id);
      if (event.receipt_number !== dao.pooledReceipts + 1n) {
        throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'a private settlement is missing' });
      }
      dao.pooledReceipts = event.receipt_number;
    },
    data: (event) => ({
      type: 'ReceiptSettledPrivately',
      jobId: event.job_id,
      questionId: event.question_id,
      daoId: event.dao_id,
      receiptDigest: event.receipt_digest,
      priceUnits: event.price_units,
      payouts: event.payouts.map(payoutView),
      pooledUnits: event.pooled_units,
      receiptNumber: event.receipt_number,
      receiptChain: event.receipt_chain,
      questionsSettled: event.questions_settled,
      escrowLeftUnits: event.escrow_left_units,
    }),
  },
  EpochProposed: {
    dao: (event) => event.dao_id,
    learn: (event, index) => {
      index.daos.known(event.dao_id).epochs.push(event.epoch_id);
      index.epochs.add(event.epoch_id, {
        object: event.object,
        daoId: event.dao_id,
        toReceipt: event.to_receipt,
        totalUnits: event.total_units,
        proposedAtMs: event.proposed_at_ms,
        claimedUnits: ZERO_UNITS,
      });
    },
    data: (event) => ({
      type: 'EpochProposed',
      epoch: {
        id: event.epoch_id,
        daoId: event.dao_id,
        number: event.number,
        attempt: event.attempt,
        settler: event.settler,
        fromReceipt: event.from_receipt,
        toReceipt: event.to_receipt,
        totalUnits: event.total_units,
        root: event.root,
        leafCount: event.leaf_count,
        claimedUnits: ZERO_UNITS,
        state: 'open',
        objections: [],
        proposedAtMs: event.proposed_at_ms,
        challengeEndsAtMs: event.challenge_ends_at_ms,
        claimTermMs: event.claim_term_ms,
        unclaimedTo: named(UNCLAIMED_TO, event.unclaimed_to, 'place of unclaimed money'),
      },
    }),
  },
  EpochObjected: {
    dao: (event, index) => daoOfEpoch(event.epoch_id, index),
    data: (event) => ({
      type: 'EpochObjected',
      epochId: event.epoch_id,
      operator: event.operator,
      challengeEndsAtMs: event.challenge_ends_at_ms,
    }),
  },
  EpochRejected: {
    dao: (event, index) => daoOfEpoch(event.epoch_id, index),
    data: (event) => ({
      type: 'EpochRejected',
      epochId: event.epoch_id,
      daoId: event.dao_id,
      amountUnits: event.amount_units,
    }),
  },
  ReceiptsWrittenOff: {
    dao: (event) => event.dao_id,
    data: (event) => ({
      type: 'ReceiptsWrittenOff',
      daoId: event.dao_id,
      fromReceipt: event.from_receipt,
      toReceipt: event.to_receipt,
      amountUnits: event.amount_units,
    }),
  },
  PayoutClaimed: {
    dao: (event, index) => daoOfEpoch(event.epoch_id, index),
    learn: (event, index) => {
      const epoch = index.epochs.known(event.epoch_id);
      epoch.claimedUnits = asAmount(epoch.claimedUnits + event.amount_units, 'claimedUnits');
    },
    data: (event) => ({
      type: 'PayoutClaimed',
      epochId: event.epoch_id,
      daoId: event.dao_id,
      index: event.index,
      account: event.account,
      amountUnits: event.amount_units,
    }),
  },
  EpochSwept: {
    dao: (event, index) => daoOfEpoch(event.epoch_id, index),
    data: (event) => ({
      type: 'EpochSwept',
      epochId: event.epoch_id,
      daoId: event.dao_id,
      unclaimedTo: named(UNCLAIMED_TO, event.unclaimed_to, 'place of unclaimed money'),
      account: event.account,
      amountUnits: event.amount_units,
    }),
  },
};
