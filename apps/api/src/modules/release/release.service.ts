import { Injectable } from '@nestjs/common';
import { asId, refuse, type Hex32 } from '@usufruct/kernel';
import { parseAnswer, zHolderMember, type ChainEvent } from '@usufruct/protocol';
import { z } from 'zod';
import { byKey, type Loaders } from '../../platform/graphql/index.js';
import { PrismaService, toJson, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';
import type { HolderSetType } from './release.types.js';

/** Who holds the shares. What they released to whom is in their own logs, which contributors ask them for. */
@Injectable()
export class HolderSetService implements Projector {
  readonly tables = ['holder_set'];
  constructor(private readonly prisma: PrismaService) {}

  async apply(tx: Database, { seq, data }: ChainEvent): Promise<void> {
    if (data.type !== 'HolderSetCreated') return;
    const { id, members, threshold, version } = data.holderSet;
    await tx.holderSet.create({ data: { id, members: toJson(members), threshold, version, eventSeq: seq } });
  }

  async load(loaders: Loaders, id: Hex32): Promise<HolderSetType> {
    const row = await loaders.load('holder-set', id, async (ids) =>
      byKey(await this.prisma.holderSet.findMany({ where: { id: { in: [...ids] } } }), (each) => each.id),
    );
    if (row === null) throw refuse('NOT_FOUND', { holderSetId: id });
    const members = parseAnswer(z.array(zHolderMember), row.members, 'projection');
    return {
      holderSetId: asId(row.id, 'holderSetId'),
      members: members.map((member, index) => ({ index, ...member })),
      threshold: row.threshold,
      version: row.version,
    };
  }
}
