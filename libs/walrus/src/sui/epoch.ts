import type { ClientWithCoreApi } from '@mysten/sui/client';
import { WalrusClient } from '@mysten/walrus';
import { refuse } from '@usufruct/kernel';

export interface WalrusEpochOptions {
  readonly network: 'testnet' | 'mainnet';
  readonly client: ClientWithCoreApi;
}

/** Asks Walrus's system object for the storage epoch of now: the only clock by which leases end. Refuses `UPSTREAM_UNAVAILABLE`. */
export function walrusEpoch({ network, client }: WalrusEpochOptions): () => Promise<number> {
  const walrus = new WalrusClient({ network, suiClient: client });
  return async () => {
    // The package keeps what it has read for good.
    walrus.reset();
    try {
      return (await walrus.systemState()).committee.epoch;
    } catch (cause) {
      throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'Walrus' }, cause);
    }
  };
}
