import { Inject, Injectable } from '@nestjs/common';
import type { Chain } from '@usufruct/chain';
import {
  asId,
  isErrorCode,
  refuse,
  ZERO_UNITS,
  UsufructError,
  type Address,
  type ContributionId,
  type DaoId,
} from '@usufruct/kernel';
import { statementDigest } from '@usufruct/protocol';
import type { Config } from '../../platform/config/config.js';
import { byKey, type Loaders } from '../../platform/graphql/index.js';
import { PrismaService, toMs } from '../../platform/prisma/index.js';
import { CHAIN, CONFIG } from '../../platform/tokens.js';
import { MembershipService } from '../dao/index.js';
import { KeeperWallet } from './keeper-wallet.js';
import { leaseLevel } from './lease-terms.js';
import { LeaseRepository } from './lease.repository.js';
import type { Availability, ContributionStorageType, DaoStorageType, LeaseWarningType } from './lease.types.js';
import { StorageBooks } from './storage-books.js';

const OWNERS = 100;
const WARNINGS = 100;
const STATEMENT =
  'The lease keeper of this service asks to join. As a steward it renews the storage of contributions out of what the treasury pays to its wallet.';

/** What is told of storage: to owners of theirs, to everybody who is signed in of what a DAO pays. */
@Injectable()
export class LeaseService {
  constructor(
    @Inject(CHAIN) private readonly chain: Chain,
    @Inject(CONFIG) private readonly config: Config,
    private readonly prisma: PrismaService,
    private readonly repository: LeaseRepository,
    private readonly books: StorageBooks,
    private readonly keeper: KeeperWallet,
    private readonly members: MembershipService,
  ) {}

  /** Of these, those whose ciphertext no store has any more: no quote counts them, and nothing can be billed for them. */
  async lostAmong(ids: readonly ContributionId[]): Promise<Set<ContributionId>> {
    const rows = await this.prisma.lostContribution.findMany({
      where: { contributionId: { in: [...ids] }, state: 'lost' },
      select: { contributionId: true },
    });
    return new Set(rows.map(({ contributionId }) => asId<ContributionId>(contributionId, 'contributionId')));
  }

  /** One query of each kind for all contributions of a page. */
  async storage(loaders: Loaders, id: ContributionId): Promise<ContributionStorageType> {
    const found = await loaders.load('contribution-storage', id, (ids) => this.storageOf(ids));
    if (found === null) throw refuse('NOT_FOUND', { contributionId: id });
    return found;
  }

  private async storageOf(ids: readonly string[]): Promise<Map<string, ContributionStorageType>> {
    const where = { contributionId: { in: [...ids] } };
    const [epoch, rows, sightings, samples, losses, refusals, open, costs] = await Promise.all([
      this.prisma.storeEpoch.findUnique({ where: { id: 1 } }),
      this.prisma.contribution.findMany({ where: { id: { in: [...ids] } }, select: { id: true, leaseEndEpoch: true } }),
      this.prisma.leaseSighting.findMany({ where }),
      this.prisma.blobSample.findMany({ where, orderBy: { sampledAt: 'asc' } }),
      this.prisma.lostContribution.findMany({ where }),
      this.prisma.renewalRefusal.findMany({ where }),
      this.prisma.leaseRenewal.findMany({ where: { ...where, state: { in: ['planned', 'stored'] } } }),
      this.books.costsOf(ids),
    ]);
    const seen = new Map(sightings.map((row) => [`${row.contributionId}/${row.endEpoch}`, row.seenEpoch]));
    const byId = <T extends { contributionId: string }>(list: T[]) => byKey(list, (row) => row.contributionId);
    // Of several samples, the newest stays.
    const [sampled, lost, refused, renewing] = [byId(samples), byId(losses), byId(refusals), byId(open)];
    return new Map(
      rows.map(({ id, leaseEndEpoch: endEpoch }) => {
        const seenEpoch = seen.get(`${id}/${endEpoch}`) ?? endEpoch;
        const sample = sampled.get(id);
        const code = refused.get(id)?.code;
        const storage: ContributionStorageType = {
          leaseEndEpoch: endEpoch,
          epoch: epoch?.epoch ?? null,
          level: epoch === null ? null : leaseLevel({ seenEpoch, endEpoch }, epoch.epoch),
          availability: availabilityOf(lost.get(id), sample),
          sampledAtMs: sample === undefined ? null : toMs(sample.sampledAt),
          renewing: renewing.has(id),
          notRenewed: isErrorCode(code) ? code : null,
          costUnits: costs.get(id) ?? ZERO_UNITS,
        };
        return [id, storage];
      }),
    );
  }

