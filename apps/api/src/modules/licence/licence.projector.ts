import { Injectable } from '@nestjs/common';
import type { ChainEvent } from '@usufruct/protocol';
import { toDate, toJson, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

@Injectable()
export class LicenceProjector implements Projector {
  readonly tables = ['licence_offer', 'licence'];

  async apply(tx: Database, { seq, atMs, transaction, data }: ChainEvent): Promise<void> {
    if (data.type === 'LicenceOffered') {
      const { id, daoId, terms } = data.offer;
      await tx.licenceOffer.create({
        data: {
          id,
          daoId,
          datasetId: terms.datasetId,
          terms: toJson(terms),
          offeredAt: toDate(atMs),
          eventSeq: seq,
        },
      });
    } else if (data.type === 'LicenceOfferWithdrawn') {
      const { offerId, withdrawnAtMs } = data;
      await tx.licenceOffer.update({ where: { id: offerId }, data: { withdrawnAt: toDate(withdrawnAtMs) } });
    } else if (data.type === 'LicenceBought') {
      const { id, offerId, daoId, licensee, terms, boughtAtMs, expiresAtMs } = data.licence;
      await tx.licence.create({
        data: {
          id,
          offerId,
          daoId,
          licensee,
          terms: toJson(terms),
          transaction,
          boughtAt: toDate(boughtAtMs),
          expiresAt: toDate(expiresAtMs),
          eventSeq: seq,
        },
      });
    }
  }
}
