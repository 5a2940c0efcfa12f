import { Inject, Injectable } from '@nestjs/common';
import { asId, type Address, type Clock, type DaoId, type LicenceId, type TimestampMs } from '@usufruct/kernel';
import { parseAnswer, zLicenceTerms } from '@usufruct/protocol';
import {
  byKey,
  connectionFrom,
  globalId,
  pageByEvent,
  pageOf,
  type Connection,
  type Loaders,
  type PageArgs,
} from '../../platform/graphql/index.js';
import { PrismaService, toMs, toMsOrNull } from '../../platform/prisma/index.js';
import type { Licence, LicenceOffer } from '../../platform/prisma/generated/client.js';
import { CLOCK } from '../../platform/tokens.js';
import type { LicenceOfferType, LicenceType } from './licence.types.js';

@Injectable()
export class LicenceService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly prisma: PrismaService,
  ) {}

  /** Newest first, withdrawn ones included. */
  async offersOf(loaders: Loaders, daoId: DaoId, args: PageArgs): Promise<Connection<LicenceOfferType>> {
    const page = pageOf('licenceOffers', args);
    const rows = await pageByEvent(loaders, this.prisma, {
      list: { table: 'licence_offer', parent: 'dao_id', order: 'desc' },
      parent: daoId,
      page,
      rows: (where) => this.prisma.licenceOffer.findMany({ where }),
      parentOf: (row) => row.daoId,
    });
    return connectionFrom('licenceOffers', page, rows, (row) => [row.eventSeq], toOffer);
  }
  async offer(loaders: Loaders, id: LicenceId): Promise<LicenceOfferType | null> {
    const row = await loaders.load('licence-offer', id, async (ids) =>
      byKey(await this.prisma.licenceOffer.findMany({ where: { id: { in: [...ids] } } }), (each) => each.id),
    );
    return row === null ? null : toOffer(row);
  }

  /** That a DAO has sold, newest first. */
  async soldBy(loaders: Loaders, daoId: DaoId, args: PageArgs): Promise<Connection<LicenceType>> {
    const page = pageOf('licences', args);
    const rows = await pageByEvent(loaders, this.prisma, {
      list: { table: 'licence', parent: 'dao_id', order: 'desc' },
      parent: daoId,
      page,
      rows: (where) => this.prisma.licence.findMany({ where }),
      parentOf: (row) => row.daoId,
    });
    return this.connection(page, rows);
  }
  /** Newest first. */
  async heldBy(licensee: Address, args: PageArgs): Promise<Connection<LicenceType>> {
    const page = pageOf('licences', args);
    const before = page.after?.[0];
    const rows = await this.prisma.licence.findMany({
      where: { licensee, ...(before !== undefined && { eventSeq: { lt: before } }) },
      orderBy: { eventSeq: 'desc' },
      take: page.take,
    });
    return this.connection(page, rows);
  }
  async licence(id: LicenceId): Promise<LicenceType | null> {
    const row = await this.prisma.licence.findUnique({ where: { id } });
    return row === null ? null : toLicence(row, this.clock.nowMs());
  }

  private connection(page: ReturnType<typeof pageOf>, rows: readonly Licence[]): Connection<LicenceType> {
    const nowMs = this.clock.nowMs();
    return connectionFrom(
      'licences',
      page,
      rows,
      (row) => [row.eventSeq],
      (row) => toLicence(row, nowMs),
    );
  }
}

const toOffer = (row: LicenceOffer): LicenceOfferType => ({
  __typename: 'LicenceOffer',
  id: globalId('LicenceOffer', asId(row.id, 'offerId')),
  offerId: asId(row.id, 'offerId'),
  daoId: asId(row.daoId, 'daoId'),
  terms: parseAnswer(zLicenceTerms, row.terms, 'projection'),
  offeredAtMs: toMs(row.offeredAt),
  withdrawnAtMs: toMsOrNull(row.withdrawnAt),
});

const toLicence = (row: Licence, nowMs: TimestampMs): LicenceType => ({
  __typename: 'Licence',
  id: globalId('Licence', asId(row.id, 'licenceId')),
  licenceId: asId(row.id, 'licenceId'),
  offerId: asId(row.offerId, 'offerId'),
  daoId: asId(row.daoId, 'daoId'),
  licensee: asId(row.licensee, 'licensee'),
  terms: parseAnswer(zLicenceTerms, row.terms, 'projection'),
  boughtAtMs: toMs(row.boughtAt),
  expiresAtMs: toMs(row.expiresAt),
  active: nowMs < toMs(row.expiresAt),
  transaction: asId(row.transaction, 'transaction'),
});