  async daoStorage(loaders: Loaders, daoId: DaoId): Promise<DaoStorageType> {
    const { lease } = this.config;
    const member = await this.members.member(loaders, daoId, this.keeper.address);
    const budget = await this.prisma.$transaction(async (tx) => {
      await this.books.lock(tx, daoId);
      await this.books.noteFunding(tx, daoId);
      return this.books.budget(tx, daoId);
    });
    const costs = await this.books.costsByOwner(daoId, OWNERS);
    return {
      keeper: this.keeper.address,
      renews: lease.renewEpochs > 0 && (member?.roles.includes('steward') ?? false),
      renewEpochs: lease.renewEpochs,
      unitsPerMibEpoch: lease.unitsPerMibEpoch,
      ...budget,
      costs: costs.map(({ owner, units }) => ({ owner, costUnits: units })),
    };
  }

  /** What the owner was told and can still do something about, the newest first. */
  async warnings(owner: Address): Promise<LeaseWarningType[]> {
    const rows = await this.prisma.leaseWarning.findMany({
      where: { owner },
      orderBy: { ordinal: 'desc' },
      take: WARNINGS,
    });
    const current: LeaseWarningType[] = [];
    const seen = new Set<string>();
    for (const { contributionId, endEpoch, level, warnedAt } of rows) {
      const id = asId<ContributionId>(contributionId, 'contributionId');
      if (seen.has(id)) continue;
      seen.add(id);
      const contribution = await this.repository.find(id);
      // Renewed since, or over.
      if (contribution === null || contribution.endEpoch !== endEpoch) continue;
      if (level === 'lost' && (await this.lostAmong([id])).size === 0) continue;
      current.push({
        contributionId: id,
        level: level as LeaseWarningType['level'],
        endEpoch,
        warnedAtMs: toMs(warnedAt),
      });
    }
    return current;
  }

  /** By an administrator or a steward: the keeper applies for membership, which the DAO then decides on. */
  async invite(loaders: Loaders, caller: Address, daoId: DaoId): Promise<void> {
    const roles = (await this.members.member(loaders, daoId, caller))?.roles ?? [];
    if (!roles.includes('administrator') && !roles.includes('steward')) {
      throw refuse('FORBIDDEN', { needs: 'an administrator or a steward of the DAO' });
    }
    if ((await this.members.member(loaders, daoId, this.keeper.address)) !== null) return;
    try {
      const statementHash = statementDigest(STATEMENT);
      await this.chain.execute([{ kind: 'applyForMembership', daoId, statementHash }], this.keeper.signer);
    } catch (error) {
      // It has applied already, or was let in a moment ago.
      const isDone = error instanceof UsufructError && ['ALREADY_EXISTS', 'ALREADY_MEMBER'].includes(error.code);
      if (!isDone) throw error;
    }
    await this.members.describe(this.keeper.address, { daoId, statement: STATEMENT });
  }
}

function availabilityOf(
  lost: { readonly state: string } | undefined,
  sample: { readonly outcome: string } | undefined,
): Availability {
  if (lost !== undefined) return lost.state === 'lost' ? 'lost' : 'suspected';
  return sample?.outcome === 'readable' ? 'readable' : 'unknown';
}
