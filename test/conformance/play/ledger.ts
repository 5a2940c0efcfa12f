import { UsufructError, type Address, type Hex32, type TimestampMs } from '@usufruct/kernel';
import type { ChainAction, ChainEventData } from '@usufruct/protocol';
import type { Change, Collection, RecordOf, StateReader } from '../../../apps/local-chain/src/machine/collections.js';
import { CHAIN, START_MS, word } from './cast.js';

/** The machine of the local ledger: as it is, or an altered copy. */
export type Machine = Pick<typeof import('../../../apps/local-chain/src/machine/apply.js'), 'apply'>;

/** What the ledger answered. */
export type Answer =
  | { readonly refused: null; readonly events: readonly ChainEventData[] }
  | { readonly refused: UsufructError; readonly events: readonly [] };

/** The local ledger's state machine over a state in memory, with a clock of its own. */
export class Ledger implements StateReader {
  readonly #records = new Map<string, Change>();
  nowMs = START_MS as TimestampMs;

  constructor(readonly machine: Machine) {}

  read<C extends Collection>(collection: C, key: string): RecordOf<C> | undefined {
    return (this.#records.get(`${collection}:${key}`)?.value ?? undefined) as RecordOf<C> | undefined;
  }

  /** Every record of a collection, in order of creation. */
  all<C extends Collection>(collection: C): RecordOf<C>[] {
    return this.entries(collection).map(([, value]) => value);
  }

  entries<C extends Collection>(collection: C): [key: string, value: RecordOf<C>][] {
    return [...this.#records.values()].flatMap(({ collection: its, key, value }) =>
      its === collection && value !== null ? [[key, value as RecordOf<C>] as [string, RecordOf<C>]] : [],
    );
  }

  balanceOf(account: Address): bigint {
    return this.read('balance', account)?.amountUnits ?? 0n;
  }

  async play(sender: Address, action: ChainAction): Promise<Answer> {
    const transaction = {
      chainId: CHAIN.chainId,
      sender,
      nonce: word<Hex32>('nonce'),
      expiresAtMs: this.nowMs,
      actions: [action],
    };
    try {
      const { changes, events } = await this.machine.apply(this, transaction, { chain: CHAIN, nowMs: this.nowMs });
      for (const change of changes) this.#records.set(`${change.collection}:${change.key}`, change);
      return { refused: null, events };
    } catch (error) {
      if (error instanceof UsufructError) return { refused: error, events: [] };
      throw error;
    }
  }
}
