import type { ClientWithCoreApi } from '@mysten/sui/client';
import { isSignedByEd25519 } from '@usufruct/crypto';
import { refuse, type Address } from '@usufruct/kernel';
import type { WalletSigner } from '../../port.js';

/**
 * The wallet's signature over exactly these bytes. A wallet that signed others, or for another address, is found out
 * here and not by the chain: `SIGNATURE_INVALID`. Refuses `CONFIG_INVALID` for a wallet that cannot sign transactions.
 */
export async function signatureOf(bytes: Uint8Array, signer: WalletSigner, client: ClientWithCoreApi): Promise<string> {
  if (signer.signTransaction === undefined) {
    throw refuse('CONFIG_INVALID', { setting: 'wallet', reason: 'it cannot sign transactions of Sui' });
  }
  const signature = await signer.signTransaction(bytes);
  const { address } = signer;
  const isValid =
    (await isSignedByEd25519('transaction', bytes, { address, signature })) ??
    (await isSignedElsewise(bytes, signature, { address, client }));
  if (!isValid) throw refuse('SIGNATURE_INVALID', { address });
  return signature;
}

async function isSignedElsewise(
  bytes: Uint8Array,
  signature: string,
  by: { readonly address: Address; readonly client: ClientWithCoreApi },
): Promise<boolean> {
  const { isValidTransactionSignature } = await import('@mysten/sui/verify');
  return isValidTransactionSignature(bytes, signature, by);
}
