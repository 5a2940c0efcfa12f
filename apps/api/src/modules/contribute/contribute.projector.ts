import { Injectable } from '@nestjs/common';
import { parseAnswer, zBlobReference, type BlobReference, type ChainEvent } from '@usufruct/protocol';
import { z } from 'zod';
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
          leaseEndEpoch: firstEnd(data.contribution.manifestBlob, data.contribution.parts),
          registeredAt: toDate(atMs),
          eventSeq: seq,
        },
      });
    } else if (data.type === 'ContributionDecided') {
      await tx.contribution.update({
        where: { id: data.contributionId },
        data: { state: data.state, decidedAt: toDate(atMs) },
      });
    } else if (data.type === 'ContributionTombstoned') {
      await tx.contribution.update({
        where: { id: data.contributionId },
        data: { tombstonedAt: toDate(data.tombstonedAtMs) },
      });
    } else if (data.type === 'LeaseRenewed') {
      await renewed(tx, data.contributionId, data.renewals);
    }
  }
}

type Renewals = Extract<ChainEvent['data'], { type: 'LeaseRenewed' }>['renewals'];

/** The leases of the blobs that are named now end later; a blob may be in the manifest's place and among the parts. */
async function renewed(tx: Database, id: string, renewals: Renewals): Promise<void> {
  const row = await tx.contribution.findUniqueOrThrow({ where: { id } });
  const ends = new Map(renewals.map(({ blob, endEpoch }) => [blob, endEpoch]));
  const manifestBlob = parseAnswer(zBlobReference, row.manifestBlob, 'projection');
  const parts = parseAnswer(z.array(zBlobReference), row.parts, 'projection');
  const renew = (reference: BlobReference): BlobReference => ({
    ...reference,
    endEpoch: ends.get(reference.blob) ?? reference.endEpoch,
  });
  const [manifestAfter, partsAfter] = [renew(manifestBlob), parts.map(renew)];
  await tx.contribution.update({
    where: { id },
    data: {
      manifestBlob: toJson(manifestAfter),
      parts: toJson(partsAfter),
      leaseEndEpoch: firstEnd(manifestAfter, partsAfter),
    },
  });
}

/** The largest integer of the column; the chain takes whatever end of a lease it is told, up to 2³² − 1. */
const LAST_EPOCH = 2 ** 31 - 1;

/** Without any one of its blobs a contribution cannot be opened. */
const firstEnd = (manifestBlob: BlobReference, parts: readonly BlobReference[]): number =>
  parts.reduce((least, { endEpoch }) => Math.min(least, endEpoch), Math.min(manifestBlob.endEpoch, LAST_EPOCH));
