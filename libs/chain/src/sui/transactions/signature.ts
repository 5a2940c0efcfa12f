import type { ClientWithCoreApi } from '@mysten/sui/client';
import { isValidTransactionSignature } from '@mysten/sui/verify';
import { refuse } from '@usufruct/kernel';
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
  const valid = await isValidTransactionSignature(bytes, signature, { address: signer.address, client });
  if (!valid) throw refuse('SIGNATURE_INVALID', { address: signer.address });
  return signature;
}
