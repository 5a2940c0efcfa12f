import type { ClientWithCoreApi, SuiClientTypes } from '@mysten/sui/client';
import { TransactionDataBuilder, type Transaction } from '@mysten/sui/transactions';
import { refuse, toUsufructError, type Address, type Digest, type Hex32 } from '@usufruct/kernel';
import type { PreparedTransaction, WalletSigner } from '../../port.js';
import { abortRefusal } from '../abort-codes.js';
import { fromSuiDigest, toSuiDigest } from '../digests.js';
import { askSui, suiRefusal } from '../failures.js';
import { chainIdOf } from '../reads/sui-reader.js';
import { signatureOf } from '../transactions/signature.js';
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
  readonly timelockId?: Hex32 | null;
  readonly upgradeAdminId?: Hex32 | null;
}
export interface PublisherOptions {
  readonly client: ClientWithCoreApi;
  readonly signer: WalletSigner;
  /** Makes what is known durable; a step is sent only once it is. */
  readonly keep: (publication: Publication) => Promise<void> | void;
  readonly timeoutMs?: number;
  /** Waits between the look-ups of a transaction that was sent. */
  readonly lookUpAfterMs?: readonly number[];
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
  const chainId = await chainIdOf(client, TIMEOUT_MS);
  return { chainId, sizeBytes: bytes.length, gasBudgetMist: BigInt(tx.getData().gasData.budget ?? 0) };
}

const TIMEOUT_MS = 30_000;
const LOOK_UP_AFTER_MS = [0, 300, 700, 2_000, 5_000];

/**
 * Publishes the package and opens its registry. Can be killed anywhere and called again with what was kept: every
 * transaction is signed and kept before it is sent, and looked up before it is sent again.
 */
export async function publish(pack: MovePackage, begun: Publication, options: PublisherOptions): Promise<Publication> {
  const run = new PublishRun(options);
  await run.requireChain(begun.chainId);
  let known = begun;
  if (known.packageId === undefined) known = await run.publish(pack, known);
  if (known.registryId === undefined) known = await run.open(known);
  return known;
}

type Result = SuiClientTypes.Transaction<{ effects: true; objectTypes: true }>;

class PublishRun {
  readonly #options: Required<PublisherOptions>;

  constructor(options: PublisherOptions) {
    this.#options = { timeoutMs: TIMEOUT_MS, lookUpAfterMs: LOOK_UP_AFTER_MS, ...options };
  }

  /** Refuses `CONFIG_INVALID` when what was begun on one network would go on in another. */
  async requireChain(chainId: string): Promise<void> {
    const found = await chainIdOf(this.#options.client, this.#options.timeoutMs);
    if (found !== chainId)
      throw refuse('CONFIG_INVALID', { setting: 'network', reason: 'it was begun on another one' });
  }

  async publish(pack: MovePackage, known: Publication): Promise<Publication> {
    const { keep, signer } = this.#options;
    const result = await this.#once(
      known.publishing,
      () => publishTransaction(pack, signer.address, known.upgrades),
      (publishing) => keep({ ...known, publishing }),
    );
    const packageId = result.effects.changedObjects.find(({ outputState }) => outputState === 'PackageWrite')?.objectId;
    if (packageId === undefined) throw refuse('UPSTREAM_INVALID', { upstream: 'Sui', field: 'published package' });
    const { publishing: _done, ...rest } = known;
    const next: Publication = {
      ...rest,
      packageId: packageId as Hex32,
      publisherCap: made(result, '::registry::PublisherCap'),
      upgradeCap: known.upgrades === 'burn' ? null : made(result, '::package::UpgradeCap'),
    };
    await keep(next);
    return next;
  }

