import { Injectable } from '@nestjs/common';
import type { ChainEvent } from '@usufruct/protocol';
import { toDate, toJson, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

@Injectable()
export class HolderSetProjector implements Projector {
  readonly tables = ['holder_set', 'holder_set_version', 'holder_tombstone'];

  async apply(tx: Database, event: ChainEvent): Promise<void> {
    const { seq, atMs, data } = event;
    if (data.type === 'HolderSetCreated') {
      const { id, version } = data.holderSet;
      await tx.holderSet.create({ data: { id, version, eventSeq: seq } });
      await addVersion(tx, event, { ...data.holderSet, holderSetId: id });
    } else if (data.type === 'HolderSetRotated') {
      await tx.holderSet.update({ where: { id: data.holderSetId }, data: { version: data.version } });
      await addVersion(tx, event, data);
    } else if (data.type === 'HolderTombstoned') {
      const { holderSetId, signingPublicKey } = data;
      await tx.holderTombstone.create({
        data: { holderSetId, signingPublicKey, tombstonedAt: toDate(atMs), eventSeq: seq },
      });
    }
  }
}

type Version = Omit<Extract<ChainEvent['data'], { type: 'HolderSetRotated' }>, 'type'>;

async function addVersion(tx: Database, { seq, atMs, transaction }: ChainEvent, set: Version): Promise<void> {
  const { holderSetId, version, members, threshold } = set;
  const madeAt = toDate(atMs);
  await tx.holderSetVersion.create({
    data: { holderSetId, version, members: toJson(members), threshold, transaction, madeAt, eventSeq: seq },
  });
}
