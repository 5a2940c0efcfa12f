import { Injectable } from '@nestjs/common';
import type { ChainEvent } from '@usufruct/protocol';
import { toDate, toJson, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

@Injectable()
export class DaoProjector implements Projector {
  readonly tables = ['dao', 'dataset'];

  async apply(tx: Database, { seq, atMs, data }: ChainEvent): Promise<void> {
    if (data.type === 'DaoCreated') {
      const { id, founder, treasury, members, metadataHash, policyVersion, policy, policyDigest } = data.dao;
      await tx.dao.create({
        data: {
          id,
          founder,
          treasury,
          members: [...members],
          metadataHash,
          policyVersion,
          policy: toJson(policy),
          policyDigest,
          createdAt: toDate(atMs),
          eventSeq: seq,
        },
      });
    } else if (data.type === 'PolicySet') {
      const { daoId, version, policy, policyDigest } = data;
      await tx.dao.update({
        where: { id: daoId },
        data: { policyVersion: version, policy: toJson(policy), policyDigest },
      });
    } else if (data.type === 'DatasetCreated') {
      const { id, daoId, metadataHash } = data.dataset;
      await tx.dataset.create({ data: { id, daoId, metadataHash, createdAt: toDate(atMs), eventSeq: seq } });
    }
  }
}
