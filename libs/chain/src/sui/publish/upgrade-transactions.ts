import { Transaction } from '@mysten/sui/transactions';
import { fromHex, type Address, type Hex32 } from '@usufruct/kernel';
import type { MovePackage } from './package-digest.js';

/** Where the right to upgrade lies, and by whose leave it is used. */
export interface TimelockIds {
  /** The first version: its functions stay callable, so no later one can take the delay away. */
  readonly packageId: Hex32;
  readonly timelockId: Hex32;
  /** Owned by the sender. */
  readonly upgradeAdminId: Hex32;
}

/** `digest` as the compiler prints it. */
export function announceTransaction(ids: TimelockIds, digest: string, sender: Address): Transaction {
  const tx = begin(sender);
  tx.moveCall({
    target: `${ids.packageId}::upgrade_timelock::announce`,
    arguments: [...given(tx, ids), tx.pure.vector('u8', fromHex(digest)), tx.object.clock()],
  });
  return tx;
}

export function cancelTransaction(ids: TimelockIds, sender: Address): Transaction {
  const tx = begin(sender);
  tx.moveCall({ target: `${ids.packageId}::upgrade_timelock::cancel`, arguments: [...given(tx, ids)] });
  return tx;
}

/** Takes the ticket, upgrades `current` with it, and commits: the three must be in one transaction. */
export function upgradeTransaction(
  ids: TimelockIds,
  { modules, dependencies }: MovePackage,
  current: Hex32,
  sender: Address,
): Transaction {
  const tx = begin(sender);
  const [timelock, admin] = given(tx, ids);
  const [ticket] = tx.moveCall({
    target: `${ids.packageId}::upgrade_timelock::authorize`,
    arguments: [timelock, admin, tx.object.clock()],
  });
  const receipt = tx.upgrade({
    modules: [...modules],
    dependencies: [...dependencies],
    package: current,
    ticket: ticket!,
  });
  tx.moveCall({ target: `${ids.packageId}::upgrade_timelock::commit`, arguments: [timelock, receipt] });
  return tx;
}

/** The version that runs stays for ever. */
export function burnTransaction(ids: TimelockIds, sender: Address): Transaction {
  const tx = begin(sender);
  tx.moveCall({ target: `${ids.packageId}::upgrade_timelock::make_immutable`, arguments: [...given(tx, ids)] });
  return tx;
}

function begin(sender: Address): Transaction {
  const tx = new Transaction();
  tx.setSender(sender);
  return tx;
}
const given = (tx: Transaction, { timelockId, upgradeAdminId }: TimelockIds) =>
  [tx.object(timelockId), tx.object(upgradeAdminId)] as const;
