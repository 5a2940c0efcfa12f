import { keypairSigner, LOCAL_NETWORK, refuseStandIns, type WalletSigner } from '@usufruct/chain';
import { refuse } from '@usufruct/kernel';
import type { Runtime } from './runtime.js';

/** Refuses `INVALID_ARGUMENT` for the local ledger: it has no contracts to publish or upgrade. */
export function requireSuiNetwork(network: string): void {
  if (network === LOCAL_NETWORK) {
    throw refuse('INVALID_ARGUMENT', { field: 'network', expected: 'a Sui network; the local chain has no contracts' });
  }
}

/** A wallet file is a stand-in; a real network takes a real key. */
export function publisherWallet(runtime: Runtime, suiNetwork: string): WalletSigner {
  const secret = runtime.walletSecret;
  if (secret === undefined) refuseStandIns({ suiNetwork, standIns: ['development wallet'] });
  return keypairSigner(secret ?? '');
}
