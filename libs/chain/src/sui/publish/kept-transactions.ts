import type { ClientWithCoreApi, SuiClientTypes } from '@mysten/sui/client';
import { TransactionDataBuilder, type Transaction } from '@mysten/sui/transactions';
import { refuse, toUsufructError, type Hex32 } from '@usufruct/kernel';
import type { PreparedTransaction, WalletSigner } from '../../port.js';
import { abortRefusal } from '../abort-codes.js';
import { fromSuiDigest, toSuiDigest } from '../digests.js';
import { askSui, suiRefusal } from '../failures.js';
import { chainIdOf } from '../reads/sui-reader.js';
import { signatureOf } from '../transactions/signature.js';

export interface KeptTransactionsOptions {
  readonly client: ClientWithCoreApi;
  readonly signer: WalletSigner;
  readonly timeoutMs?: number;
  /** Waits between the look-ups of a transaction that was sent. */
  readonly lookUpAfterMs?: readonly number[];
}

export type SuiResult = SuiClientTypes.Transaction<{ effects: true; objectTypes: true }>;

export const SUI_TIMEOUT_MS = 30_000;
const LOOK_UP_AFTER_MS = [0, 300, 700, 2_000, 5_000];

/** Transactions of the contracts' own life: kept before they are sent, looked up before they are sent again. */
export class KeptTransactions {
  readonly #options: Required<KeptTransactionsOptions>;

  constructor({ client, signer, timeoutMs, lookUpAfterMs }: KeptTransactionsOptions) {
    const waits = { timeoutMs: timeoutMs ?? SUI_TIMEOUT_MS, lookUpAfterMs: lookUpAfterMs ?? LOOK_UP_AFTER_MS };
    this.#options = { client, signer, ...waits };
  }

  /** Refuses `CONFIG_INVALID` when what was begun on one network would go on in another. */
  async requireChain(chainId: string): Promise<void> {
    const found = await chainIdOf(this.#options.client, this.#options.timeoutMs);
    if (found !== chainId)
      throw refuse('CONFIG_INVALID', { setting: 'network', reason: 'it was begun on another one' });
  }

  /** One transaction, however often this is called: the one that was kept, unless it failed or can no longer happen. */
  async once(
    earlier: PreparedTransaction | undefined,
    build: () => Transaction,
    keep: (prepared: PreparedTransaction) => Promise<void> | void,
  ): Promise<SuiResult> {
    const became = earlier === undefined ? null : await this.became(earlier);
    if (earlier !== undefined && became === 'open') return this.#send(earlier);
    if (became !== null && typeof became === 'object') return became;
    const prepared = await this.#prepare(build());
    await keep(prepared);
    return this.#send(prepared);
  }

  /** What became of a transaction: its result, or why there is none; `open` may still happen. */
  async became(prepared: PreparedTransaction): Promise<SuiResult | 'failed' | 'ended' | 'open'> {
    const found = await this.#find(prepared);
    if (found !== null) return found.status.success ? found : 'failed';
    return (await this.#hasEnded(prepared)) ? 'ended' : 'open';
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

  /** Refuses with the contracts' refusal when it failed, and `SETTLEMENT_UNKNOWN` when nothing is known of it. */
  async #send(prepared: PreparedTransaction): Promise<SuiResult> {
    const { client, timeoutMs, lookUpAfterMs } = this.#options;
    const { digest, bytes, signature } = prepared;
    await askSui((signal) => client.core.executeTransaction({ transaction: bytes, signatures: [signature], signal }), {
      timeoutMs,
    }).catch(() => undefined); // what became of it is looked up
    for (const waitMs of lookUpAfterMs) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const found = await this.#find(prepared);
      if (found === null) continue;
      if (found.status.success) return found;
      throw abortRefusal(found.status.error);
    }
    throw refuse('SETTLEMENT_UNKNOWN', { digest });
  }

  /** Null when the chain has never seen it. */
  async #find({ digest }: PreparedTransaction): Promise<SuiResult | null> {
    const { client, timeoutMs } = this.#options;
    const include = { effects: true, objectTypes: true } as const;
    try {
      const found = await askSui(
        (signal) => client.core.getTransaction({ digest: toSuiDigest(digest), include, signal }),
        { timeoutMs },
      );
      return found.$kind === 'FailedTransaction' ? found.FailedTransaction : found.Transaction;
    } catch (error) {
      const refusal = toUsufructError(error);
      if (refusal.code === 'NOT_FOUND') return null;
      throw refusal;
    }
  }

  async #hasEnded({ bytes }: PreparedTransaction): Promise<boolean> {
    const { client, timeoutMs } = this.#options;
    const { expiration } = TransactionDataBuilder.fromBytes(bytes);
    const { systemState } = await askSui((signal) => client.core.getCurrentSystemState({ signal }), { timeoutMs });
    return expiration?.$kind === 'Epoch' && BigInt(systemState.epoch) > BigInt(expiration.Epoch);
  }
}

/** The object of this type that the transaction made. */
export function madeObject({ objectTypes }: SuiResult, type: string): Hex32 {
  const id = Object.entries(objectTypes).find(([, found]) => found.endsWith(type))?.[0];
  if (id === undefined) throw refuse('UPSTREAM_INVALID', { upstream: 'Sui', field: type });
  return id as Hex32;
}

/** The package that the transaction published, new or as a new version. */
export function madePackage({ effects }: SuiResult): Hex32 {
  const id = effects.changedObjects.find(({ outputState }) => outputState === 'PackageWrite')?.objectId;
  if (id === undefined) throw refuse('UPSTREAM_INVALID', { upstream: 'Sui', field: 'published package' });
  return id as Hex32;
}
