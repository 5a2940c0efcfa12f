import { Inject, Injectable } from '@nestjs/common';
import { decide } from '@usufruct/consent';
import type { AmountUnits, Clock, ContributionId, ErrorCode, GrantId } from '@usufruct/kernel';
import type { ComputationKind, GrantView, ProtectionKind } from '@usufruct/protocol';
import { groupBy, type Loaders } from '../../platform/graphql/index.js';
import { CLOCK } from '../../platform/tokens.js';
import { ContributionService } from '../contribute/index.js';
import type { DatasetType, ProjectedDao } from '../dao/index.js';
import { LeaseService } from '../lease/index.js';
import { toGrant, toGrantView } from './consent.mapper.js';
import { GrantRepository } from './consent.repository.js';
import type { GrantType } from './consent.types.js';

export interface IntendedUse {
  readonly purpose: string;
  readonly kind: ComputationKind;
  readonly protection: ProtectionKind;
  readonly pricePerQuestionUnits: AmountUnits;
}
export interface Usability {
  readonly usable: readonly ContributionId[];
  readonly leftOut: readonly { readonly contributionId: ContributionId; readonly code: ErrorCode }[];
}

/** Advice from the projection, by the same function that the key holders decide with on their own view of the chain. */
@Injectable()
export class ConsentService {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly repository: GrantRepository,
    private readonly contributions: ContributionService,
    private readonly leases: LeaseService,
  ) {}

  async usability(dao: ProjectedDao, dataset: DatasetType, use: IntendedUse): Promise<Usability> {
    const contributions = await this.contributions.acceptedViews(dataset.datasetId);
    const lost = await this.leases.lostAmong(contributions.map((contribution) => contribution.id));
    const rows = await this.repository.of(contributions.map((contribution) => contribution.id));
    const grants = groupBy<GrantView>(rows.map(toGrantView), (grant) => grant.contributionId);
    const usable: ContributionId[] = [];
    const leftOut: { contributionId: ContributionId; code: ErrorCode }[] = [];
    for (const contribution of contributions) {
      const decision = decide({
        contribution,
        dataset: { id: dataset.datasetId, tombstonedAtMs: dataset.tombstonedAtMs },
        grants: grants.get(contribution.id) ?? [],
        dao,
        use: { ...use, daoId: dao.id, datasetId: dataset.datasetId },
        nowMs: this.clock.nowMs(),
      });
      // Consent does not help where there is nothing to open: what is lost is said before anything is paid.
      if (decision.ok && lost.has(contribution.id))
        leftOut.push({ contributionId: contribution.id, code: 'BLOB_LOST' });
      else if (decision.ok) usable.push(contribution.id);
      else leftOut.push({ contributionId: contribution.id, code: decision.refusal.code });
    }
    return { usable, leftOut };
  }

  async grantsOf(loaders: Loaders, contributionId: ContributionId): Promise<GrantType[]> {
    const rows = await this.repository.loadOf(loaders, contributionId);
    return rows.map((row) => toGrant(row, this.clock.nowMs()));
  }
  async grant(id: GrantId): Promise<GrantType | null> {
    const row = await this.repository.grant(id);
    return row === null ? null : toGrant(row, this.clock.nowMs());
  }
}
