import { Inject } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import { Public } from '../../platform/auth/index.js';
import type { Config } from '../../platform/config/config.js';
import { CONFIG } from '../../platform/tokens.js';
import { Endpoints } from './store.types.js';

/** Ciphertext never passes through here: clients put it into the store themselves. */
@Resolver()
export class StoreResolver {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  @Public()
  @Query(() => Endpoints)
  endpoints(): Endpoints {
    const { holderUrls, publisherUrl, aggregatorUrl } = this.config;
    return { holderUrls, publisherUrl, aggregatorUrl };
  }
}
