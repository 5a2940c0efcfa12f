/**
 * Ed25519 (RFC 8032) over `lengthPrefixed(utf8(domainTag), message)`: a signature made for one purpose can never be
 * shown as one made for another. Node's own Ed25519 there; in a browser WebCrypto's, and where it has none noble-curves.
 */
import { lengthPrefixed, utf8, type RandomSource } from '@usufruct/kernel';
import { holdSeed, nativeEngine, nodeEngine, portableEngine, type Ed25519Engine } from './ed25519-engines.js';
import { isAcceptableEncoding } from './ed25519-encoding.js';
import { requireBytes } from './guards.js';
import { nodeCrypto, privateKeyOf, publicBytesOf } from './node-crypto.js';

export const SIGNING_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

export interface SigningKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** The RFC's 32-byte seed. Secret. */
  readonly secretKey: Uint8Array;
}

export interface SignParams {
  readonly secretKey: Uint8Array;
  readonly domainTag: string;
  readonly message: Uint8Array;
}

export interface VerifyParams {
  readonly publicKey: Uint8Array;
  readonly domainTag: string;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

export function generateSigningKey(random: RandomSource): SigningKey {
  const secretKey = random(SIGNING_KEY_BYTES);
  return { publicKey: signingPublicKey(secretKey), secretKey };
}

/** For a key that lives as long as its process: signs faster, and its secret must never be changed or wiped. */
export function holdSigningKey({ secretKey }: Pick<SigningKey, 'secretKey'>): void {
  requireBytes(secretKey, SIGNING_KEY_BYTES, 'secretKey');
  holdSeed(secretKey);
}

export function signingPublicKey(secretKey: Uint8Array): Uint8Array {
  requireBytes(secretKey, SIGNING_KEY_BYTES, 'secretKey');
  if (nodeCrypto === undefined) return portableEngine.publicKey(secretKey);
  return publicBytesOf(nodeCrypto, privateKeyOf(nodeCrypto, 'Ed25519', secretKey));
}

/** 64 bytes. Refuses `INVALID_ARGUMENT` for a secret key of another length. */
export async function sign(params: SignParams): Promise<Uint8Array> {
  return signWith(await engine(), params);
}

/**
 * `false` for everything that is not a valid signature, malformed lengths included; never throws for what a stranger
 * sent. Stricter than the RFC where implementations differ (non-canonical encodings, points of small order, cofactor),
 * so that every platform gives the same answer. Proves possession of the key, not freshness.
 */
export async function verify(params: VerifyParams): Promise<boolean> {
  return verifyWith(await engine(), params);
}

export async function signWith(
  using: Ed25519Engine,
  { secretKey, domainTag, message }: SignParams,
): Promise<Uint8Array> {
  requireBytes(secretKey, SIGNING_KEY_BYTES, 'secretKey');
  return using.sign(secretKey, lengthPrefixed(utf8(domainTag), message));
}

export async function verifyWith(
  using: Ed25519Engine,
  { publicKey, domainTag, message, signature }: VerifyParams,
): Promise<boolean> {
  if (!isAcceptableEncoding(publicKey, signature)) return false;
  return using.verify(publicKey, lengthPrefixed(utf8(domainTag), message), signature);
}

/** Without a domain tag, for signatures whose form others define. Not exported by the package. */
export async function signPlain(secretKey: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
  requireBytes(secretKey, SIGNING_KEY_BYTES, 'secretKey');
  return (await engine()).sign(secretKey, message);
}
export async function verifyPlain(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  return isAcceptableEncoding(publicKey, signature) && (await engine()).verify(publicKey, message, signature);
}

let chosenEngine: Promise<Ed25519Engine> | undefined;
const engine = (): Promise<Ed25519Engine> => (chosenEngine ??= chooseEngine());

async function chooseEngine(): Promise<Ed25519Engine> {
  if (nodeCrypto !== undefined) return nodeEngine(nodeCrypto);
  return (await nativeEngine.isAvailable()) ? nativeEngine : portableEngine;
}
