import { asTimestampMs, toHex32, type Clock, type RandomSource } from '@usufruct/kernel';
import {
  encodeLocalTransaction,
  LIMITS,
  transactionDigest,
  WALLET_ACTIONS,
  walletStatementBytes,
  type ChainAction,
} from '@usufruct/protocol';
import type { PreparedTransaction, WalletSigner } from './port.js';

export interface PrepareParams {
  readonly chainId: string;
  readonly actions: readonly ChainAction[];
  readonly signer: WalletSigner;
  readonly clock: Clock;
  readonly random: RandomSource;
}

/** Build and sign a transaction of the local chain. Nothing is sent: store it first, its digest says what became of it. */
export async function prepareLocalTransaction(params: PrepareParams): Promise<PreparedTransaction> {
  const { chainId, actions, signer, clock, random } = params;
  const bytes = encodeLocalTransaction({
    chainId,
    sender: signer.address,
    nonce: toHex32(random(32)),
    expiresAtMs: asTimestampMs(clock.nowMs() + LIMITS.transactionTermMs),
    actions,
  });
  const digest = transactionDigest(bytes);
  const message = walletStatementBytes({ action: WALLET_ACTIONS.transaction, chainId, digest });
  return { digest, bytes, signature: await signer.signPersonalMessage(message) };
}
