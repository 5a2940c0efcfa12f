import { openChain, type WalletSigner } from '@usufruct/chain';
import { connect, type UsufructClient } from '@usufruct/sdk';
import { httpBlobStore } from '@usufruct/walrus';
import { indexedDbJournal } from '../work/journal.js';
import type { PortalConfig } from './config.js';

export type PortalClient = UsufructClient;

/** The SDK's client for one account, on the page and in the worker alike. Nothing is asked of anybody yet. */
export function connectPortal(config: PortalConfig, signer: WalletSigner): PortalClient {
  const { apiUrl, suiNetwork, chainUrl, sui, publisherUrl, aggregatorUrl, holderUrls, teeDevRoot } = config;
  return connect({
    apiUrl,
    chain: openChain({ suiNetwork, chainUrl, sui }),
    store: httpBlobStore({ publisherUrl, aggregatorUrl }),
    holders: holderUrls.map((url) => ({ url })),
    signer,
    journal: indexedDbJournal(signer.address),
    // A challenge for another domain, passed on by this API, would sign the user in there.
    signInDomain: config.signInDomain ?? self.location.host,
    ...(teeDevRoot !== undefined && { teeDevRoot }),
  });
}
