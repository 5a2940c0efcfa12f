import { verifyWalletSignature } from '@usufruct/crypto';
import { equalBytes, refuse, type Digest, type TimestampMs } from '@usufruct/kernel';
import {
  decodeLocalTransaction,
  encodeLocalTransaction,
  LIMITS,
  WALLET_ACTIONS,
  walletStatementBytes,
  type LocalTransaction,
} from '@usufruct/protocol';
import { CLOCK_SKEW_MS } from './machine/room.js';

/** The transaction in the bytes. Refuses `REQUEST_TOO_LARGE`, and `MALFORMED_REQUEST` for what is not canonical BCS. */
export function decodeTransaction(bytes: Uint8Array): LocalTransaction {
  if (bytes.length > LIMITS.transactionBytes) throw refuse('REQUEST_TOO_LARGE', { field: 'bytes' });
  try {
    const transaction = decodeLocalTransaction(bytes);
    // One meaning, one digest: numbers that do not survive the round trip fall here, too.
    if (equalBytes(encodeLocalTransaction(transaction), bytes)) return transaction;
  } catch {
    // falls through: what is wrong with malformed bytes is nobody's business
  }
  throw refuse('MALFORMED_REQUEST', { field: 'bytes' });
}

/**
 * Who and where. What is refused here is not recorded: nobody may spoil the digest of another's transaction by
 * sending it with a bad signature.
 */
export async function authenticate(
  chainId: string,
  { transaction, digest, signature }: { transaction: LocalTransaction; digest: Digest; signature: string },
): Promise<void> {
  if (transaction.chainId !== chainId) {
    throw refuse('INVALID_ARGUMENT', { field: 'chainId', expected: 'the id of this chain' });
  }
  const message = walletStatementBytes({ action: WALLET_ACTIONS.transaction, chainId, digest });
  await verifyWalletSignature({ address: transaction.sender, message, signature });
}

/** Judged at the chain's own time, right before execution: once too late is too late for ever. */
export function requireInTime({ expiresAtMs }: LocalTransaction, nowMs: TimestampMs): void {
  if (expiresAtMs <= nowMs) throw refuse('TRANSACTION_EXPIRED');
  if (expiresAtMs > nowMs + LIMITS.transactionTermMs + CLOCK_SKEW_MS) {
    throw refuse('INVALID_ARGUMENT', { field: 'expiresAtMs', expected: 'an expiry within the term of a transaction' });
  }
}
