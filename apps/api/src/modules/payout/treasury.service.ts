import { Injectable } from '@nestjs/common';
import { asAmount, type Address, type AmountUnits, type Hex32 } from '@usufruct/kernel';
import { walletAccount } from '@usufruct/ledger';
import {
  byKey,
  connectionFrom,
  pageByEvent,
  pageOf,
  type Connection,
  type Loaders,
  type PageArgs,
} from '../../platform/graphql/index.js';
import { PrismaService, toBigint } from '../../platform/prisma/index.js';
import { toLedgerEntry } from './ledger.mapper.js';
import type { LedgerEntryType } from './payout.types.js';

/** What accounts without a key hold, as the events add up. */
@Injectable()
export class TreasuryService {
  constructor(private readonly prisma: PrismaService) {}

  async balanceOf(loaders: Loaders, account: Hex32): Promise<AmountUnits> {
    const row = await loaders.load('account-balance', walletAccount(account as Address), async (accounts) =>
      byKey(
        await this.prisma.accountBalance.findMany({ where: { account: { in: [...accounts] } } }),
        (each) => each.account,
      ),
    );
    return asAmount(row === null ? 0n : toBigint(row.balanceUnits));
  }

  /** Newest first. */
  async movements(loaders: Loaders, account: Hex32, args: PageArgs): Promise<Connection<LedgerEntryType>> {
    const page = pageOf('movements', args);
    const rows = await pageByEvent(loaders, this.prisma, {
      list: { table: 'ledger_entry', parent: 'account', tie: 'line', order: 'desc' },
      parent: walletAccount(account as Address),
      page,
      rows: (where) => this.prisma.ledgerEntry.findMany({ where }),
      tieOf: (row) => row.line,
      parentOf: (row) => row.account,
    });
    return connectionFrom('movements', page, rows, (row) => [row.eventSeq, row.line], toLedgerEntry);
  }
}
