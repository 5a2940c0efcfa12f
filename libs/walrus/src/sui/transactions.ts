import {
  ObjectError,
  SimulationError,
  TransactionError,
  type ClientWithCoreApi,
  type SuiClientTypes,
} from '@mysten/sui/client';
import { TransactionDataBuilder, type Transaction } from '@mysten/sui/transactions';
import { fromBase58, toBase58 } from '@mysten/sui/utils';
import { isValidTransactionSignature } from '@mysten/sui/verify';
import { fromHex, isHex32, refuse, toHex32, UsufructError, type Address, type Hex32 } from '@usufruct/kernel';
import type { PreparedLeaseTransaction, TransactionResult } from '../upload/ports.js';

/** A wallet of Sui, reduced to what is needed of it; the chain port's is one. */
export interface SuiSigner {
  readonly address: Address;
  /** Sign a serialised transaction exactly as given. */
  signTransaction?(bytes: Uint8Array): Promise<string>;
}

export interface SuiContext {
  readonly client: ClientWithCoreApi;
  readonly signer: SuiSigner;
  /** For one answer of the full node. */
  readonly timeoutMs: number;
  /** How long to wait before each look at what became of a transaction. */
  readonly lookUpAfterMs: readonly number[];
  /** The type of Walrus's `Blob`, of the package that is in force. */
  readonly blobType: () => Promise<string>;
}

type Included = { effects: true; objectTypes: true };

/** One question to the full node. What it says of an object or a transaction comes through; else `CHAIN_UNAVAILABLE`. */
export async function ask<T>({ timeoutMs }: SuiContext, question: (signal: AbortSignal) => Promise<T>): Promise<T> {
  try {
    return await question(AbortSignal.timeout(timeoutMs));
  } catch (error) {
    throw chainRefusal(error);
  }
}

export function chainRefusal(error: unknown): UsufructError {
  if (error instanceof UsufructError) return error;
  const isMissing = error instanceof TransactionError || (error instanceof ObjectError && error.reason === 'notFound');
  if (isMissing) return refuse('NOT_FOUND', { object: 'Walrus' }, error);
  if (error instanceof SimulationError && error.executionError !== undefined) return contractRefusal(error);
  return refuse('CHAIN_UNAVAILABLE', { chain: 'Sui' }, error);
}

/** Walrus's own contracts refused: their codes are their matter, and not in our catalogue. */
const contractRefusal = (cause: unknown): UsufructError =>
  refuse('UPSTREAM_INVALID', { upstream: 'Walrus contracts', reason: 'they refused' }, cause);

/**
 * Complete and sign a transaction; it is simulated on the way. It ends with the epoch of Sui (a day on a public network),
 * so that one that was lost cannot happen much later.
 */
export async function prepare(context: SuiContext, tx: Transaction): Promise<PreparedLeaseTransaction> {
  const { client, signer } = context;
  tx.setSenderIfNotSet(signer.address);
  const { systemState } = await ask(context, (signal) => client.core.getCurrentSystemState({ signal }));
  let bytes: Uint8Array = await tx.build({ client });
  const { expiration } = tx.getData();
  // Gas out of the address's balance brings an end of its own, an epoch later.
  if (expiration === null || expiration === undefined || expiration.$kind === 'None') {
    tx.setExpiration({ Epoch: systemState.epoch });
    bytes = await tx.build({ client });
  }
  if (signer.signTransaction === undefined)
    throw refuse('CONFIG_INVALID', { setting: 'wallet', reason: 'it cannot sign transactions of Sui' });
  const signature = await signer.signTransaction(bytes);
  if (!(await isValidTransactionSignature(bytes, signature, { address: signer.address, client })))
    throw refuse('SIGNATURE_INVALID', { address: signer.address });
  return { digest: fromSuiDigest(TransactionDataBuilder.getDigestFromBytes(bytes)), bytes, signature };
}

export async function send(
  context: SuiContext,
  { digest, bytes, signature }: PreparedLeaseTransaction,
): Promise<TransactionResult> {
  const { client, lookUpAfterMs } = context;
  let isLost = false;
  try {
    await ask(context, (signal) =>
      client.core.executeTransaction({ transaction: bytes, signatures: [signature], signal }),
    );
  } catch {
    isLost = true; // or refused: what became of it is looked up, not guessed from an error's words
  }
  for (const waitMs of lookUpAfterMs) {
    if (waitMs > 0) await new Promise((done) => setTimeout(done, waitMs));
    const found = await result(context, digest).catch(passing);
    if (found !== null) return found;
  }
  if (isLost && (await hasEnded(context, bytes)) && (await result(context, digest)) === null)
    throw refuse('TRANSACTION_EXPIRED', { digest });
  throw refuse('SETTLEMENT_UNKNOWN', { digest });
}

export async function result(context: SuiContext, digest: Hex32): Promise<TransactionResult | null> {
  const { client } = context;
  const include: Included = { effects: true, objectTypes: true };
  try {
    const found = await ask(context, (signal) =>
      client.core.getTransaction({ digest: toBase58(fromHex(digest)), include, signal }),
    );
    if (found.$kind === 'Transaction')
      return { error: null, createdBlob: createdBlob(found.Transaction, await context.blobType()) };
    return { error: contractRefusal(found.FailedTransaction.status.error), createdBlob: null };
  } catch (error) {
    if (error instanceof UsufructError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

/** By the types that the transaction's effects name, so that it is found also when the object is gone since. */
function createdBlob({ effects, objectTypes }: SuiClientTypes.Transaction<Included>, blobType: string): Hex32 | null {
  const created = effects.changedObjects.filter(({ idOperation }) => idOperation === 'Created');
  const blob = created.find(({ objectId }) => objectTypes[objectId] === blobType);
  return blob !== undefined && isHex32(blob.objectId) ? blob.objectId : null;
}

/** Whether the chain is past the last epoch in which these bytes could have been executed. */
async function hasEnded(context: SuiContext, bytes: Uint8Array): Promise<boolean> {
  const { expiration } = TransactionDataBuilder.fromBytes(bytes);
  const last = expiration?.$kind === 'Epoch' ? expiration.Epoch : expiration?.ValidDuring?.maxEpoch;
  if (last === undefined || last === null) return false;
  const { systemState } = await ask(context, (signal) => context.client.core.getCurrentSystemState({ signal }));
  return BigInt(systemState.epoch) > BigInt(last);
}

function passing(error: unknown): null {
  if (error instanceof UsufructError && error.code === 'CHAIN_UNAVAILABLE') return null;
  throw error;
}

const fromSuiDigest = (text: string): Hex32 => toHex32<Hex32>(fromBase58(text));
