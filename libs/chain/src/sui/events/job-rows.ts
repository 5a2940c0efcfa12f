import { refuse, type JobId } from '@usufruct/kernel';
import type { ObjectIndex } from './object-index.js';
import type { EventRows } from './row.js';
import { jobState, jobTermsView, payoutView, useView } from './wire-values.js';

/** Jobs and their settlement. */
export const JOB_ROWS: EventRows<'JobFunded' | 'ReceiptSettled' | 'JobClosed'> = {
  JobFunded: {
    dao: (event) => event.dao_id,
    learn: (event, index) => {
      index.datasets.known(event.dataset_id);
      const { object, dao_id: daoId, dataset_id: datasetId } = event;
      index.jobs.add(event.job_id, { object, daoId, datasetId, questionsSettled: 0 });
    },
    data: (event) => ({
      type: 'JobFunded',
      job: {
        ...jobTermsView(event),
        questionsSettled: 0,
        escrowUnits: event.escrow_units,
        state: 'funded',
      },
    }),
  },
  ReceiptSettled: {
    dao: (event, index) => index.jobs.known(event.job_id).daoId,
    learn: (event, index) => countQuestion(index, event.job_id, event.questions_settled),
    data: (event) => ({
      type: 'ReceiptSettled',
      jobId: event.job_id,
      questionId: event.question_id,
      receiptDigest: event.receipt_digest,
      priceUnits: event.price_units,
      uses: event.uses.map(useView),
      payouts: event.payouts.map(payoutView),
      questionsSettled: event.questions_settled,
      escrowLeftUnits: event.escrow_left_units,
    }),
  },
  JobClosed: {
    dao: (event, index) => index.jobs.known(event.job_id).daoId,
    data: (event) => ({
      type: 'JobClosed',
      jobId: event.job_id,
      state: jobState(event.state),
      refundedTo: event.refunded_to,
      refundUnits: event.refund_units,
    }),
  },
};

/** A settlement that nobody told us of would leave somebody's pay out of every account. */
export function countQuestion(index: ObjectIndex, jobId: JobId, questionsSettled: number): void {
  const job = index.jobs.known(jobId);
  if (questionsSettled !== job.questionsSettled + 1) {
    throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'a settlement of a job is missing' });
  }
  job.questionsSettled = questionsSettled;
}
