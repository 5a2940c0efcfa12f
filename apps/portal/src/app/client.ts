import { openChain, type WalletSigner } from '@usufruct/chain';
import { connect, type UsufructClient } from '@usufruct/sdk';
import { httpBlobStore, localLeases, type IdCheckOptions } from '@usufruct/walrus';
import { indexedDbJournal } from '../work/journal.js';
import type { PortalConfig } from './config.js';

export type PortalClient = UsufructClient;

/** The SDK's client for one account, on the page and in the worker alike. Nothing is asked of anybody yet. */
export function connectPortal(config: PortalConfig, signer: WalletSigner, idCheck?: IdCheckOptions): PortalClient {
  const { apiUrl, suiNetwork, chainUrl, sui, publisherUrl, aggregatorUrl, holderUrls, teeDevRoot } = config;
  const shards = storeShards(config);
  // How many files a quilt holds follows from the shards; without their number there are none.
  const coded = shards === undefined ? { maxQuiltFiles: 0 } : { shards, ...(idCheck !== undefined && { idCheck }) };
  // The local store stands in for the transactions of a lease's owner, too.
  const leases = suiNetwork === 'local' ? { leases: localLeases({ url: publisherUrl }) } : {};
  return connect({
    apiUrl,
    chain: openChain({ suiNetwork, chainUrl, sui }),
    store: httpBlobStore({ publisherUrl, aggregatorUrl, ...coded, ...leases }),
    // Where a publisher pays, the contributor owns the lease: what the DAO wants deletable its owner can delete.
    storage: { own: suiNetwork !== 'local' },
    holders: holderUrls.map((url) => ({ url })),
    signer,
    journal: indexedDbJournal(signer.address),
    // A challenge for another domain, passed on by this API, would sign the user in there.
    signInDomain: config.signInDomain ?? self.location.host,
    ...(teeDevRoot !== undefined && { teeDevRoot }),
  });
}

const WALRUS_SHARDS = 1_000;
const WALRUS = ['testnet', 'mainnet'];

/** Over how many shards the store codes, where that is known: what blob ids are computed for. */
export const storeShards = ({ storeShards: said, suiNetwork }: PortalConfig): number | undefined =>
  said ?? (WALRUS.includes(suiNetwork) ? WALRUS_SHARDS : undefined);
