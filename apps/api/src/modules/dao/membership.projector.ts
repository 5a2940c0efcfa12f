import { Injectable } from '@nestjs/common';
import type { Address, DaoId, JobId } from '@usufruct/kernel';
import type { ChainEvent, Payout } from '@usufruct/protocol';
import { Prisma, toColumn, toDate, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

@Injectable()
export class MembershipProjector implements Projector {
  readonly tables = ['member', 'application'];

  async apply(tx: Database, { seq, atMs, data }: ChainEvent): Promise<void> {
    switch (data.type) {
      case 'MemberAdded': {
        const { daoId, member: address, roles, ordinal } = data;
        const joinedAt = toDate(atMs);
        await tx.member.create({
          data: { daoId, address, roles, ordinal, earnedUnits: toColumn(0n), joinedAt, eventSeq: seq },
        });
        return;
      }
      case 'RolesSet': {
        const { daoId, member: address, roles } = data;
        await tx.member.update({ where: { daoId_address: { daoId, address } }, data: { roles } });
        return;
      }
      case 'MembershipApplied': {
        const { daoId, applicant, statementHash } = data;
        const appliedAt = toDate(atMs);
        await tx.application.create({
          data: { daoId, applicant, statementHash, state: 'pending', appliedAt, eventSeq: seq },
        });
        return;
      }
      case 'MembershipDecided': {
        const { daoId, applicant, accepted } = data;
        await tx.application.updateMany({
          where: { daoId, applicant, state: 'pending' },
          data: { state: accepted ? 'accepted' : 'declined', decidedAt: toDate(atMs) },
        });
        return;
      }
      case 'ReceiptSettled':
        return settled(tx, data.jobId, data.payouts);
      case 'PayoutClaimed':
        return earned(tx, data.daoId, data.account, data.amountUnits);
      default:
    }
  }
}

async function settled(tx: Database, jobId: JobId, payouts: readonly Payout[]): Promise<void> {
  const units = new Map<Address, bigint>();
  for (const { role, account, amountUnits } of payouts) {
    if (role === 'contributor') units.set(account, (units.get(account) ?? 0n) + amountUnits);
  }
  if (units.size === 0) return;
  const rows = [...units].map(([address, sum]) => Prisma.sql`(${address}, ${sum.toString()}::decimal)`);
  await tx.$executeRaw`update member set earned_units = member.earned_units + paid.units
    from (values ${Prisma.join(rows)}) as paid (address, units), chain_job
    where chain_job.id = ${jobId} and member.dao_id = chain_job.dao_id and member.address = paid.address`;
}

/** Counts for members only: who is none when it is paid has earned no vote by it. */
async function earned(tx: Database, daoId: DaoId, address: Address, units: bigint): Promise<void> {
  await tx.member.updateMany({
    where: { daoId, address },
    data: { earnedUnits: { increment: toColumn(units) } },
  });
}
