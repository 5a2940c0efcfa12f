import { SIGNATURE_FLAG_TO_SCHEME } from '@mysten/sui/cryptography';
import { isValidPersonalMessageSignature } from '@mysten/sui/verify';
import { fromBase64, isHex32, refuse, type Address } from '@usufruct/kernel';

/**
 * The schemes whose signatures verify by themselves. zkLogin needs the issuer's keys and the epoch from the network;
 * multisig and passkey signatures carry parts of their own that no rule of ours bounds yet. All three are refused.
 */
const ACCEPTED_SCHEMES: readonly string[] = ['ED25519', 'Secp256k1', 'Secp256r1'];

export interface WalletSignature {
  readonly address: Address;
  /** The bytes that the wallet showed and signed as a Sui personal message (intent 3). */
  readonly message: Uint8Array;
  /** Sui's serialised signature: base64 of flag ‖ signature ‖ public key. */
  readonly signature: string;
}

/**
 * Verify that the wallet of `address` signed `message` as a personal message. Resolves, or refuses with
 * `SIGNATURE_INVALID`. Proves possession of the key at some time, and nothing about freshness: the message must hold
 * a nonce or a digest that is used once.
 */
export async function verifyWalletSignature({ address, message, signature }: WalletSignature): Promise<void> {
  const scheme = schemeOf(signature);
  if (scheme === undefined || !ACCEPTED_SCHEMES.includes(scheme)) {
    throw refuse('SIGNATURE_INVALID', { reason: `scheme not one of ${ACCEPTED_SCHEMES.join(', ')}` });
  }
  // The library skips the comparison with the address when it is empty, so its form is checked here first.
  if (!isHex32(address) || !(await isValid(message, signature, address))) throw refuse('SIGNATURE_INVALID');
}

async function isValid(message: Uint8Array, signature: string, address: Address): Promise<boolean> {
  try {
    return await isValidPersonalMessageSignature(message, signature, { address });
  } catch {
    return false; // some malformed points throw instead of being false
  }
}

function schemeOf(signature: string): string | undefined {
  try {
    const flag = fromBase64(signature, 'signature')[0];
    return Object.entries(SIGNATURE_FLAG_TO_SCHEME).find(([known]) => Number(known) === flag)?.[1];
  } catch {
    return undefined;
  }
}
