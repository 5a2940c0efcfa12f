import { fromBase64, isHex32, refuse, type Address } from '@usufruct/kernel';
import { isSignedByEd25519 } from './wallet-key.js';

/**
 * The schemes whose signatures verify by themselves. zkLogin needs the issuer's keys and the epoch from the network;
 * multisig and passkey signatures carry parts of their own that no rule of ours bounds yet. All three are refused.
 */
const ACCEPTED_SCHEMES: Readonly<Record<number, string>> = { 0: 'ED25519', 1: 'Secp256k1', 2: 'Secp256r1' };

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
  if (scheme === undefined) {
    throw refuse('SIGNATURE_INVALID', { reason: `scheme not one of ${Object.values(ACCEPTED_SCHEMES).join(', ')}` });
  }
  // The library skips the comparison with the address when it is empty, so its form is checked here first.
  if (!isHex32(address)) throw refuse('SIGNATURE_INVALID');
  const isValid =
    (await isSignedByEd25519('personalMessage', message, { address, signature })) ??
    (await isValidElsewise(message, signature, address));
  if (!isValid) throw refuse('SIGNATURE_INVALID');
}

async function isValidElsewise(message: Uint8Array, signature: string, address: Address): Promise<boolean> {
  try {
    const { isValidPersonalMessageSignature } = await import('@mysten/sui/verify');
    return await isValidPersonalMessageSignature(message, signature, { address });
  } catch {
    return false; // some malformed points throw instead of being false
  }
}

function schemeOf(signature: string): string | undefined {
  try {
    return ACCEPTED_SCHEMES[fromBase64(signature, 'signature')[0] ?? -1];
  } catch {
    return undefined;
  }
}
