import { Inject, Injectable } from '@nestjs/common';
import type { ChainReader } from '@usufruct/chain';
import {
  asAmount,
  asId,
  refuse,
  type Address,
  type AmountUnits,
  type ContributionId,
  type Hex32,
  type JobId,
} from '@usufruct/kernel';
import { escrowAccount, ISSUANCE_ACCOUNT, walletAccount, type AccountId } from '@usufruct/ledger';
import { connectionFrom, pageOf, type Connection, type Loaders } from '../../platform/graphql/index.js';
import { PrismaService, toBigint } from '../../platform/prisma/index.js';
import { CHAIN } from '../../platform/tokens.js';
import { DaoService } from '../dao/index.js';
import { ProjectionService } from '../projection/index.js';
import { toLedgerEntry } from './ledger.mapper.js';
import type { Balance, BalanceMismatch, LedgerArgs, LedgerEntryType, Reconciliation } from './payout.types.js';

/** The chain may move while it is compared; then the comparison is made again. */
const COMPARISONS = 5;

@Injectable()
export class PayoutService {
  constructor(
    @Inject(CHAIN) private readonly chain: ChainReader,
    private readonly prisma: PrismaService,
    private readonly projection: ProjectionService,
    private readonly daos: DaoService,
  ) {}

  /** Newest first. */
  async entries(viewer: Address, args: LedgerArgs): Promise<Connection<LedgerEntryType>> {
    await this.requireOwner(viewer, args.account);
    const page = pageOf('ledgerEntries', args);
    const [seq, line] = page.after ?? [];
    const before =
      seq === undefined || line === undefined
        ? {}
        : { OR: [{ eventSeq: { lt: seq } }, { eventSeq: seq, line: { lt: line } }] };
    const rows = await this.prisma.ledgerEntry.findMany({
      where: { account: walletAccount(args.account), ...before },
      orderBy: [{ eventSeq: 'desc' }, { line: 'desc' }],
      take: page.take,
    });
    return connectionFrom('ledgerEntries', page, rows, (row) => [row.eventSeq, row.line], toLedgerEntry);
  }

  async balance(viewer: Address, account: Address): Promise<Balance> {
    await this.requireOwner(viewer, account);
    const [asOfSeq, row] = await this.prisma.$transaction(
      async (tx) => {
        const cursor = await tx.projectionCursor.findFirst();
        const balance = await tx.accountBalance.findUnique({ where: { account: walletAccount(account) } });
        return [cursor?.seq ?? 0, balance] as const;
      },
      { isolationLevel: 'RepeatableRead' },
    );
    return { account, amountUnits: asAmount(row === null ? 0n : toBigint(row.balanceUnits)), asOfSeq };
  }

  async earned(loaders: Loaders, contributionId: ContributionId): Promise<AmountUnits> {
    const sum = await loaders.load('earned', contributionId, async (ids) => {
      const groups = await this.prisma.receiptUse.groupBy({
        by: ['contributionId'],
        where: { contributionId: { in: [...ids] } },
        _sum: { amountUnits: true },
      });
      return new Map(groups.map((group) => [group.contributionId, group._sum.amountUnits]));
    });
    return asAmount(sum === null ? 0n : toBigint(sum));
  }

  /** The wallet and the escrows of the viewer, and the treasuries of the DAOs that the viewer administers. */
  async reconcileFor(viewer: Address): Promise<Reconciliation> {
    const daos = await this.daos.daosAdministeredBy(viewer);
    const jobs = await this.prisma.chainJob.findMany({ where: { requester: viewer }, select: { id: true } });
    return this.reconcile([
      walletAccount(viewer),
      ...daos.map((dao) => walletAccount(dao.treasury)),
      ...jobs.map((job) => escrowAccount(asId<JobId>(job.id, 'jobId'))),
    ]);
  }

  /** Every account there is; and all of them together are what was issued. */
  async reconcileAll(): Promise<Reconciliation> {
    const rows = await this.prisma.accountBalance.findMany();
    const total = rows.reduce((sum, row) => sum + toBigint(row.balanceUnits), 0n);
    if (total !== 0n) throw refuse('CHAIN_EVENTS_BROKEN', { reason: 'the accounts do not add up to what was issued' });
    const accounts = rows.map((row) => row.account as AccountId);
    return this.reconcile(accounts.filter((account) => account !== ISSUANCE_ACCOUNT));
  }

  private async reconcile(accounts: readonly AccountId[]): Promise<Reconciliation> {
    const names = [...new Set(accounts)];
    for (let comparison = 1; ; comparison++) {
      const asOfSeq = await this.projection.appliedSeq();
      const mismatches = await this.compare(names);
      const agrees = mismatches.length === 0;
      const pending = agrees ? [] : await this.chain.events(asOfSeq, { limit: 1, waitMs: 0 });
      const moved = pending.length > 0 || (await this.projection.appliedSeq()) !== asOfSeq;
      if (agrees || !moved || comparison === COMPARISONS) {
        return { agrees, asOfSeq, accountsChecked: names.length, mismatches };
      }
      await this.projection.waitFor(async () => ((await this.projection.appliedSeq()) > asOfSeq ? true : null), 1_000);
    }
  }

  private async compare(accounts: readonly AccountId[]): Promise<BalanceMismatch[]> {
    const rows = await this.prisma.accountBalance.findMany({ where: { account: { in: [...accounts] } } });
    const projected = new Map(rows.map((row) => [row.account, toBigint(row.balanceUnits)]));
    const mismatches: BalanceMismatch[] = [];
    for (const account of accounts) {
      const projectedUnits = asAmount(projected.get(account) ?? 0n);
      const chainUnits = await this.chainBalance(account);
      if (projectedUnits !== chainUnits) mismatches.push({ account, projectedUnits, chainUnits });
    }
    return mismatches;
  }

  private async chainBalance(account: AccountId): Promise<AmountUnits> {
    const [kind, id = ''] = account.split(':');
    if (kind === 'escrow') return (await this.chain.job(asId(id, 'jobId'))).escrowUnits;
    return this.chain.balanceOf(asId(id, 'account'));
  }

  private async requireOwner(viewer: Address, account: Hex32): Promise<void> {
    if (account === viewer) return;
    const daos = await this.daos.daosAdministeredBy(viewer);
    if (!daos.some((dao) => dao.treasury === account)) throw refuse('FORBIDDEN', { needs: 'an account of your own' });
  }
}
