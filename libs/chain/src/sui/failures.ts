import { ObjectError, SimulationError, TransactionError } from '@mysten/sui/client';
import { refuse, UsufructError } from '@usufruct/kernel';
import { abortRefusal } from './abort-codes.js';

export interface AskOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * One question to a full node, with a limit of time. What a node says about an object, a transaction or a simulation
 * comes through as a refusal of the catalogue; anything else is `CHAIN_UNAVAILABLE`, without the node's words.
 */
export async function askSui<T>(ask: (signal: AbortSignal) => Promise<T>, options: AskOptions): Promise<T> {
  const limit = AbortSignal.timeout(options.timeoutMs);
  const signal = options.signal === undefined ? limit : AbortSignal.any([options.signal, limit]);
  try {
    return await ask(signal);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw suiRefusal(error);
  }
}

export function suiRefusal(error: unknown): UsufructError {
  if (error instanceof UsufructError) return error;
  if (error instanceof TransactionError) return refuse('NOT_FOUND', { object: 'transaction' }, error);
  if (error instanceof ObjectError && error.reason === 'notFound')
    return refuse('NOT_FOUND', { object: 'object' }, error);
  if (error instanceof SimulationError && error.executionError !== undefined) {
    return abortRefusal(error.executionError, error);
  }
  return refuse('CHAIN_UNAVAILABLE', { chain: 'Sui' }, error);
}
