import type { ChainInfo } from '@usufruct/protocol';
import type { Chain } from './port.js';

const known = new WeakMap<object, ChainInfo>();

/**
 * Which chain this is, asked once: its ids are what makes it that chain. Should there be another one behind the same
 * address, it refuses what was signed for this one.
 */
export async function chainInfoOf(chain: Pick<Chain, 'info'>): Promise<ChainInfo> {
  const info = known.get(chain) ?? (await chain.info());
  known.set(chain, info);
  return info;
}
