import { Injectable } from '@nestjs/common';
import type { ChainEvent } from '@usufruct/protocol';
import { toDate, toJson, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

@Injectable()
export class ContributionProjector implements Projector {
  readonly tables = ['contribution'];

  async apply(tx: Database, { seq, atMs, data }: ChainEvent): Promise<void> {
    if (data.type === 'ContributionRegistered') {
      const { id, datasetId, owner, state, manifestDigest, holderSetId, policyDigest } = data.contribution;
      await tx.contribution.create({
        data: {
          id,
          datasetId,
          owner,
          state,
          manifestDigest,
          manifestBlob: toJson(data.contribution.manifestBlob),
          parts: toJson(data.contribution.parts),
          holderSetId,
          policyDigest,
          registeredAt: toDate(atMs),
          eventSeq: seq,
        },
      });
    } else if (data.type === 'ContributionDecided') {
      await tx.contribution.update({
        where: { id: data.contributionId },
        data: { state: data.state, decidedAt: toDate(atMs) },
      });
    }
  }
}
