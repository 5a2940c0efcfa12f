import { Inject, Injectable } from '@nestjs/common';
import { refuse, type Address, type Clock, type DaoId, type DatasetId, type Digest } from '@usufruct/kernel';
import { metadataDigest, requireMetadata, type Metadata } from '@usufruct/protocol';
import { connectionFrom, pageOf, type Connection, type Loaders, type PageArgs } from '../../platform/graphql/index.js';
import { CLOCK } from '../../platform/tokens.js';
import { ProjectionService } from '../projection/index.js';
import { toDao, toDaoView, toDataset, type ProjectedDao } from './dao.mapper.js';
import { DaoRepository } from './dao.repository.js';
import { MembershipService } from './membership.service.js';
import type { DaoType, DatasetType, DescribeDaoInput, DescribeDatasetInput } from './dao.types.js';

@Injectable()
export class DaoService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly repository: DaoRepository,
    private readonly projection: ProjectionService,
    private readonly membership: MembershipService,
  ) {}

  async daos(args: PageArgs): Promise<Connection<DaoType>> {
    const page = pageOf('daos', args);
    return connectionFrom('daos', page, await this.repository.daos(page), (row) => [row.eventSeq], toDao);
  }
  async datasets(loaders: Loaders, daoId: DaoId | null, args: PageArgs): Promise<Connection<DatasetType>> {
    const page = pageOf('datasets', args);
    const rows =
      daoId === null
        ? await this.repository.datasets(page)
        : await this.repository.loadDatasetsOf(loaders, daoId, page);
    return connectionFrom('datasets', page, rows, (row) => [row.eventSeq], toDataset);
  }

  async dao(loaders: Loaders, id: DaoId): Promise<DaoType | null> {
    const row = await this.repository.loadDao(loaders, id);
    return row === null ? null : toDao(row);
  }
  async dataset(loaders: Loaders, id: DatasetId): Promise<DatasetType | null> {
    const row = await this.repository.loadDataset(loaders, id);
    return row === null ? null : toDataset(row);
  }
  async daoView(loaders: Loaders, id: DaoId): Promise<ProjectedDao> {
    const row = await this.repository.loadDao(loaders, id);
    if (row === null) throw refuse('NOT_FOUND', { daoId: id });
    return toDaoView(row);
  }
  async daosAdministeredBy(address: Address): Promise<ProjectedDao[]> {
    const ids = await this.membership.administeredBy(address);
    return (await this.repository.daosOf(ids)).map(toDaoView);
  }
  async metadata(loaders: Loaders, digest: Digest): Promise<Metadata | null> {
    return this.repository.loadDescription(loaders, digest);
  }

  async describeDao(loaders: Loaders, caller: Address, input: DescribeDaoInput): Promise<DaoType> {
    const row = await this.projection.waitFor(() => this.repository.dao(input.daoId));
    if (row === null) throw refuse('NOT_FOUND', { daoId: input.daoId });
    // Its founder's membership is the chain's next event, which may not be projected yet.
    if (caller !== row.founder) await this.requireMember(loaders, input.daoId, caller);
    await this.keepWords(row.metadataHash, input);
    return toDao(row);
  }

  async describeDataset(loaders: Loaders, caller: Address, input: DescribeDatasetInput): Promise<DatasetType> {
    const row = await this.projection.waitFor(() => this.repository.dataset(input.datasetId));
    if (row === null) throw refuse('NOT_FOUND', { datasetId: input.datasetId });
    const dataset = toDataset(row);
    await this.requireMember(loaders, dataset.daoId, caller);
    await this.keepWords(row.metadataHash, input);
    return dataset;
  }

  /** Any member may make datasets on the chain, so any may say what they are. */
  private async requireMember(loaders: Loaders, daoId: DaoId, caller: Address): Promise<void> {
    const member = await this.membership.member(loaders, daoId, caller);
    if (member === null) throw refuse('FORBIDDEN', { needs: 'a member of the DAO' });
  }

  /** Keeps the words behind a hash of the chain; refuses `INVALID_ARGUMENT` for any others. */
  async keepWords(hash: string, { title, description }: Metadata): Promise<void> {
    requireMetadata({ title, description });
    const digest = metadataDigest({ title, description });
    if (digest !== hash) {
      throw refuse('INVALID_ARGUMENT', { field: 'title, description', expected: "words of the chain's hash" });
    }
    await this.repository.saveDescription(digest, { title, description }, this.clock.nowMs());
  }
}
