import { Inject, Injectable } from '@nestjs/common';
import { keypairSigner, type Chain, type WalletSigner } from '@usufruct/chain';
import { UsufructError, type JobId, type Logger } from '@usufruct/kernel';
import { deriveKey } from '../../platform/auth/index.js';
import type { Config } from '../../platform/config/config.js';
import { CHAIN, CONFIG, LOGGER } from '../../platform/tokens.js';

/**
 * Ends jobs whose term is over, so that nobody's money stays locked because they forgot. Anyone may do so on the
 * chain: the keeper's wallet holds nothing and can divert nothing.
 */
@Injectable()
export class JobKeeper {
  private readonly signer: WalletSigner;

  constructor(
    @Inject(CONFIG) config: Config,
    @Inject(CHAIN) private readonly chain: Chain,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.signer = keypairSigner(deriveKey(config.authSecret, 'keeper-wallet'));
  }

  /** True when the job is closed, by this or by another; false when the chain says that it is not over yet. */
  async expire(jobId: JobId): Promise<boolean> {
    try {
      await this.chain.execute([{ kind: 'expireJob', jobId }], this.signer);
      this.logger.info('job_expired', { jobId });
      return true;
    } catch (error) {
      if (!(error instanceof UsufructError) || error.code !== 'JOB_STATE') throw error;
      return (await this.chain.job(jobId)).state !== 'funded';
    }
  }
}
