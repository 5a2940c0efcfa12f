import { decodeSuiPrivateKey, parseSerializedSignature, SIGNATURE_FLAG_TO_SCHEME } from '@mysten/sui/cryptography';
import { Ed25519Keypair, Ed25519PublicKey } from '@mysten/sui/keypairs/ed25519';
import { isValidPersonalMessageSignature } from '@mysten/sui/verify';
import { fromBase64, isHex32, refuse, type Address } from '@usufruct/kernel';
import { signPlain, verifyPlain } from './ed25519.js';

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
  const isValid = scheme === 'ED25519' ? isValidEd25519 : isValidElsewise;
  if (!isHex32(address) || !(await isValid(message, signature, address))) throw refuse('SIGNATURE_INVALID');
}

/**
 * By the platform's Ed25519, several times as fast as the library's own. Stricter than it, and than Sui, about encodings
 * and points that no honest wallet makes (see `verify`).
 */
async function isValidEd25519(message: Uint8Array, signature: string, address: Address): Promise<boolean> {
  try {
    const parsed = parseSerializedSignature(signature);
    if (parsed.signatureScheme !== 'ED25519') return false;
    const publicKey = new PlatformPublicKey(parsed.publicKey);
    return publicKey.verifyAddress(address) && (await publicKey.verifyPersonalMessage(message, parsed.signature));
  } catch {
    return false;
  }
}

class PlatformPublicKey extends Ed25519PublicKey {
  override verify(message: Uint8Array, signature: Uint8Array | string): Promise<boolean> {
    if (typeof signature === 'string') return super.verify(message, signature);
    return verifyPlain(this.toRawBytes(), message, signature);
  }
}

/** The same keypair, signing by the platform's Ed25519: the same signatures, because they are deterministic. */
export class PlatformKeypair extends Ed25519Keypair {
  readonly #seed: Uint8Array;

  /** `secret` is a `suiprivkey…`. Throws for one of another scheme. */
  constructor(secret: string) {
    const { secretKey } = decodeSuiPrivateKey(secret);
    const publicKey = Ed25519Keypair.fromSecretKey(secret).getPublicKey().toRawBytes();
    super({ publicKey, secretKey });
    this.#seed = secretKey;
  }

  override async sign(data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await signPlain(this.#seed, data));
  }
}

async function isValidElsewise(message: Uint8Array, signature: string, address: Address): Promise<boolean> {
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
