import { Inject, Injectable } from '@nestjs/common';
import { Args, Field, ObjectType, Query, Resolver } from '@nestjs/graphql';
import { refuse, type Address, type DaoId } from '@usufruct/kernel';
import type { SignedWalkNotice } from '@usufruct/protocol';
import { CurrentViewer, RequireScope, type Viewer } from '../../platform/auth/index.js';
import type { Config } from '../../platform/config/config.js';
import { Base64, Hex32Scalar } from '../../platform/graphql/index.js';
import { PrismaService } from '../../platform/prisma/index.js';
import { CONFIG } from '../../platform/tokens.js';
import { RunnerClient } from '../job/index.js';

@ObjectType('SignedWalkNotice', { description: "A runner's own word: WalkNoticeBcs, signed with its attested key." })
export class SignedWalkNoticeType implements SignedWalkNotice {
  @Field(() => Base64)
  notice!: string;
  @Field(() => Base64)
  signature!: string;
}

@ObjectType({ description: 'Askers who seem to walk through datasets, as the runners in reach say.' })
export class WalkNotices {
  @Field(() => [SignedWalkNoticeType])
  notices!: SignedWalkNoticeType[];
  @Field({ description: 'Every runner that this API knows has answered.' })
  complete!: boolean;
}

/** Passes on what runners have signed, to those whom it concerns; keeps nothing of it. */
@Injectable()
export class WalkNoticeService {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly prisma: PrismaService,
    private readonly runners: RunnerClient,
  ) {}

  /** Refuses `FORBIDDEN` to whoever is neither a member of the DAO nor has contributed to it what was accepted. */
  async ofDao(viewer: Address, daoId: DaoId): Promise<WalkNotices> {
    if (!(await this.isConcerned(viewer, daoId))) {
      throw refuse('FORBIDDEN', { needs: 'a member of the DAO, or somebody who has contributed to it' });
    }
    const urls = this.config.runnerUrls;
    const answers = await Promise.allSettled(urls.map((url) => this.runners.walks(url, daoId)));
    const came = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    return { notices: came.flatMap(({ notices }) => notices), complete: came.length === urls.length };
  }

  private async isConcerned(viewer: Address, daoId: DaoId): Promise<boolean> {
    const member = await this.prisma.member.count({ where: { daoId, address: viewer } });
    if (member > 0) return true;
    const datasets = await this.prisma.dataset.findMany({ where: { daoId }, select: { id: true } });
    const datasetId = { in: datasets.map(({ id }) => id) };
    return (await this.prisma.contribution.count({ where: { datasetId, owner: viewer, state: 'accepted' } })) > 0;
  }
}

@Resolver()
export class WalkNoticeResolver {
  constructor(private readonly service: WalkNoticeService) {}

  @RequireScope('read')
  @Query(() => WalkNotices, { description: 'For members of the DAO, and those who have contributed to it.' })
  walkNotices(
    @CurrentViewer() viewer: Viewer,
    @Args('daoId', { type: () => Hex32Scalar }) daoId: DaoId,
  ): Promise<WalkNotices> {
    return this.service.ofDao(viewer.address, daoId);
  }
}
