import { Injectable } from '@nestjs/common';
import type { JobId } from '@usufruct/kernel';
import type { ChainEvent } from '@usufruct/protocol';
import { OutboxService } from '../../platform/outbox/index.js';
import { toColumn, toDate, toJson, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';
import { JobEvents } from './job-events.js';
import { followTask } from './job-task.js';

/** The chain's part of a job. Its progress is not projected: a replay finds each of its events recorded already. */
@Injectable()
export class JobProjector implements Projector {
  readonly tables = ['chain_job'];

  constructor(
    private readonly events: JobEvents,
    private readonly outbox: OutboxService,
  ) {}

  async apply(tx: Database, event: ChainEvent): Promise<void> {
    const { data } = event;
    if (data.type === 'JobFunded') await this.funded(tx, event, data.job);
    else if (data.type === 'ReceiptSettled' || data.type === 'ReceiptSettledPrivately') {
      await tx.chainJob.update({
        where: { id: data.jobId },
        data: { questionsSettled: data.questionsSettled, escrowUnits: toColumn(data.escrowLeftUnits) },
      });
      const { jobId, questionId, priceUnits } = data;
      const details = { priceUnits: priceUnits.toString(), transaction: event.transaction };
      await this.events.append(tx, { jobId, questionId, name: 'QuestionSettled', dedupeKey: keyOf(event), details });
    } else if (data.type === 'JobClosed') {
      const { jobId, state, refundUnits } = data;
      await tx.chainJob.update({
        where: { id: jobId },
        data: { state, refundUnits: toColumn(refundUnits), escrowUnits: 0 },
      });
      const details = { refundUnits: refundUnits.toString() };
      await this.events.append(tx, { jobId, state, name: 'JobClosed', dedupeKey: keyOf(event), details });
    }
  }

  private async funded(
    tx: Database,
    event: ChainEvent,
    job: Extract<ChainEvent['data'], { type: 'JobFunded' }>['job'],
  ): Promise<void> {
    const { id, requester } = job;
    await tx.chainJob.create({
      data: {
        id,
        daoId: job.daoId,
        datasetId: job.datasetId,
        requester,
        purpose: job.purpose,
        kind: job.kind,
        protection: job.protection,
        policyVersion: job.policyVersion,
        pricePerQuestionUnits: toColumn(job.pricePerQuestionUnits),
        split: toJson(job.split),
        payoutMode: job.payoutMode,
        maxQuestions: job.maxQuestions,
        questionsSettled: job.questionsSettled,
        escrowUnits: toColumn(job.escrowUnits),
        clientPublicKey: job.clientPublicKey,
        state: job.state,
        fundedAt: toDate(job.fundedAtMs),
        expiresAt: toDate(job.expiresAtMs),
        eventSeq: event.seq,
      },
    });
    await tx.jobProgress.createMany({
      data: [{ jobId: id, requester, state: 'funded', createdAt: toDate(event.atMs) }],
      skipDuplicates: true,
    });
    await this.events.append(tx, { jobId: id, state: 'funded', name: 'JobFunded', dedupeKey: keyOf(event) });
    await this.events.append(tx, { jobId: id, state: 'queued', name: 'JobQueued', dedupeKey: 'queued' });
    await this.outbox.add(tx, followTask(id));
  }
}

const keyOf = (event: ChainEvent): string => `chain:${event.seq}`;

/** The job that an event is about, if any. */
export function jobOf({ data }: ChainEvent): JobId | null {
  if (data.type === 'JobFunded') return data.job.id;
  const isOfJob =
    data.type === 'ReceiptSettled' || data.type === 'ReceiptSettledPrivately' || data.type === 'JobClosed';
  return isOfJob ? data.jobId : null;
}
