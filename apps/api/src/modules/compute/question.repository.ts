import { Injectable } from '@nestjs/common';
import { asId, type JobId, type QuestionId, type WireError } from '@usufruct/kernel';
import { parseAnswer, zAskAnswer, type AskAnswer } from '@usufruct/protocol';
import { errorInfoFromWire } from '../../platform/errors/index.js';
import { globalId, pageKeys, type Loaders, type Page } from '../../platform/graphql/index.js';
import { Prisma, PrismaService, toJson, toMs, type Database } from '../../platform/prisma/index.js';
import type { Question } from '../../platform/prisma/generated/client.js';
import type { QuestionState, QuestionType } from './compute.types.js';

const OPEN: readonly QuestionState[] = ['computing', 'settling'];
export const isOpen = (row: { state: string }): boolean => OPEN.some((state) => state === row.state);

@Injectable()
export class QuestionRepository {
  constructor(private readonly prisma: PrismaService) {}

  find(jobId: JobId, questionId: QuestionId): Promise<Question | null> {
    return this.prisma.question.findUnique({ where: { jobId_questionId: { jobId, questionId } } });
  }
  /** All that were left without an answer, by this process or one before it. */
  open(): Promise<Question[]> {
    return this.prisma.question.findMany({ where: { state: { in: [...OPEN] } }, orderBy: { ordinal: 'asc' } });
  }
  /** Newest first. */
  loadOf(loaders: Loaders, jobId: JobId, page: Page): Promise<Question[]> {
    return pageKeys(loaders, this.prisma, {
      list: { table: 'question', parent: 'job_id', key: 'ordinal', order: 'desc' },
      parent: jobId,
      page,
      rows: (keys) => this.prisma.question.findMany({ where: { ordinal: { in: [...keys] } } }),
      keyOf: (row) => row.ordinal,
      parentOf: (row) => row.jobId,
    });
  }

  /** Keep what the runner said about this sealing of the question; what it said of an older one is of no interest. */
  async keepAnswer(row: Question, answer: AskAnswer): Promise<Question> {
    const { jobId, questionId, attempt } = row;
    const [kept] = await this.prisma.question.updateManyAndReturn({
      where: { jobId, questionId, attempt, state: { not: 'settled' } },
      data: {
        state: answer.state,
        sealedAnswer: answer.sealedAnswer,
        receipt: answer.receipt,
        signature: answer.signature,
        ...(answer.settlement !== null && { settlementTransaction: answer.settlement.transaction }),
        error: answer.error === null ? Prisma.DbNull : toJson(answer.error),
      },
    });
    return kept ?? this.prisma.question.findUniqueOrThrow({ where: { jobId_questionId: { jobId, questionId } } });
  }

  /** The runner refused this sealing. The client may seal again under the same id. */
  async keepRefusal({ jobId, questionId, attempt }: Question, error: WireError): Promise<void> {
    await this.prisma.question.updateMany({
      where: { jobId, questionId, attempt, state: { in: [...OPEN] } },
      data: { state: 'failed', error: toJson(error) },
    });
  }

  /** One that failed and whose answer is paid waits for it again; null for any other. */
  async reopenPaid(tx: Database, jobId: JobId, questionId: QuestionId): Promise<Question | null> {
    const [reopened] = await tx.question.updateManyAndReturn({
      where: { jobId, questionId, state: 'failed', sealedAnswer: null, settlementTransaction: { not: null } },
      data: { state: 'settling', receipt: null, signature: null, error: Prisma.DbNull },
    });
    return reopened ?? null;
  }
}

const zState = zAskAnswer.shape.state;

/** An answer whose settlement the chain has told is settled, whatever the runner last said. */
export function toQuestion(row: Question): QuestionType {
  const told = parseAnswer(zState, row.state, 'database');
  const { settlementTransaction: transaction } = row;
  const settled = transaction !== null && row.sealedAnswer !== null;
  return {
    __typename: 'Question',
    id: globalId('Question', asId(row.jobId, 'jobId'), asId(row.questionId, 'questionId')),
    jobId: asId(row.jobId, 'jobId'),
    questionId: asId(row.questionId, 'questionId'),
    state: settled ? 'settled' : told,
    askedAtMs: toMs(row.askedAt),
    sealedAnswer: row.sealedAnswer,
    receipt: row.receipt,
    signature: row.signature,
    settlement: transaction === null ? null : { transaction: asId(transaction, 'transaction') },
    error: errorInfoFromWire(row.error),
  };
}
