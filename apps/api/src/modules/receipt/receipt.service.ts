import { Injectable } from '@nestjs/common';
import {
  asAmount,
  asId,
  fromBase64,
  refuse,
  type Address,
  type ContributionId,
  type JobId,
  type QuestionId,
} from '@usufruct/kernel';
import { COMPUTATION_KINDS, PAYEE_ROLES, parseAnswer, receiptDigest } from '@usufruct/protocol';
import { z } from 'zod';
import {
  connectionFrom,
  globalId,
  pageOf,
  type Connection,
  type Loaders,
  type PageArgs,
} from '../../platform/graphql/index.js';
import { toBigint, toMs } from '../../platform/prisma/index.js';
import type { Receipt, ReceiptUse } from '../../platform/prisma/generated/client.js';
import { ContributionService } from '../contribute/index.js';
import { MembershipService } from '../dao/index.js';
import { ReceiptRepository, type ReceiptKey } from './receipt.repository.js';
import type { PayoutType, ReceiptType, ReceiptUseType, Use } from './receipt.types.js';

const zRole = z.enum(PAYEE_ROLES);
const zKind = z.enum(COMPUTATION_KINDS);

@Injectable()
export class ReceiptService {
  constructor(
    private readonly repository: ReceiptRepository,
    private readonly members: MembershipService,
    private readonly contributions: ContributionService,
  ) {}

  /** Null for what does not exist, and for who is neither the requester, an administrator nor an owner of what was used. */
  async receipt(loaders: Loaders, viewer: Address, jobId: JobId, questionId: QuestionId): Promise<ReceiptType | null> {
    const row = await this.repository.load(loaders, { jobId, questionId });
    if (row === null || !(await this.maySee(loaders, viewer, row))) return null;
    return toReceipt(row);
  }

  /** Of a job, newest first; for its requester and administrators. */
  async receiptsOf(loaders: Loaders, viewer: Address, jobId: JobId, args: PageArgs): Promise<Connection<ReceiptType>> {
    if (!(await this.mayAudit(loaders, viewer, jobId))) throw refuse('NOT_FOUND', { jobId });
    return this.page(loaders, jobId, args);
  }
  async page(loaders: Loaders, jobId: JobId, args: PageArgs): Promise<Connection<ReceiptType>> {
    const page = pageOf('receipts', args);
    const rows = await this.repository.ofJob(loaders, jobId, page);
    return connectionFrom('receipts', page, rows, (row) => [row.eventSeq], toReceipt);
  }

  async settled(loaders: Loaders, key: ReceiptKey): Promise<ReceiptType | null> {
    const row = await this.repository.load(loaders, key);
    return row === null ? null : toReceipt(row);
  }

  /** The runner's bytes and signature as relayed, if they are the ones that the chain settled. */
  async proof(loaders: Loaders, receipt: ReceiptType): Promise<{ receipt: string; signature: string } | null> {
    const answer = await this.repository.loadAnswer(loaders, receipt);
    if (answer === null || answer.receipt === null || answer.signature === null) return null;
    const digest = receiptDigest(fromBase64(answer.receipt, 'receipt'));
    return digest === receipt.receiptDigest ? { receipt: answer.receipt, signature: answer.signature } : null;
  }

  async uses(loaders: Loaders, receipt: ReceiptType): Promise<ReceiptUseType[]> {
    const rows = await this.repository.loadUses(loaders, receipt);
    return rows.map((row) => ({
      contributionId: asId(row.contributionId, 'contributionId'),
      grantId: asId(row.grantId, 'grantId'),
      weight: toBigint(row.weight),
    }));
  }
  async payouts(loaders: Loaders, receipt: ReceiptType): Promise<PayoutType[]> {
    const rows = await this.repository.loadPayouts(loaders, receipt);
    return rows.map((row) => ({
      account: asId(row.account, 'account'),
      role: parseAnswer(zRole, row.role, 'projection'),
      contributionId: row.contributionId === null ? null : asId(row.contributionId, 'contributionId'),
      amountUnits: asAmount(toBigint(row.amountUnits)),
    }));
  }

  async usesOf(loaders: Loaders, contributionId: ContributionId, args: PageArgs): Promise<Connection<Use>> {
    const page = pageOf('uses', args);
    const rows = await this.repository.usesOf(loaders, contributionId, page);
    const nodes = new Map(
      await Promise.all(rows.map(async (row): Promise<[number, Use]> => [row.eventSeq, await this.use(loaders, row)])),
    );
    return connectionFrom(
      'uses',
      page,
      rows,
      (row) => [row.eventSeq],
      (row) => nodes.get(row.eventSeq)!,
    );
  }

  private async use(loaders: Loaders, row: ReceiptUse): Promise<Use> {
    const [receipt, job] = await Promise.all([
      this.repository.load(loaders, row),
      this.repository.loadJob(loaders, row.jobId),
    ]);
    if (receipt === null || job === null) throw new Error('a use without its receipt or job');
    return {
      contributionId: asId(row.contributionId, 'contributionId'),
      jobId: asId(row.jobId, 'jobId'),
      questionId: asId(row.questionId, 'questionId'),
      grantId: asId(row.grantId, 'grantId'),
      weight: toBigint(row.weight),
      amountUnits: asAmount(toBigint(row.amountUnits)),
      purpose: job.purpose,
      kind: parseAnswer(zKind, job.kind, 'projection'),
      receiptDigest: asId(receipt.receiptDigest, 'receiptDigest'),
      transaction: asId(receipt.transaction, 'transaction'),
      atMs: toMs(receipt.settledAt),
    };
  }

  private async mayAudit(loaders: Loaders, viewer: Address, jobId: JobId): Promise<boolean> {
    const job = await this.repository.loadJob(loaders, jobId);
    if (job === null) return false;
    if (job.requester === viewer) return true;
    return this.members.isAdministrator(loaders, asId(job.daoId, 'daoId'), viewer);
  }

  private async maySee(loaders: Loaders, viewer: Address, row: Receipt): Promise<boolean> {
    if (await this.mayAudit(loaders, viewer, asId(row.jobId, 'jobId'))) return true;
    const uses = await this.repository.loadUses(loaders, row);
    const used = await Promise.all(
      uses.map((use) => this.contributions.contribution(loaders, asId(use.contributionId, 'contributionId'))),
    );
    return used.some((contribution) => contribution?.owner === viewer);
  }
}

const toReceipt = (row: Receipt): ReceiptType => ({
  __typename: 'Receipt',
  id: globalId('Receipt', asId(row.jobId, 'jobId'), asId(row.questionId, 'questionId')),
  jobId: asId(row.jobId, 'jobId'),
  questionId: asId(row.questionId, 'questionId'),
  receiptDigest: asId(row.receiptDigest, 'receiptDigest'),
  priceUnits: asAmount(toBigint(row.priceUnits)),
  number: row.number === null ? null : toBigint(row.number),
  pooledUnits: row.pooledUnits === null ? null : asAmount(toBigint(row.pooledUnits)),
  transaction: asId(row.transaction, 'transaction'),
  settledAtMs: toMs(row.settledAt),
});
