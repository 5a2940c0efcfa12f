import { Module } from '@nestjs/common';
import { ContributeModule } from '../contribute/index.js';
import { DaoModule } from '../dao/index.js';
import { BlobSampling } from './blob-sampling.js';
import { BlobPrices } from './blob-prices.js';
import { BlobSource } from './blob-source.js';
import { KeeperWallet } from './keeper-wallet.js';
import { KeptObjects } from './kept-objects.js';
import { LeaseKeeper } from './lease-keeper.js';
import { LeaseRenewals } from './lease-renewals.js';
import { LeaseWarnings } from './lease-warnings.js';
import { LeaseRepository } from './lease.repository.js';
import { ContributionStorageResolver, DaoStorageResolver, LeaseResolver } from './lease.resolver.js';
import { LeaseService } from './lease.service.js';
import { StorageBooks } from './storage-books.js';

@Module({
  imports: [DaoModule, ContributeModule],
  providers: [
    KeeperWallet,
    LeaseRepository,
    StorageBooks,
    BlobPrices,
    BlobSource,
    KeptObjects,
    LeaseWarnings,
    LeaseRenewals,
    BlobSampling,
    LeaseKeeper,
    LeaseService,
    ContributionStorageResolver,
    DaoStorageResolver,
    LeaseResolver,
  ],
  exports: [LeaseService],
})
export class LeaseModule {}
