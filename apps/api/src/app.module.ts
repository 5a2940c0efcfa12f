import { Module, type DynamicModule } from '@nestjs/common';
import { AttestModule } from './modules/attest/index.js';
import { ComputeModule } from './modules/compute/index.js';
import { ConsentModule } from './modules/consent/index.js';
import { ContractsModule } from './modules/contracts/index.js';
import { ContributeModule } from './modules/contribute/index.js';
import { DaoModule } from './modules/dao/index.js';
import { ErasureModule } from './modules/erasure/index.js';
import { GovernanceModule } from './modules/governance/index.js';
import { JobModule } from './modules/job/index.js';
import { LeaseModule } from './modules/lease/index.js';
import { LicenceModule } from './modules/licence/index.js';
import { PayoutModule } from './modules/payout/index.js';
import { ProjectionModule } from './modules/projection/index.js';
import { ReceiptModule } from './modules/receipt/index.js';
import { ReleaseModule } from './modules/release/index.js';
import { StoreModule } from './modules/store/index.js';
import { PlatformModule } from './platform/platform.module.js';
import type { Outside } from './platform/tokens.js';

@Module({})
export class AppModule {
  static forRoot(outside: Outside): DynamicModule {
    return {
      module: AppModule,
      imports: [
        PlatformModule.forRoot(outside),
        ProjectionModule,
        DaoModule,
        GovernanceModule,
        ContractsModule,
        // the data's path
        ContributeModule,
        StoreModule,
        LeaseModule,
        ConsentModule,
        LicenceModule,
        JobModule,
        AttestModule,
        ReleaseModule,
        ErasureModule,
        ComputeModule,
        ReceiptModule,
        PayoutModule,
      ],
    };
  }
}
