import { refuse } from '@usufruct/kernel';
import { LocalChainClient, type LocalChainOptions } from './local-chain-client.js';
import type { Chain } from './port.js';
import { LOCAL_NETWORK } from './stand-ins.js';

export interface OpenChainOptions extends Omit<LocalChainOptions, 'url'> {
  /** `local`, or the name or address of a Sui network. */
  readonly suiNetwork: string;
  /** The local chain's address, when the network is `local`. */
  readonly chainUrl?: string | undefined;
}

/**
 * The chain that the configuration names; nothing is asked of it yet. Refuses `CONFIG_INVALID`: the local chain
 * without an address, and every Sui network, because this version has published no Move package to any.
 */
export function openChain({ suiNetwork, chainUrl, ...options }: OpenChainOptions): Chain {
  if (suiNetwork !== LOCAL_NETWORK) {
    throw refuse('CONFIG_INVALID', {
      setting: 'SUI_NETWORK',
      reason: 'the Move package of this version is not published on any Sui network; set it to local',
    });
  }
  if (chainUrl === undefined || !URL.canParse(chainUrl)) {
    throw refuse('CONFIG_INVALID', { setting: 'CHAIN_URL', reason: "the local chain's address is needed" });
  }
  return new LocalChainClient({ ...options, url: chainUrl });
}
