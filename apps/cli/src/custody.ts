import { LOCAL_NETWORK, openSuiClient, SuiChain, type Chain, type WalletSigner } from '@usufruct/chain';
import { refuse } from '@usufruct/kernel';
import type { OpenCustody } from '@usufruct/sdk';
import { localCustody } from '@usufruct/walrus';
import type { Endpoints } from './endpoints.js';

export interface CustodySources {
  readonly endpoints: Pick<Endpoints, 'suiNetwork' | 'publisherUrl'>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signer: WalletSigner;
  readonly chain: Chain;
}

const NETWORKS = ['testnet', 'mainnet'] as const;

/** Where `Blob` objects can be given into custody; undefined on networks whose Walrus nobody knows here. */
export function openCustody({ endpoints, environment, signer, chain }: CustodySources): OpenCustody | undefined {
  const { suiNetwork, publisherUrl } = endpoints;
  if (suiNetwork === LOCAL_NETWORK)
    return async () => localCustody({ url: publisherUrl, chain, owner: signer.address });
  const network = NETWORKS.find((name) => name === suiNetwork);
  if (network === undefined) return undefined;
  return async () => {
    if (!(chain instanceof SuiChain)) throw refuse('INTERNAL', { part: 'custody' });
    // Walrus's SDK takes longer to load than most commands take.
    const { walrusContracts } = await import('@usufruct/walrus/sui');
    const client = openSuiClient(network, environment['SUI_GRPC_URL']);
    return chain.custody(walrusContracts({ network, client }), signer);
  };
}
