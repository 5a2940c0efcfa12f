import type { Signer } from '@mysten/sui/cryptography';
import { Ed25519Keypair } from '@mysten/sui/keypairs/ed25519';
import { PlatformKeypair } from '@usufruct/crypto';
import { asId, refuse, type Address } from '@usufruct/kernel';
import type { WalletSigner } from './port.js';

/**
 * A wallet in this process's memory: from a `suiprivkey…` of an Ed25519 key, or from a keypair of `@mysten/sui`.
 * Refuses `INVALID_ARGUMENT` for another secret, without echoing it.
 */
export function keypairSigner(secret: string | Signer): WalletSigner {
  const keypair = platformKeypair(secret);
  return {
    address: asId<Address>(keypair.toSuiAddress(), 'address'),
    signPersonalMessage: async (message) => (await keypair.signPersonalMessage(message)).signature,
    signTransaction: async (bytes) => (await keypair.signTransaction(bytes)).signature,
  };
}

function platformKeypair(secret: string | Signer): Signer {
  if (typeof secret !== 'string' && !(secret instanceof Ed25519Keypair)) return secret;
  try {
    return new PlatformKeypair(typeof secret === 'string' ? secret : secret.getSecretKey());
  } catch {
    throw refuse('INVALID_ARGUMENT', { field: 'secretKey', expected: 'suiprivkey… of an Ed25519 key' });
  }
}