  async open(known: Publication): Promise<Publication> {
    const { keep, signer } = this.#options;
    const { packageId, publisherCap, upgradeCap = null, chainId, protocolAccount, upgrades } = known;
    if (packageId === undefined || publisherCap === undefined)
      throw refuse('INTERNAL', { reason: 'nothing published' });
    const open = { packageId, publisherCap, upgradeCap, upgrades, chainId, protocolAccount };
    const result = await this.#once(
      known.opening,
      () => openTransaction(open, signer.address),
      (opening) => keep({ ...known, opening }),
    );
    const { opening: _done, ...rest } = known;
    const next: Publication = {
      ...rest,
      registryId: made(result, '::registry::Registry'),
      timelockId: upgrades === 'burn' ? null : made(result, '::upgrade_timelock::UpgradeTimelock'),
      upgradeAdminId: upgrades === 'burn' ? null : made(result, '::upgrade_timelock::UpgradeAdmin'),
    };
    await keep(next);
    return next;
  }

  /** One transaction, however often this is called: the one that was kept, unless it failed or can no longer happen. */
  async #once(
    earlier: PreparedTransaction | undefined,
    build: () => Transaction,
    keep: (prepared: PreparedTransaction) => Promise<void> | void,
  ): Promise<Result> {
    if (earlier !== undefined) {
      const found = await this.#find(earlier.digest);
      if (found !== null) return found;
      if (!(await this.#hasEnded(earlier.bytes))) return this.#send(earlier);
    }
    const prepared = await this.#prepare(build());
    await keep(prepared);
    return this.#send(prepared);
  }

  async #prepare(tx: Transaction): Promise<PreparedTransaction> {
    const { client, signer, timeoutMs } = this.#options;
    const { systemState } = await askSui((signal) => client.core.getCurrentSystemState({ signal }), { timeoutMs });
    tx.setExpiration({ Epoch: systemState.epoch });
    const bytes = await tx.build({ client }).catch((error: unknown) => {
      throw suiRefusal(error);
    });
    const digest = fromSuiDigest(TransactionDataBuilder.getDigestFromBytes(bytes));
    return { digest, bytes, signature: await signatureOf(bytes, signer, client) };
  }

  async #send({ digest, bytes, signature }: PreparedTransaction): Promise<Result> {
    const { client, timeoutMs, lookUpAfterMs } = this.#options;
    await askSui((signal) => client.core.executeTransaction({ transaction: bytes, signatures: [signature], signal }), {
      timeoutMs,
    }).catch(() => undefined); // what became of it is looked up
    for (const waitMs of lookUpAfterMs) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const found = await this.#find(digest);
      if (found !== null) return found;
    }
    throw refuse('SETTLEMENT_UNKNOWN', { digest });
  }

  /** Null when the chain has never seen it. Refuses with the contracts' refusal when it failed. */
  async #find(digest: Digest): Promise<Result | null> {
    const { client, timeoutMs } = this.#options;
    const include = { effects: true, objectTypes: true } as const;
    try {
      const found = await askSui(
        (signal) => client.core.getTransaction({ digest: toSuiDigest(digest), include, signal }),
        { timeoutMs },
      );
      if (found.$kind === 'FailedTransaction') throw failure(found.FailedTransaction);
      return found.Transaction;
    } catch (error) {
      const refusal = toUsufructError(error);
      if (refusal.code === 'NOT_FOUND') return null;
      throw refusal;
    }
  }

  async #hasEnded(bytes: Uint8Array): Promise<boolean> {
    const { client, timeoutMs } = this.#options;
    const { expiration } = TransactionDataBuilder.fromBytes(bytes);
    const { systemState } = await askSui((signal) => client.core.getCurrentSystemState({ signal }), { timeoutMs });
    return expiration?.$kind === 'Epoch' && BigInt(systemState.epoch) > BigInt(expiration.Epoch);
  }
}

const failure = ({ status }: Result) =>
  status.success ? refuse('UPSTREAM_INVALID', { upstream: 'Sui' }) : abortRefusal(status.error);

/** The object of this type that the transaction made. */
function made({ objectTypes }: Result, type: string): Hex32 {
  const id = Object.entries(objectTypes).find(([, found]) => found.endsWith(type))?.[0];
  if (id === undefined) throw refuse('UPSTREAM_INVALID', { upstream: 'Sui', field: type });
  return id as Hex32;
}
