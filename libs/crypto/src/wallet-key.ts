import { blake2b } from '@noble/hashes/blake2.js';
import { bech32 } from '@scure/base';
import { concatBytes, fromBase64, toBase64, toHex32, type Address } from '@usufruct/kernel';
import { holdSigningKey, signingPublicKey, signPlain, verifyPlain } from './ed25519.js';
import { requireBytes } from './guards.js';

/**
 * Sui's Ed25519 accounts: secret, address and signatures. `@mysten/sui` has them, too, and loads with them zkLogin, whose
 * constants take 80 MB to decode, at every start of every process, for a scheme that nothing here accepts.
 */
const ED25519_FLAG = 0;
const SEED_BYTES = 32;
const SIGNATURE_BYTES = 64;
const PUBLIC_KEY_BYTES = 32;
const SECRET_PREFIX = 'suiprivkey';
/** Scope, version and app of what is signed. */
const INTENTS = { transaction: Uint8Array.of(0, 0, 0), personalMessage: Uint8Array.of(3, 0, 0) } as const;
export type WalletIntent = keyof typeof INTENTS;

/** An account whose key lies in this process. Deterministic: the same bytes are signed alike. */
export class WalletKey {
  readonly address: Address;
  readonly #seed: Uint8Array;
  readonly #publicKey: Uint8Array;

  /** 32 bytes, or a `suiprivkey…`. Throws for anything else, and for a secret of another scheme. */
  constructor(secret: string | Uint8Array) {
    this.#seed = Uint8Array.from(typeof secret === 'string' ? decodeSecret(secret) : secret);
    requireBytes(this.#seed, SEED_BYTES, 'secretKey');
    this.#publicKey = signingPublicKey(this.#seed);
    holdSigningKey({ secretKey: this.#seed });
    this.address = addressOf(this.#publicKey);
  }

  /** Sui's serialised signature: base64 of flag ‖ signature ‖ public key. */
  async sign(intent: WalletIntent, bytes: Uint8Array): Promise<string> {
    const signature = await signPlain(this.#seed, signedDigest(intent, bytes));
    return toBase64(concatBytes(Uint8Array.of(ED25519_FLAG), signature, this.#publicKey));
  }
}

/** A secret of 32 bytes as wallets write it down: `suiprivkey…`. */
export const encodeWalletSecret = (seed: Uint8Array): string => {
  requireBytes(seed, SEED_BYTES, 'secretKey');
  return bech32.encode(SECRET_PREFIX, bech32.toWords(concatBytes(Uint8Array.of(ED25519_FLAG), seed)));
};

function decodeSecret(text: string): Uint8Array {
  const { prefix, bytes } = bech32.decodeToBytes(text);
  if (prefix !== SECRET_PREFIX || bytes[0] !== ED25519_FLAG) throw new RangeError('not a secret of an Ed25519 account');
  return bytes.subarray(1);
}

/**
 * Whether the Ed25519 account of `address` signed these bytes with this intent; undefined for a signature of another
 * scheme. By the platform's Ed25519: stricter than Sui about encodings and points that no honest wallet makes.
 */
export async function isSignedByEd25519(
  intent: WalletIntent,
  bytes: Uint8Array,
  { address, signature }: { readonly address: Address; readonly signature: string },
): Promise<boolean | undefined> {
  const serialised = decoded(signature);
  if (serialised === null || serialised.length === 0) return false;
  if (serialised[0] !== ED25519_FLAG) return undefined;
  if (serialised.length !== 1 + SIGNATURE_BYTES + PUBLIC_KEY_BYTES) return false;
  const publicKey = serialised.subarray(1 + SIGNATURE_BYTES);
  if (addressOf(publicKey) !== address) return false;
  return verifyPlain(publicKey, signedDigest(intent, bytes), serialised.subarray(1, 1 + SIGNATURE_BYTES));
}

function decoded(signature: string): Uint8Array | null {
  try {
    return fromBase64(signature, 'signature');
  } catch {
    return null;
  }
}

const blake2b256 = (bytes: Uint8Array): Uint8Array => blake2b(bytes, { dkLen: 32 });

const addressOf = (publicKey: Uint8Array): Address =>
  toHex32<Address>(blake2b256(concatBytes(Uint8Array.of(ED25519_FLAG), publicKey)));

/** A personal message is signed as a BCS vector of bytes, a transaction as the bytes that it is. */
function signedDigest(intent: WalletIntent, bytes: Uint8Array): Uint8Array {
  const length = intent === 'personalMessage' ? uleb128(bytes.length) : new Uint8Array();
  return blake2b256(concatBytes(INTENTS[intent], length, bytes));
}

function uleb128(value: number): Uint8Array {
  const octets: number[] = [];
  let left = value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) octets.push((left % 0x80) | 0x80);
  return Uint8Array.of(...octets, left);
}
