import { Inject, Injectable } from '@nestjs/common';
import type { Chain } from '@usufruct/chain';
import { refuse, type Address, type ContributionId } from '@usufruct/kernel';
import type { Config } from '../../platform/config/config.js';
import { CHAIN, CONFIG } from '../../platform/tokens.js';
import { RunnerClient } from '../job/index.js';
import type { RunnerErasures } from './erasure.types.js';

/**
 * Passes an owner's wish on to the runners. Each reads on the chain whether the contribution is retired, and signs what
 * it dropped: the API's word is in none of it. The API itself keeps nothing of a contribution that is not the chain's
 * public record.
 */
@Injectable()
export class ErasureService {
  constructor(
    @Inject(CHAIN) private readonly chain: Chain,
    @Inject(CONFIG) private readonly config: Config,
    private readonly runners: RunnerClient,
  ) {}

  /** Refuses `NOT_FOUND`, `FORBIDDEN` (not the owner, or not retired yet), `CHAIN_UNAVAILABLE`. */
  async eraseAtRunners(viewer: Address, contributionId: ContributionId): Promise<RunnerErasures> {
    const { owner, tombstonedAtMs } = await this.chain.contribution(contributionId);
    if (owner !== viewer) throw refuse('FORBIDDEN', { needs: 'the owner of the contribution' });
    if (tombstonedAtMs === null) throw refuse('FORBIDDEN', { contributionId, reason: 'it is not retired' });
    const urls = this.config.runnerUrls;
    const answers = await Promise.allSettled(urls.map((url) => this.runners.erase(url, contributionId)));
    const runners = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    return { __typename: 'RunnerErasures', contributionId, runners, complete: runners.length === urls.length };
  }
}
