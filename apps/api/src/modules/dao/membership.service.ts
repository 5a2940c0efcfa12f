import { Inject, Injectable } from '@nestjs/common';
import { asAmount, asId, refuse, type Address, type Clock, type DaoId, type Hex32 } from '@usufruct/kernel';
import { hasRole, requireStatement, roleNames, statementDigest } from '@usufruct/protocol';
import type { Viewer } from '../../platform/auth/index.js';
import {
  byKey,
  connectionFrom,
  globalId,
  pageByEvent,
  pageOf,
  whereEquals,
  type Connection,
  type Loaders,
  type PageArgs,
} from '../../platform/graphql/index.js';
import { PrismaService, toBigint, toDate, toMs, toMsOrNull } from '../../platform/prisma/index.js';
import type { Application, Member } from '../../platform/prisma/generated/client.js';
import { CLOCK } from '../../platform/tokens.js';
import { ProjectionService } from '../projection/index.js';
import {
  type ApplicationsArgs,
  type ApplicationState,
  type ApplicationType,
  type DescribeApplicationInput,
  type MemberType,
} from './membership.types.js';

const APPLICATION_STATES: readonly ApplicationState[] = ['pending', 'accepted', 'declined'];

@Injectable()
export class MembershipService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly prisma: PrismaService,
    private readonly projection: ProjectionService,
  ) {}

  /** In order of joining. */
  async members(loaders: Loaders, daoId: DaoId, args: PageArgs): Promise<Connection<MemberType>> {
    const page = pageOf('members', args);
    const rows = await pageByEvent(loaders, this.prisma, {
      list: { table: 'member', parent: 'dao_id', order: 'asc' },
      parent: daoId,
      page,
      rows: (where) => this.prisma.member.findMany({ where }),
      parentOf: (row) => row.daoId,
    });
    return connectionFrom('members', page, rows, (row) => [row.eventSeq], toMember);
  }

  /** Newest first. */
  async memberships(address: Address, args: PageArgs): Promise<Connection<MemberType>> {
    const page = pageOf('memberships', args);
    const before = page.after?.[0];
    const rows = await this.prisma.member.findMany({
      where: { address, ...(before !== undefined && { eventSeq: { lt: before } }) },
      orderBy: { eventSeq: 'desc' },
      take: page.take,
    });
    return connectionFrom('memberships', page, rows, (row) => [row.eventSeq], toMember);
  }

  async member(loaders: Loaders, daoId: DaoId, address: Hex32): Promise<MemberType | null> {
    const row = await loaders.load('member', `${daoId}:${address}`, async (keys) => {
      const wanted = keys.map((key) => {
        const [dao = '', member = ''] = key.split(':');
        return { daoId: dao, address: member };
      });
      const rows = await this.prisma.member.findMany({ where: { OR: wanted } });
      return byKey(rows, (each) => `${each.daoId}:${each.address}`);
    });
    return row === null ? null : toMember(row);
  }

  /** Who is told what else only those who are concerned see: uses, earnings, the treasury's account. */
  async isAdministrator(loaders: Loaders, daoId: DaoId, address: Address): Promise<boolean> {
    return (await this.member(loaders, daoId, address))?.roles.includes('administrator') ?? false;
  }
  async administeredBy(address: Address): Promise<DaoId[]> {
    const rows = await this.prisma.member.findMany({ where: { address } });
    return rows.filter((row) => hasRole(row, 'administrator')).map((row) => asId(row.daoId, 'daoId'));
  }

  /** Newest first. */
  async applications(loaders: Loaders, daoId: DaoId, args: ApplicationsArgs): Promise<Connection<ApplicationType>> {
    const page = pageOf('applications', args);
    const state = args.state ?? null;
    const where = state === null ? undefined : whereEquals('state', state);
    const rows = await pageByEvent(loaders, this.prisma, {
      list: { table: 'application', parent: 'dao_id', order: 'desc', where },
      parent: daoId,
      page,
      rows: (where) => this.prisma.application.findMany({ where }),
      parentOf: (row) => row.daoId,
    });
    return connectionFrom('applications', page, rows, (row) => [row.eventSeq], toApplication);
  }

  /** For the applicant and for members; null for others, and where the applicant has not left its words here. */
  async statement(loaders: Loaders, viewer: Viewer | null, application: ApplicationType): Promise<string | null> {
    if (viewer === null || viewer.scopes?.includes('read') === false) return null;
    const { applicant, daoId, statementHash } = application;
    const isInsider = viewer.address === applicant || (await this.member(loaders, daoId, viewer.address)) !== null;
    if (!isInsider) return null;
    const row = await loaders.load('statement', `${daoId}:${applicant}:${statementHash}`, async (keys) => {
      const wanted = keys.map((key) => {
        const [dao = '', who = '', digest = ''] = key.split(':');
        return { daoId: dao, applicant: who, digest };
      });
      const rows = await this.prisma.statement.findMany({ where: { OR: wanted } });
      return byKey(rows, (each) => `${each.daoId}:${each.applicant}:${each.digest}`);
    });
    return row?.statement ?? null;
  }

  /** The words are kept only if they are the ones whose digest the chain has. */
  async describe(applicant: Address, { daoId, statement }: DescribeApplicationInput): Promise<ApplicationType> {
    requireStatement(statement);
    const row = await this.projection.waitFor(() =>
      this.prisma.application.findFirst({ where: { daoId, applicant }, orderBy: { eventSeq: 'desc' } }),
    );
    if (row === null) throw refuse('NOT_FOUND', { daoId, applicant });
    const digest = statementDigest(statement);
    if (digest !== row.statementHash) {
      throw refuse('INVALID_ARGUMENT', { field: 'statement', expected: "words of the chain's statementHash" });
    }
    await this.prisma.statement.upsert({
      where: { daoId_applicant_digest: { daoId, applicant, digest } },
      create: { daoId, applicant, digest, statement, toldAt: toDate(this.clock.nowMs()) },
      update: {},
    });
    return toApplication(row);
  }
}

const toMember = (row: Member): MemberType => ({
  __typename: 'Member',
  id: globalId('Member', asId(row.daoId, 'daoId'), asId(row.address, 'address')),
  daoId: asId(row.daoId, 'daoId'),
  address: asId(row.address, 'address'),
  roles: roleNames(row.roles),
  ordinal: row.ordinal,
  earnedUnits: asAmount(toBigint(row.earnedUnits)),
  joinedAtMs: toMs(row.joinedAt),
});

const toApplication = (row: Application): ApplicationType => ({
  __typename: 'Application',
  daoId: asId(row.daoId, 'daoId'),
  applicant: asId(row.applicant, 'applicant'),
  statementHash: asId(row.statementHash, 'statementHash'),
  state: APPLICATION_STATES.find((state) => state === row.state) ?? 'pending',
  appliedAtMs: toMs(row.appliedAt),
  decidedAtMs: toMsOrNull(row.decidedAt),
});
