import { fromBase64, fromWire, refuse, toBase64, UsufructError, type Clock, type Digest } from '@usufruct/kernel';
import { LIMITS, zBase64, zHex32, zTimestampMs, type ChainAction, type TransactionOutcome } from '@usufruct/protocol';
import type { Chain, PreparedTransaction, WalletSigner } from '@usufruct/chain';
import { z } from 'zod';
import { readRecord, writeRecord, type Journal } from './journal.js';

const zPrepared = z.object({
  digest: zHex32<Digest>(),
  bytes: zBase64(LIMITS.transactionBytes),
  signature: z.string(),
  preparedAtMs: zTimestampMs,
});

export interface ExecuteOnceParams {
  readonly chain: Chain;
  readonly signer: WalletSigner;
  readonly journal: Journal;
  readonly clock: Clock;
  /** The journal key of this transaction; its record stays until the caller has noted the outcome and deletes it. */
  readonly key: string;
  readonly actions: readonly ChainAction[];
}

/**
 * Execute a transaction once, however often the caller is killed and calls again with the same key: it is signed and
 * stored before it is sent, looked up before it is sent again, and only one that can no longer happen is replaced.
 *
 * Refuses with the chain's own code when it failed there, `SETTLEMENT_UNKNOWN` when it was sent and nobody answers:
 * call again. The caller names objects by stored salts, so that even a second transaction could not make a second one.
 */
export async function executeOnce(params: ExecuteOnceParams): Promise<TransactionOutcome> {
  const earlier = await readRecord(params.journal, params.key, zPrepared);
  if (earlier !== null) {
    const outcome = await params.chain.transaction(earlier.digest);
    if (outcome !== null) return settled(params, outcome);
    if (!isTooLate(earlier, params)) {
      const outcome = await resend(params, { ...earlier, bytes: fromBase64(earlier.bytes) });
      if (outcome !== null) return outcome;
    }
  }
  const prepared = await params.chain.prepare(params.actions, params.signer);
  const record = { ...prepared, bytes: toBase64(prepared.bytes), preparedAtMs: params.clock.nowMs() };
  await writeRecord(params.journal, params.key, record);
  return send(params, prepared);
}

/** Whether a transaction that an earlier run signed under this key has happened, or still can. */
export async function mayHappen(
  params: Pick<ExecuteOnceParams, 'chain' | 'journal' | 'clock' | 'key'>,
): Promise<boolean> {
  const earlier = await readRecord(params.journal, params.key, zPrepared);
  if (earlier === null) return false;
  return !isTooLate(earlier, params) || (await params.chain.transaction(earlier.digest)) !== null;
}

const isTooLate = (
  { preparedAtMs }: z.output<typeof zPrepared>,
  { clock }: Pick<ExecuteOnceParams, 'clock'>,
): boolean => clock.nowMs() > preparedAtMs + LIMITS.transactionTermMs + LIMITS.clockSkewMs;

/** `null` where the chain's clock says that it came too late, and so never will happen. */
async function resend(params: ExecuteOnceParams, prepared: PreparedTransaction): Promise<TransactionOutcome | null> {
  try {
    return await send(params, prepared);
  } catch (error) {
    if (error instanceof UsufructError && error.code === 'TRANSACTION_EXPIRED') return null;
    throw error;
  }
}

async function send(params: ExecuteOnceParams, prepared: PreparedTransaction): Promise<TransactionOutcome> {
  try {
    return await params.chain.send(prepared);
  } catch (error) {
    if (error instanceof UsufructError && error.code === 'SETTLEMENT_UNKNOWN') {
      const outcome = await params.chain.transaction(prepared.digest);
      if (outcome !== null) return settled(params, outcome);
      throw error;
    }
    // Refused for good: the next try signs a new transaction. Where nobody answered, this one stays the one to send.
    if (error instanceof UsufructError && error.entry.retry !== 'later') await params.journal.delete(params.key);
    throw error;
  }
}

async function settled(params: ExecuteOnceParams, outcome: TransactionOutcome): Promise<TransactionOutcome> {
  if (outcome.status === 'succeeded') return outcome;
  await params.journal.delete(params.key);
  throw outcome.error === null ? refuse('UPSTREAM_INVALID', { upstream: 'chain' }) : fromWire(outcome.error, 'chain');
}
