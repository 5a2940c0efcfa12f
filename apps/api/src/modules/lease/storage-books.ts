import { Inject, Injectable } from '@nestjs/common';
import {
  asAmount,
  assertInvariant,
  type Address,
  type AmountUnits,
  type Clock,
  type ContributionId,
  type DaoId,
} from '@usufruct/kernel';
import {
  storageBudgetAccount,
  storageChargePostings,
  storageFundingPostings,
  storageFundsAccount,
  walletAccount,
  type Posting,
} from '@usufruct/ledger';
import { Prisma, PrismaService, toBigint, toDate, type Database } from '../../platform/prisma/index.js';
import { CLOCK } from '../../platform/tokens.js';
import { KeeperWallet } from './keeper-wallet.js';

export interface StorageBudget {
  /** All that the DAO's treasury ever paid to the keeper. */
  readonly fundedUnits: AmountUnits;
  readonly spentUnits: AmountUnits;
  /** Set aside for renewals that are under way. */
  readonly reservedUnits: AmountUnits;
  readonly availableUnits: AmountUnits;
}

/** The keeper's double entries: what DAOs paid it for storage, and what each contribution's storage cost. */
@Injectable()
export class StorageBooks {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly prisma: PrismaService,
    private readonly keeper: KeeperWallet,
  ) {}

  /** Of two at once, the second waits until the first has committed. */
  async lock(tx: Database, daoId: DaoId): Promise<void> {
    await tx.$executeRaw`select pg_advisory_xact_lock(hashtextextended(${`storage/${daoId}`}, 0))`;
  }

  /** Takes up what the treasury has paid since. The chain's books say it; this adds each movement once. */
  async noteFunding(tx: Database, daoId: DaoId): Promise<void> {
    const account = walletAccount(this.keeper.address);
    const paid = await tx.$queryRaw<{ event_seq: number; line: number; units: string; at: Date }[]>`
      select e.event_seq, e.line, e.delta_units::text as units, e.at from ledger_entry e
      join dao on dao.id = ${daoId} and e.counter_account = 'wallet:' || dao.treasury
      where e.account = ${account} and e.reason = 'TreasurySpent' and e.delta_units > 0
        and not exists (select 1 from storage_entry s where s.entry_id = 'event:' || e.event_seq || ':' || e.line)`;
    for (const { event_seq: seq, line, units, at } of paid) {
      const postings = storageFundingPostings(daoId, asAmount(BigInt(units)));
      await this.post(tx, `event:${seq}:${line}`, daoId, postings, at, null);
    }
  }

  /** Once for each renewal and contribution that bears some of it. */
  async charge(
    tx: Database,
    charge: { id: string; daoId: DaoId; contributionId: ContributionId; owner: Address; units: AmountUnits },
  ): Promise<void> {
    const { id, daoId, contributionId, owner, units } = charge;
    const postings = storageChargePostings(daoId, contributionId, units);
    await this.post(tx, `renewal:${id}:${contributionId}`, daoId, postings, toDate(this.clock.nowMs()), {
      contributionId,
      owner,
    });
  }

  /** In one statement, so that a renewal that moves from planned to paid meanwhile is counted once. */
  async budget(db: Database, daoId: DaoId): Promise<StorageBudget> {
    const [row] = await db.$queryRaw<{ left: string; paid: string; reserved: string }[]>`select
      (select coalesce(sum(delta_units), 0) from storage_entry where account = ${storageBudgetAccount(daoId)})::text as left,
      (select -coalesce(sum(delta_units), 0) from storage_entry where account = ${storageFundsAccount(daoId)})::text as paid,
      (select coalesce(sum(charge_units), 0) from lease_renewal where dao_id = ${daoId} and state = 'planned')::text
        as reserved`;
    const [left, paid, reserved] = [BigInt(row?.left ?? 0), BigInt(row?.paid ?? 0), BigInt(row?.reserved ?? 0)];
    assertInvariant(left >= reserved, 'no more is set aside than there is');
    return {
      fundedUnits: asAmount(paid),
      spentUnits: asAmount(paid - left),
      reservedUnits: asAmount(reserved),
      availableUnits: asAmount(left - reserved),
    };
  }

  /** What the contributions of each owner in a DAO have cost, the most first. */
  async costsByOwner(daoId: DaoId, limit: number): Promise<{ owner: Address; units: AmountUnits }[]> {
    const rows = await this.prisma.$queryRaw<{ owner: Address; units: string }[]>`
      select owner, sum(delta_units)::text as units from storage_entry
      where dao_id = ${daoId} and owner is not null and account like 'storage-cost:%'
      group by owner order by sum(delta_units) desc, owner limit ${limit}`;
    return rows.map(({ owner, units }) => ({ owner, units: asAmount(BigInt(units)) }));
  }
  async costsOf(ids: readonly string[]): Promise<Map<string, AmountUnits>> {
    const sums = await this.prisma.storageEntry.groupBy({
      by: ['contributionId'],
      where: { contributionId: { in: [...ids] }, account: { startsWith: 'storage-cost:' } },
      _sum: { deltaUnits: true },
    });
    return new Map(
      sums.map(({ contributionId, _sum }) => [
        contributionId ?? '',
        asAmount(_sum.deltaUnits === null ? 0n : toBigint(_sum.deltaUnits)),
      ]),
    );
  }

  private async post(
    tx: Database,
    entryId: string,
    daoId: DaoId,
    postings: readonly Posting[],
    at: Date,
    about: { contributionId: ContributionId; owner: Address } | null,
  ): Promise<void> {
    assertInvariant(
      postings.reduce((sum, { deltaUnits }) => sum + deltaUnits, 0n) === 0n,
      'the postings of an entry add up to zero',
    );
    await tx.storageEntry.createMany({
      data: postings.map(({ account, deltaUnits }, line) => {
        const counter = postings[line ^ 1];
        assertInvariant(counter !== undefined, 'postings come in pairs');
        return {
          entryId,
          line,
          daoId,
          account,
          counterAccount: counter.account,
          deltaUnits: new Prisma.Decimal(deltaUnits.toString()),
          contributionId: about?.contributionId ?? null,
          owner: about?.owner ?? null,
          at,
        };
      }),
      skipDuplicates: true,
    });
  }
}
