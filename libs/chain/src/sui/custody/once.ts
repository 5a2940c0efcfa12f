import { ObjectError, type ClientWithCoreApi } from '@mysten/sui/client';
import { TransactionDataBuilder } from '@mysten/sui/transactions';
import { isErrorCode, refuse, toUsufructError, type UsufructError } from '@usufruct/kernel';
import type { StepMemory } from '../../blob-custody.js';
import type { ChainReader, ChainWriter, PreparedTransaction } from '../../port.js';
import { askSui } from '../failures.js';

export interface OnceParams {
  readonly chain: Pick<ChainReader, 'transaction'> & Pick<ChainWriter, 'send'>;
  readonly client: ClientWithCoreApi;
  readonly timeoutMs: number;
  readonly memory: StepMemory;
  readonly isDone: () => Promise<boolean>;
  readonly prepare: () => Promise<PreparedTransaction>;
}

/** One that an object was taken away from meanwhile is made anew so often. */
const TRIES = 2;
/** What a full node gives at once. */
const BATCH = 50;

/**
 * A step that happens once. A remembered transaction is settled first, whatever became of it; then the chain's state says
 * whether there is anything left to do. A new one is made only when the last one has failed or can never happen.
 */
export async function once({ memory, isDone, prepare, ...params }: OnceParams): Promise<void> {
  const earlier = await memory.read();
  if (earlier !== null) {
    await failureOf(params, earlier);
    await memory.write(null);
  }
  for (let triesLeft = TRIES; ; triesLeft--) {
    if (await isDone()) return;
    const prepared = await prepare();
    await memory.write(prepared);
    const failure = await failureOf(params, prepared);
    await memory.write(null);
    if (failure === null) return;
    if (failure.code !== 'TRANSACTION_EXPIRED' || triesLeft === 1) throw failure;
  }
}

type Settling = Pick<OnceParams, 'chain' | 'client' | 'timeoutMs'>;

/** Null when it has happened; why it has not and never will; throws while nobody knows. */
async function failureOf(params: Settling, prepared: PreparedTransaction): Promise<UsufructError | null> {
  const { chain } = params;
  const { digest } = prepared;
  try {
    const outcome = (await chain.transaction(digest)) ?? (await chain.send(prepared));
    if (outcome.status === 'succeeded') return null;
    const { code, details } = outcome.error ?? { code: 'UPSTREAM_INVALID', details: {} };
    return refuse(isErrorCode(code) ? code : 'UPSTREAM_INVALID', details);
  } catch (error) {
    const refusal = toUsufructError(error);
    if (refusal.code === 'CHAIN_UNAVAILABLE') throw refusal;
    if (refusal.code !== 'SETTLEMENT_UNKNOWN') return refusal;
    if (!(await isOvertaken(params, prepared)) || (await chain.transaction(digest)) !== null) throw refusal;
    return refuse('TRANSACTION_EXPIRED', { digest, reason: 'an object that it names has changed since' });
  }
}

/**
 * Whether an object that the transaction names by its version is gone or has another one by now: then no validator
 * executes it any more, although its epoch has not ended.
 */
async function isOvertaken({ client, timeoutMs }: Settling, { bytes }: PreparedTransaction): Promise<boolean> {
  const { inputs, gasData } = TransactionDataBuilder.fromBytes(bytes);
  const named = [
    ...inputs.flatMap(({ Object }) => (Object?.ImmOrOwnedObject === undefined ? [] : [Object.ImmOrOwnedObject])),
    ...(gasData.payment ?? []),
  ].slice(0, BATCH);
  if (named.length === 0) return false;
  const objectIds = named.map(({ objectId }) => objectId);
  const { objects } = await askSui((signal) => client.core.getObjects({ objectIds, signal }), { timeoutMs });
  return objects.some((object, i) => {
    if (object instanceof Error) return object instanceof ObjectError && object.reason !== 'unknown';
    return BigInt(object.version) > BigInt(named[i]!.version); // a node that is behind shows an earlier one
  });
}
