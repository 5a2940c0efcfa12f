import { Injectable } from '@nestjs/common';
import { asId, refuse, type Hex32 } from '@usufruct/kernel';
import { parseAnswer, zHolderMember } from '@usufruct/protocol';
import { z } from 'zod';
import {
  byKey,
  connectionFrom,
  globalId,
  groupBy,
  pageByEvent,
  pageOf,
  type Connection,
  type Loaders,
  type PageArgs,
} from '../../platform/graphql/index.js';
import { PrismaService, toMs } from '../../platform/prisma/index.js';
import type { HolderSetVersion } from '../../platform/prisma/generated/client.js';
import type { HolderMemberType, HolderSetType, HolderSetVersionType } from './release.types.js';

/** Who holds the shares. What they released to whom is in their own logs, which contributors ask them for. */
@Injectable()
export class HolderSetService {
  constructor(private readonly prisma: PrismaService) {}

  async find(loaders: Loaders, id: Hex32): Promise<HolderSetType | null> {
    const row = await loaders.load('holder-set', id, async (ids) => this.newest(ids));
    if (row === null) return null;
    const tombstonedKeys = await this.tombstones(loaders, row.holderSetId);
    return {
      __typename: 'HolderSet',
      id: globalId('HolderSet', id),
      holderSetId: id,
      members: toMembers(row, tombstonedKeys),
      threshold: row.threshold,
      version: row.version,
      tombstonedKeys,
    };
  }
  async load(loaders: Loaders, id: Hex32): Promise<HolderSetType> {
    const set = await this.find(loaders, id);
    if (set === null) throw refuse('NOT_FOUND', { holderSetId: id });
    return set;
  }

  /** Newest first. */
  async versions(loaders: Loaders, id: Hex32, args: PageArgs): Promise<Connection<HolderSetVersionType>> {
    const page = pageOf('holderSetVersions', args);
    const rows = await pageByEvent(loaders, this.prisma, {
      list: { table: 'holder_set_version', parent: 'holder_set_id', order: 'desc' },
      parent: id,
      page,
      rows: (where) => this.prisma.holderSetVersion.findMany({ where }),
      parentOf: (row) => row.holderSetId,
    });
    const tombstonedKeys = await this.tombstones(loaders, id);
    return connectionFrom(
      'holderSetVersions',
      page,
      rows,
      (row) => [row.eventSeq],
      (row) => ({
        version: row.version,
        members: toMembers(row, tombstonedKeys),
        threshold: row.threshold,
        transaction: asId(row.transaction, 'transaction'),
        madeAtMs: toMs(row.madeAt),
      }),
    );
  }

  private async newest(ids: readonly string[]): Promise<Map<string, HolderSetVersion>> {
    const sets = await this.prisma.holderSet.findMany({ where: { id: { in: [...ids] } } });
    const wanted = sets.map(({ id: holderSetId, version }) => ({ holderSetId, version }));
    const rows = wanted.length === 0 ? [] : await this.prisma.holderSetVersion.findMany({ where: { OR: wanted } });
    return byKey(rows, (row) => row.holderSetId);
  }
  private async tombstones(loaders: Loaders, id: string): Promise<string[]> {
    const rows = await loaders.load('holder-tombstones', id, async (ids) =>
      groupBy(
        await this.prisma.holderTombstone.findMany({
          where: { holderSetId: { in: [...ids] } },
          orderBy: { eventSeq: 'asc' },
        }),
        (row) => row.holderSetId,
      ),
    );
    return (rows ?? []).map((row) => row.signingPublicKey);
  }
}

function toMembers(row: HolderSetVersion, tombstonedKeys: readonly string[]): HolderMemberType[] {
  const members = parseAnswer(z.array(zHolderMember), row.members, 'projection');
  return members.map((member, index) => ({
    index,
    ...member,
    tombstoned: tombstonedKeys.includes(member.signingPublicKey),
  }));
}
