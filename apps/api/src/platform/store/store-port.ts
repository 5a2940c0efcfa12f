import { refuse } from '@usufruct/kernel';
import {
  LOCAL_NETWORK,
  openSuiClient,
  SuiChain,
  type BlobCustody,
  type Chain,
  type WalletSigner,
} from '@usufruct/chain';
import { parseAnswer } from '@usufruct/protocol';
import { httpBlobStore, localCustody, localLeases, type BlobStore } from '@usufruct/walrus';
import { walrusContracts, walrusEpoch } from '@usufruct/walrus/sui';
import { z } from 'zod';
import type { Config } from '../config/config.js';
import { exchangeJson } from '../http/index.js';

/** The store as the lease keeper sees it. It holds ciphertext and manifests only: nothing here needs a key. */
export interface StorePort {
  /** Where leases are made longer and lost bytes are put back, at the keeper's expense. */
  readonly blobs: Pick<BlobStore, 'abilities' | 'put' | 'status' | 'extend'>;
  /** Where samples are read; the first is the one that clients and runners are told of. */
  readonly aggregators: readonly Pick<BlobStore, 'get' | 'getPatch' | 'status'>[];
  /** The storage epoch of now, by the store's own clock; null where leases do not end. Refuses `UPSTREAM_*`. */
  epoch(signal?: AbortSignal): Promise<number | null>;
  /** Where `Blob` objects are in custody, as this wallet uses it; not there where no chain of ours knows them. */
  readonly custody?: (wallet: WalletSigner, chain: Chain) => BlobCustody;
}

const UPSTREAM = 'store';
const EPOCH_TIMEOUT_MS = 10_000;
/** A sample must not wait for a store that is slow for all others as well. */
const SAMPLE_TIMEOUT_MS = 20_000;
const zEpoch = z.object({ epoch: z.int().nonnegative() });

export function openStore({ publisherUrl, aggregatorUrl, lease, suiNetwork, sui }: Config): StorePort {
  const reader = (url: string): BlobStore =>
    httpBlobStore({ publisherUrl, aggregatorUrl: url, timeoutMs: SAMPLE_TIMEOUT_MS, tries: 2 });
  // Each is read by itself: one that helps out for another would hide what the other has lost.
  const urls = [...new Set([...aggregatorUrl.split(',').map(trimmed), ...lease.aggregatorUrls])];
  return {
    blobs: httpBlobStore({
      publisherUrl,
      aggregatorUrl,
      ...(suiNetwork === LOCAL_NETWORK && { leases: localLeases({ url: publisherUrl }) }),
    }),
    aggregators: urls.map(reader),
    ...custodyOf({ publisherUrl, suiNetwork, sui }),
    epoch: epochOf(suiNetwork, lease.epochUrl ?? (suiNetwork === LOCAL_NETWORK ? `${urls[0]}/v1/info` : undefined)),
  };
}

const trimmed = (url: string): string => url.trim().replace(/\/+$/, '');

/** On the networks whose Walrus is known, in the contracts; locally in the store that stands in for them. */
function custodyOf(config: Pick<Config, 'publisherUrl' | 'suiNetwork' | 'sui'>): Pick<StorePort, 'custody'> {
  const { publisherUrl: url, suiNetwork: network, sui } = config;
  if (network === LOCAL_NETWORK)
    return { custody: (wallet, chain) => localCustody({ url, chain, owner: wallet.address }) };
  if (network !== 'testnet' && network !== 'mainnet') return {};
  return {
    custody: (wallet, chain) => {
      if (!(chain instanceof SuiChain)) throw refuse('INTERNAL', { part: 'custody' });
      const client = openSuiClient(network, sui.grpcUrl);
      return chain.custody(walrusContracts({ network, client }), wallet);
    },
  };
}

/** The local store says it itself; of Walrus, its system object on the chain; of anything else, what is configured. */
function epochOf(suiNetwork: string, epochUrl: string | undefined): StorePort['epoch'] {
  if (epochUrl !== undefined) {
    const request = { upstream: UPSTREAM, method: 'GET', url: epochUrl, timeoutMs: EPOCH_TIMEOUT_MS } as const;
    return async (signal) =>
      parseAnswer(zEpoch, await exchangeJson({ ...request, ...(signal && { signal }) }), UPSTREAM).epoch;
  }
  if (suiNetwork === 'testnet' || suiNetwork === 'mainnet') {
    return walrusEpoch({ network: suiNetwork, client: openSuiClient(suiNetwork) });
  }
  return () => Promise.reject(refuse('CONFIG_INVALID', { setting: 'STORE_EPOCH_URL' }));
}
