import type { ClientWithCoreApi } from '@mysten/sui/client';
import { refuse, type Address, type Hex32 } from '@usufruct/kernel';
import type { PreparedTransaction } from '../../port.js';
import { suiRefusal } from '../failures.js';
import { chainIdOf } from '../reads/sui-reader.js';
import {
  KeptTransactions,
  madeObject,
  madePackage,
  SUI_TIMEOUT_MS,
  type KeptTransactionsOptions,
} from './kept-transactions.js';
import type { MovePackage } from './package-digest.js';
import { openTransaction, publishTransaction, type UpgradePolicy } from './publish-transactions.js';

/** What is known of a publication so far; the caller keeps it, before and after every step. */
export interface Publication {
  readonly chainId: string;
  readonly publisher: Address;
  readonly packageDigest: string;
  readonly upgrades: UpgradePolicy;
  readonly protocolAccount: Address;
  readonly publishing?: PreparedTransaction;
  readonly packageId?: Hex32;
  readonly publisherCap?: Hex32;
  readonly upgradeCap?: Hex32 | null;
  readonly opening?: PreparedTransaction;
  readonly registryId?: Hex32;
  /** Null when there are no upgrades, or none any more. */
  readonly timelockId?: Hex32 | null;
  readonly upgradeAdminId?: Hex32 | null;
  /** A later step that is not known to be over. */
  readonly changing?: {
    readonly kind: UpgradeChangeKind;
    /** What was announced or used, as the compiler prints it; null where it does not matter. */
    readonly digest: string | null;
    readonly transaction: PreparedTransaction;
  };
  /** The version that runs, once the package was upgraded. */
  readonly callPackageId?: Hex32;
}
export const UPGRADE_CHANGES = ['announce', 'cancel', 'upgrade', 'burn'] as const;
export type UpgradeChangeKind = (typeof UPGRADE_CHANGES)[number];

export interface PublisherOptions extends KeptTransactionsOptions {
  /** Makes what is known durable; a step is sent only once it is. */
  readonly keep: (publication: Publication) => Promise<void> | void;
}

/** Resolved and simulated, not signed: what publishing would send. */
export async function dryRunPublish(
  pack: MovePackage,
  sender: Address,
  upgrades: UpgradePolicy,
  client: ClientWithCoreApi,
): Promise<{ chainId: string; sizeBytes: number; gasBudgetMist: bigint }> {
  const tx = publishTransaction(pack, sender, upgrades);
  const bytes = await tx.build({ client }).catch((error: unknown) => {
    throw suiRefusal(error);
  });
  const chainId = await chainIdOf(client, SUI_TIMEOUT_MS);
  return { chainId, sizeBytes: bytes.length, gasBudgetMist: BigInt(tx.getData().gasData.budget ?? 0) };
}

/**
 * Publishes the package and opens its registry. Can be killed anywhere and called again with what was kept: every
 * transaction is signed and kept before it is sent, and looked up before it is sent again.
 */
export async function publish(pack: MovePackage, begun: Publication, options: PublisherOptions): Promise<Publication> {
  const transactions = new KeptTransactions(options);
  await transactions.requireChain(begun.chainId);
  let known = begun;
  if (known.packageId === undefined) known = await publishPackage(transactions, pack, known, options);
  if (known.registryId === undefined) known = await openRegistry(transactions, known, options);
  return known;
}

async function publishPackage(
  transactions: KeptTransactions,
  pack: MovePackage,
  known: Publication,
  { keep, signer }: PublisherOptions,
): Promise<Publication> {
  const result = await transactions.once(
    known.publishing,
    () => publishTransaction(pack, signer.address, known.upgrades),
    (publishing) => keep({ ...known, publishing }),
  );
  const { publishing: _done, ...rest } = known;
  const next: Publication = {
    ...rest,
    packageId: madePackage(result),
    publisherCap: madeObject(result, '::registry::PublisherCap'),
    upgradeCap: known.upgrades === 'burn' ? null : madeObject(result, '::package::UpgradeCap'),
  };
  await keep(next);
  return next;
}

async function openRegistry(
  transactions: KeptTransactions,
  known: Publication,
  { keep, signer }: PublisherOptions,
): Promise<Publication> {
  const { packageId, publisherCap, upgradeCap = null, chainId, protocolAccount, upgrades } = known;
  if (packageId === undefined || publisherCap === undefined) throw refuse('INTERNAL', { reason: 'nothing published' });
  const open = { packageId, publisherCap, upgradeCap, upgrades, chainId, protocolAccount };
  const result = await transactions.once(
    known.opening,
    () => openTransaction(open, signer.address),
    (opening) => keep({ ...known, opening }),
  );
  const { opening: _done, ...rest } = known;
  const next: Publication = {
    ...rest,
    registryId: madeObject(result, '::registry::Registry'),
    timelockId: upgrades === 'burn' ? null : madeObject(result, '::upgrade_timelock::UpgradeTimelock'),
    upgradeAdminId: upgrades === 'burn' ? null : madeObject(result, '::upgrade_timelock::UpgradeAdmin'),
  };
  await keep(next);
  return next;
}
