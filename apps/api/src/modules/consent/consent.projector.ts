import { Injectable } from '@nestjs/common';
import type { ChainEvent } from '@usufruct/protocol';
import { toColumn, toDate, type Database } from '../../platform/prisma/index.js';
import type { Projector } from '../projection/index.js';

@Injectable()
export class GrantProjector implements Projector {
  readonly tables = ['consent_grant'];

  async apply(tx: Database, { seq, data }: ChainEvent): Promise<void> {
    if (data.type === 'GrantGiven') {
      const { id, contributionId, grantor, terms, givenAtMs } = data.grant;
      await tx.grant.create({
        data: {
          id,
          contributionId,
          grantor,
          purposes: [...terms.purposes],
          kinds: [...terms.kinds],
          protections: [...terms.protections],
          priceFloorUnits: toColumn(terms.priceFloorUnits),
          budgetMicroEpsilon: toColumn(terms.budgetMicroEpsilon),
          expiresAt: toDate(terms.expiresAtMs),
          givenAt: toDate(givenAtMs),
          eventSeq: seq,
        },
      });
    } else if (data.type === 'GrantRevoked') {
      await tx.grant.update({ where: { id: data.grantId }, data: { revokedAt: toDate(data.revokedAtMs) } });
    }
  }
}
