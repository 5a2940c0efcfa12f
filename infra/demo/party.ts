import { keypairSigner, LocalChainClient, type WalletSigner } from '@usufruct/chain';
import { systemRandom, type Address } from '@usufruct/kernel';
import { connect, memoryJournal, type UsufructClient } from '@usufruct/sdk';
import { httpBlobStore, localLeases } from '@usufruct/walrus';
import type { Endpoints } from './endpoints.js';

/** Somebody with a wallet of their own and their own view of the chain. */
export interface Party {
  readonly name: string;
  readonly address: Address;
  readonly signer: WalletSigner;
  readonly client: UsufructClient;
}

export function newParty(name: string, endpoints: Endpoints): Party {
  const signer = keypairSigner(systemRandom(32));
  const { apiUrl, chainUrl, publisherUrl, aggregatorUrl, holderUrls, teeDevRoot } = endpoints;
  const client = connect({
    apiUrl,
    chain: new LocalChainClient({ url: chainUrl }),
    store: httpBlobStore({ publisherUrl, aggregatorUrl, leases: localLeases({ url: publisherUrl }) }),
    holders: holderUrls.map((url) => ({ url })),
    signer,
    journal: memoryJournal(),
    teeDevRoot,
  });
  return { name, address: signer.address, signer, client };
}
