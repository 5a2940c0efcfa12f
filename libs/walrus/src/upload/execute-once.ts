import { UsufructError } from '@usufruct/kernel';
import type { LeaseChain, PreparedLeaseTransaction, TransactionResult } from './ports.js';

export interface ExecuteOnceParams {
  readonly chain: LeaseChain;
  /** One transaction of a wallet after the other: two that spend the same coin would lock it until the epoch ends. */
  readonly oneAtATime: OneAtATime;
  /** What an earlier run stored. */
  readonly stored: () => Promise<PreparedLeaseTransaction | null>;
  /** Durable when it resolves; `null` forgets. */
  readonly store: (prepared: PreparedLeaseTransaction | null) => Promise<void>;
  readonly prepare: () => Promise<PreparedLeaseTransaction>;
}
export type OneAtATime = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * A transaction that happens once: the stored one, if it has happened or still can; else a new one, which is stored
 * before it is sent. One that failed on the chain is forgotten, so that the next call makes another.
 */
export function executeOnce({
  chain,
  oneAtATime,
  stored,
  store,
  prepare,
}: ExecuteOnceParams): Promise<TransactionResult> {
  return oneAtATime(async () => {
    const earlier = await stored();
    if (earlier !== null) {
      const result = await settled(chain, earlier);
      if (result?.error === null) return result;
      await store(null);
    }
    const prepared = await prepare();
    await store(prepared);
    const result = await chain.send(prepared);
    if (result.error === null) return result;
    await store(null);
    throw result.error;
  });
}

/** What became of a transaction, which is sent again where it can still happen; `null`: it has not, and never will. */
export async function settled(
  chain: LeaseChain,
  prepared: PreparedLeaseTransaction,
): Promise<TransactionResult | null> {
  const result = await chain.result(prepared.digest);
  if (result !== null) return result;
  try {
    return await chain.send(prepared);
  } catch (error) {
    if (error instanceof UsufructError && error.code === 'TRANSACTION_EXPIRED') return null;
    throw error;
  }
}

export function oneAtATime(): OneAtATime {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
