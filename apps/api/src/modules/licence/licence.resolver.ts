import { Args, Context, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql';
import type { LicenceId } from '@usufruct/kernel';
import { CurrentViewer, RequireScope, requireViewer, type Viewer } from '../../platform/auth/index.js';
import { Hex32Scalar, PageArgs, type Connection, type GraphqlContext } from '../../platform/graphql/index.js';
import { DaoType } from '../dao/index.js';
import { LicenceService } from './licence.service.js';
import { LicenceConnection, LicenceOfferConnection, LicenceType, type LicenceOfferType } from './licence.types.js';

@Resolver(() => DaoType)
export class DaoLicencesResolver {
  constructor(private readonly service: LicenceService) {}

  @ResolveField(() => LicenceOfferConnection, { description: 'Newest first, withdrawn ones included.' })
  licenceOffers(
    @Parent() dao: DaoType,
    @Args() page: PageArgs,
    @Context() { loaders }: GraphqlContext,
  ): Promise<Connection<LicenceOfferType>> {
    return this.service.offersOf(loaders, dao.daoId, page);
  }

  @ResolveField(() => LicenceConnection, { description: 'That it has sold, newest first. For who is signed in.' })
  licences(
    @Parent() dao: DaoType,
    @Args() page: PageArgs,
    @Context() { loaders, viewer }: GraphqlContext,
  ): Promise<Connection<LicenceType>> {
    requireViewer(viewer, 'read');
    return this.service.soldBy(loaders, dao.daoId, page);
  }
}

@RequireScope('read')
@Resolver()
export class LicenceResolver {
  constructor(private readonly service: LicenceService) {}

  @Query(() => LicenceConnection, { description: "The viewer's own, newest first, expired ones included." })
  licences(@CurrentViewer() viewer: Viewer, @Args() page: PageArgs): Promise<Connection<LicenceType>> {
    return this.service.heldBy(viewer.address, page);
  }

  @Query(() => LicenceType, { nullable: true })
  licence(@Args('licenceId', { type: () => Hex32Scalar }) licenceId: LicenceId): Promise<LicenceType | null> {
    return this.service.licence(licenceId);
  }
}
