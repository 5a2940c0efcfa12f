import type { Signer } from '@mysten/sui/cryptography';
import { WalletKey } from '@usufruct/crypto';
import { asId, refuse, type Address } from '@usufruct/kernel';
import type { WalletSigner } from './port.js';

/**
 * A wallet in this process's memory: from a `suiprivkey…` of an Ed25519 key or its 32 bytes, or from a keypair of
 * `@mysten/sui`. Refuses `INVALID_ARGUMENT` for another secret, without echoing it.
 */
export function keypairSigner(secret: string | Uint8Array | Signer): WalletSigner {
  if (typeof secret === 'string' || !('getKeyScheme' in secret)) return ownSigner(secret);
  if (secret.getKeyScheme() === 'ED25519' && hasSecret(secret)) return ownSigner(secret.getSecretKey());
  return {
    address: asId<Address>(secret.toSuiAddress(), 'address'),
    signPersonalMessage: async (message) => (await secret.signPersonalMessage(message)).signature,
    signTransaction: async (bytes) => (await secret.signTransaction(bytes)).signature,
  };
}

/** By the platform's Ed25519, several times as fast as the library's; the signatures are the same. */
function ownSigner(secret: string | Uint8Array): WalletSigner {
  const key = keyOf(secret);
  return {
    address: key.address,
    signPersonalMessage: (message) => key.sign('personalMessage', message),
    signTransaction: (bytes) => key.sign('transaction', bytes),
  };
}

function keyOf(secret: string | Uint8Array): WalletKey {
  try {
    return new WalletKey(secret);
  } catch {
    throw refuse('INVALID_ARGUMENT', { field: 'secretKey', expected: 'suiprivkey… of an Ed25519 key' });
  }
}

/** Not so where the key lies elsewhere, in a device perhaps. */
const hasSecret = (signer: Signer): signer is Signer & { getSecretKey(): string } => 'getSecretKey' in signer;
