import { utf8, type Address, type Hex32 } from '@usufruct/kernel';
import { taggedDigest, TAGS, type ChainInfo } from '@usufruct/protocol';

/**
 * What the local chain says of itself. Package, registry and protocol account are digests of its random id: a
 * signature made for one chain is worthless on another, and nobody has a key of the protocol account.
 */
export function localChainInfo(chainId: string): ChainInfo {
  const derived = (name: string): Hex32 => taggedDigest(TAGS.objectId, utf8(name), utf8(chainId));
  return {
    chainId,
    packageId: derived('package'),
    registryId: derived('registry'),
    coin: { type: 'local::lusd', symbol: 'LUSD', decimals: 6 },
    protocolAccount: derived('protocol') as Address,
    standIn: true,
  };
}
