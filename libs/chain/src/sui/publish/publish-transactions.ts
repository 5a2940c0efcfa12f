import { Transaction } from '@mysten/sui/transactions';
import type { Address, Hex32 } from '@usufruct/kernel';
import type { MovePackage } from './package-digest.js';

/** What becomes of the right to upgrade: behind a delay of this long, or gone for ever. */
export type UpgradePolicy = { readonly delayMs: number } | 'burn';

/** Publishes. With `burn` the right to upgrade is destroyed at once; otherwise the sender has it until the next step. */
export function publishTransaction(pack: MovePackage, sender: Address, upgrades: UpgradePolicy): Transaction {
  const tx = new Transaction();
  tx.setSender(sender);
  const [cap] = tx.publish({ modules: [...pack.modules], dependencies: [...pack.dependencies] });
  if (upgrades === 'burn') tx.moveCall({ target: '0x2::package::make_immutable', arguments: [cap!] });
  else tx.transferObjects([cap!], sender);
  return tx;
}

export interface OpenRegistry {
  readonly packageId: Hex32;
  /** Of the publisher, made by the publication. */
  readonly publisherCap: Hex32;
  /** Null when it was burnt. */
  readonly upgradeCap: Hex32 | null;
  readonly upgrades: UpgradePolicy;
  readonly chainId: string;
  readonly protocolAccount: Address;
}

/** Opens the registry and puts the right to upgrade behind its delay, in one transaction. */
export function openTransaction(open: OpenRegistry, sender: Address): Transaction {
  const { packageId, publisherCap, upgradeCap, upgrades, chainId, protocolAccount } = open;
  const tx = new Transaction();
  tx.setSender(sender);
  tx.moveCall({
    target: `${packageId}::registry::open`,
    arguments: [tx.object(publisherCap), tx.pure.string(chainId), tx.pure.address(protocolAccount)],
  });
  if (upgrades !== 'burn' && upgradeCap !== null) {
    const [admin] = tx.moveCall({
      target: `${packageId}::upgrade_timelock::lock`,
      arguments: [tx.object(upgradeCap), tx.pure.u64(upgrades.delayMs)],
    });
    tx.transferObjects([admin!], sender);
  }
  return tx;
}
