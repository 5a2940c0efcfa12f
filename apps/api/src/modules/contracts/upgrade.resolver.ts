import { Args, Query, Resolver } from '@nestjs/graphql';
import { Public } from '../../platform/auth/index.js';
import { PageArgs, type Connection } from '../../platform/graphql/index.js';
import { UpgradeService } from './upgrade.service.js';
import { PackageUpgradeConnection, UpgradeTimelockType, type PackageUpgradeType } from './upgrade.types.js';

/** For everybody: whoever gave data must learn in time that the rules for its keys are about to change. */
@Resolver()
export class UpgradeResolver {
  constructor(private readonly service: UpgradeService) {}

  @Public()
  @Query(() => UpgradeTimelockType, {
    nullable: true,
    description:
      'Null where no event tells of one: the right was destroyed at publication or lies in somebody’s wallet; the local ledger has no contracts.',
  })
  upgradeTimelock(): Promise<UpgradeTimelockType | null> {
    return this.service.timelock();
  }

  @Public()
  @Query(() => PackageUpgradeConnection, { description: 'Newest first. None on the local ledger.' })
  packageUpgrades(@Args() page: PageArgs): Promise<Connection<PackageUpgradeType>> {
    return this.service.upgrades(page);
  }
}
