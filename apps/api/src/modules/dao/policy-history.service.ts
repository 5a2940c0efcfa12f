import { Injectable } from '@nestjs/common';
import { asId, type DaoId } from '@usufruct/kernel';
import { parseAnswer, policyDiff, zDaoPolicy } from '@usufruct/protocol';
import {
  connectionFrom,
  groupBy,
  pageByEvent,
  pageOf,
  type Connection,
  type Loaders,
  type PageArgs,
} from '../../platform/graphql/index.js';
import { PrismaService, toMs, toMsOrNull } from '../../platform/prisma/index.js';
import type { Measurement, PolicyVersion } from '../../platform/prisma/generated/client.js';
import {
  toPolicyChange,
  type MeasurementType,
  type PolicyChangeType,
  type PolicyVersionType,
} from './policy-history.types.js';

@Injectable()
export class PolicyHistoryService {
  constructor(private readonly prisma: PrismaService) {}

  /** Newest first. */
  async versions(loaders: Loaders, daoId: DaoId, args: PageArgs): Promise<Connection<PolicyVersionType>> {
    const page = pageOf('policyHistory', args);
    const rows = await pageByEvent(loaders, this.prisma, {
      list: { table: 'policy_version', parent: 'dao_id', order: 'desc' },
      parent: daoId,
      page,
      rows: (where) => this.prisma.policyVersion.findMany({ where }),
      parentOf: (row) => row.daoId,
    });
    return connectionFrom('policyHistory', page, rows, (row) => [row.eventSeq], toPolicyVersion);
  }

  /** What a version changed of the one before it; nothing for the first. */
  async changes(loaders: Loaders, { daoId, version, policy }: PolicyVersionType): Promise<PolicyChangeType[]> {
    if (version === 1) return [];
    const before = await loaders.load('policy-version', keyOf({ daoId, version: version - 1 }), async (keys) => {
      const rows = await this.prisma.policyVersion.findMany({ where: { OR: keys.map(fromKey) } });
      return new Map(rows.map((row) => [keyOf(row), toPolicyVersion(row).policy]));
    });
    if (before === null) throw new Error('a policy version without the one before it');
    return policyDiff(before, policy).map(toPolicyChange);
  }

  /** Those that are approved, then those that were; each in order of approval. */
  async measurements(loaders: Loaders, daoId: DaoId): Promise<MeasurementType[]> {
    const rows = await loaders.load('measurements', daoId, async (ids) =>
      groupBy(
        await this.prisma.measurement.findMany({
          where: { daoId: { in: [...ids] } },
          orderBy: [
            { withdrawnVersion: { sort: 'desc', nulls: 'first' } },
            { approvedVersion: 'asc' },
            { measurement: 'asc' },
          ],
        }),
        (row) => row.daoId,
      ),
    );
    return (rows ?? []).map(toMeasurement);
  }
}

const keyOf = ({ daoId, version }: { daoId: string; version: number }): string => `${daoId}:${version}`;
function fromKey(key: string): { daoId: string; version: number } {
  const [daoId = '', version = ''] = key.split(':');
  return { daoId, version: Number(version) };
}

function toPolicyVersion(row: PolicyVersion): PolicyVersionType {
  return {
    daoId: asId(row.daoId, 'daoId'),
    version: row.version,
    policy: parseAnswer(zDaoPolicy, row.policy, 'projection'),
    policyDigest: asId(row.policyDigest, 'policyDigest'),
    setBy: asId(row.setBy, 'setBy'),
    transaction: asId(row.transaction, 'transaction'),
    setAtMs: toMs(row.setAt),
  };
}

const toMeasurement = (row: Measurement): MeasurementType => ({
  measurement: row.measurement,
  approved: row.withdrawnVersion === null,
  approvedVersion: row.approvedVersion,
  approvedAtMs: toMs(row.approvedAt),
  withdrawnVersion: row.withdrawnVersion,
  withdrawnAtMs: toMsOrNull(row.withdrawnAt),
});
