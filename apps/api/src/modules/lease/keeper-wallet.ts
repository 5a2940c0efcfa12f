import { Inject, Injectable } from '@nestjs/common';
import { keypairSigner, type WalletSigner } from '@usufruct/chain';
import type { Address } from '@usufruct/kernel';
import { deriveKey } from '../../platform/auth/index.js';
import type { Config } from '../../platform/config/config.js';
import { CONFIG } from '../../platform/tokens.js';

/**
 * The lease keeper's wallet: apart from the one that ends jobs, because a DAO may make this one a steward and pay it.
 * A steward also decides on applications and contributions; the contracts know no smaller role.
 */
@Injectable()
export class KeeperWallet {
  readonly signer: WalletSigner;
  constructor(@Inject(CONFIG) config: Config) {
    const key = deriveKey(config.authSecret, 'lease-keeper-wallet');
    this.signer = keypairSigner(key);
  }
  get address(): Address {
    return this.signer.address;
  }
}
