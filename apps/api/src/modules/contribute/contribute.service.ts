import { Injectable } from '@nestjs/common';
import { refuse, type Address, type ContributionId, type DatasetId } from '@usufruct/kernel';
import type { ContributionView } from '@usufruct/protocol';
import type { Viewer } from '../../platform/auth/index.js';
import { connectionFrom, pageOf, type Connection, type Loaders } from '../../platform/graphql/index.js';
import { DaoService, MembershipService } from '../dao/index.js';
import { toContribution, toContributionView } from './contribute.mapper.js';
import { ContributionRepository } from './contribute.repository.js';
import type { ContributionsArgs, ContributionType, DatasetContributionsArgs } from './contribute.types.js';

@Injectable()
export class ContributionService {
  constructor(
    private readonly repository: ContributionRepository,
    private readonly daos: DaoService,
    private readonly members: MembershipService,
  ) {}

  /** What is asked for; without any filter, the caller's own. */
  async find(viewer: Address, args: ContributionsArgs): Promise<Connection<ContributionType>> {
    const page = pageOf('contributions', args);
    const { owner, datasetId, state } = args;
    const anyone = (owner ?? null) !== null || (datasetId ?? null) !== null;
    const filter = {
      owner: owner ?? (anyone ? undefined : viewer),
      datasetId: datasetId ?? undefined,
      state: state ?? undefined,
    };
    const rows = await this.repository.find(filter, page);
    return connectionFrom('contributions', page, rows, (row) => [row.eventSeq], toContribution);
  }

  async ofDataset(
    loaders: Loaders,
    datasetId: DatasetId,
    args: DatasetContributionsArgs,
  ): Promise<Connection<ContributionType>> {
    const page = pageOf('contributions', args);
    const rows = await this.repository.loadOf(loaders, datasetId, args.state ?? null, page);
    return connectionFrom('contributions', page, rows, (row) => [row.eventSeq], toContribution);
  }

  count(loaders: Loaders, datasetId: DatasetId): Promise<number> {
    return this.repository.loadCount(loaders, datasetId);
  }
  async acceptedViews(datasetId: DatasetId): Promise<ContributionView[]> {
    return (await this.repository.accepted(datasetId)).map(toContributionView);
  }
  async contribution(loaders: Loaders, id: ContributionId): Promise<ContributionType | null> {
    const row = await this.repository.load(loaders, id);
    return row === null ? null : toContribution(row);
  }

  /** Uses and earnings are for the owner and for the DAO's administrators. */
  async requireInsider(loaders: Loaders, viewer: Viewer, contribution: ContributionType): Promise<void> {
    if (viewer.address === contribution.owner) return;
    const dataset = await this.daos.dataset(loaders, contribution.datasetId);
    const isAdministrator =
      dataset !== null && (await this.members.isAdministrator(loaders, dataset.daoId, viewer.address));
    if (!isAdministrator) throw refuse('FORBIDDEN', { needs: 'the owner, or an administrator of the DAO' });
  }
}
