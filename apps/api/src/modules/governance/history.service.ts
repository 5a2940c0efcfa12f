import { Injectable } from '@nestjs/common';
import { asId, type DaoId } from '@usufruct/kernel';
import { parseAnswer } from '@usufruct/protocol';
import { z } from 'zod';
import { connectionFrom, pageByEvent, pageOf, type Connection, type Loaders } from '../../platform/graphql/index.js';
import { Prisma, PrismaService, toMs } from '../../platform/prisma/index.js';
import type { DaoEvent } from '../../platform/prisma/generated/client.js';
import { CHAIN_EVENT_TYPES, type DaoEventsArgs, type DaoEventType } from './history.types.js';

const zType = z.enum(CHAIN_EVENT_TYPES);

@Injectable()
export class HistoryService {
  constructor(private readonly prisma: PrismaService) {}

  /** Newest first. */
  async events(loaders: Loaders, daoId: DaoId, args: DaoEventsArgs): Promise<Connection<DaoEventType>> {
    const page = pageOf('daoEvents', args);
    const types = args.types ?? null;
    const where = types === null ? undefined : { name: types.join(), condition: Prisma.sql`type = any(${types})` };
    const rows = await pageByEvent(loaders, this.prisma, {
      list: { table: 'dao_event', parent: 'dao_id', order: 'desc', where },
      parent: daoId,
      page,
      rows: (where) => this.prisma.daoEvent.findMany({ where }),
      parentOf: (row) => row.daoId,
    });
    return connectionFrom('daoEvents', page, rows, (row) => [row.eventSeq], toDaoEvent);
  }
}

const toDaoEvent = (row: DaoEvent): DaoEventType => ({
  seq: row.eventSeq,
  type: parseAnswer(zType, row.type, 'projection'),
  subject: row.subject === null ? null : asId(row.subject, 'subject'),
  sender: asId(row.sender, 'sender'),
  transaction: asId(row.transaction, 'transaction'),
  atMs: toMs(row.at),
  data: row.data === null ? null : JSON.stringify(row.data),
});
