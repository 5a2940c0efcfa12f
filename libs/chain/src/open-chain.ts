import { refuse } from '@usufruct/kernel';
import { LocalChainClient, type LocalChainOptions } from './local-chain-client.js';
import type { Chain } from './port.js';
import { LOCAL_NETWORK } from './stand-ins.js';
import { openSuiChain } from './sui/open.js';
import type { SuiEventStore } from './sui/events/event-store.js';
import type { SuiOptions } from './sui/settings.js';
import type { Sponsor } from './sui/transactions/sponsor.js';

export interface OpenChainOptions extends Omit<LocalChainOptions, 'url'> {
  /** `local`, or the name or address of a Sui network. */
  readonly suiNetwork: string;
  /** The local chain's address, when the network is `local`. */
  readonly chainUrl?: string | undefined;
  /** Where our package is, when the network is one of Sui. */
  readonly sui?: SuiOptions | undefined;
  /** Pays the gas of what is sent to a Sui network, in place of the one that `sui` names; without either the sender does. */
  readonly sponsor?: Sponsor | undefined;
  /**
   * Keeps what was read of a Sui network's events over restarts; without one, the history is read again each time. The
   * local chain keeps its events itself.
   */
  readonly suiEvents?: SuiEventStore | undefined;
}

/**
 * The chain that the configuration names; nothing is asked of it yet. Refuses `CONFIG_INVALID` with the name of the
 * setting that is missing or wrong.
 */
export function openChain({ suiNetwork, chainUrl, sui = {}, sponsor, suiEvents, ...options }: OpenChainOptions): Chain {
  if (suiNetwork !== LOCAL_NETWORK) {
    const { timeoutMs } = options;
    return openSuiChain({
      suiNetwork,
      sui,
      sponsor,
      eventStore: suiEvents,
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
  }
  if (chainUrl === undefined || !URL.canParse(chainUrl)) {
    throw refuse('CONFIG_INVALID', { setting: 'CHAIN_URL', reason: "the local chain's address is needed" });
  }
  return new LocalChainClient({ ...options, url: chainUrl });
}
