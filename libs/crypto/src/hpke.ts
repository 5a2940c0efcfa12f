/**
 * HPKE base mode, single shot (RFC 9180 §6.1): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
 * Wire form: enc (32 bytes) ‖ ciphertext ‖ tag (16 bytes).
 *
 * Anyone can seal to a public key: opening proves who can read and that nothing changed since, not who wrote. Whoever
 * must be known as the author signs. X25519 and AES are Node's own there; in a browser WebCrypto's, and where that has no
 * X25519, JavaScript's.
 */
import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256 as NativeDhkem } from '@hpke/core';
import { DhkemX25519HkdfSha256 as PortableDhkem } from '@hpke/dhkem-x25519';
import { assertInvariant, concatBytes, refuse, type RandomSource } from '@usufruct/kernel';
import { requireBytes } from './guards.js';
import { HkdfSha256Here, kemKdf } from './hpke-kdf.js';
import { nodeSuite } from './hpke-node.js';
import { nodeCrypto } from './node-crypto.js';

export const HPKE_KEY_BYTES = 32;
const ENC_BYTES = 32;
const TAG_BYTES = 16;
/** What sealing adds to the plaintext. */
export const HPKE_OVERHEAD_BYTES = ENC_BYTES + TAG_BYTES;

export interface HpkeKeyPair {
  /** 32 bytes, X25519 (RFC 7748). */
  readonly publicKey: Uint8Array;
  /** 32 bytes. Secret. */
  readonly privateKey: Uint8Array;
}

export interface SealParams {
  readonly recipientPublicKey: Uint8Array;
  /** Binds the purpose and context; the opener must give the same bytes. At most 64 KiB. */
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
  readonly plaintext: Uint8Array;
}

export interface OpenParams {
  readonly privateKey: Uint8Array;
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
  /** What `seal` returned. */
  readonly sealed: Uint8Array;
}

/** A key pair from 32 random bytes, by the RFC's DeriveKeyPair (§7.1.3): the same bytes give the same pair. */
export async function generateKeyPair(random: RandomSource): Promise<HpkeKeyPair> {
  const seed = random(HPKE_KEY_BYTES);
  requireBytes(seed, HPKE_KEY_BYTES, 'random');
  const { kem } = await hpkeSuite();
  const pair = await kem.deriveKeyPair(seed);
  return {
    publicKey: new Uint8Array(await kem.serializePublicKey(pair.publicKey)),
    privateKey: new Uint8Array(await kem.serializePrivateKey(pair.privateKey)),
  };
}

/**
 * Seal to one recipient: enc ‖ ciphertext ‖ tag. The ephemeral key comes from the platform and not from the caller: a
 * source that repeats itself would repeat key and nonce, which gives plaintexts away. Many small secrets for the same
 * recipient belong into one sealed bundle: one X25519 and one AES pass for all.
 * Refuses `INVALID_ARGUMENT` for a public key of another length or of small order.
 */
export async function seal(params: SealParams): Promise<Uint8Array<ArrayBuffer>> {
  return sealWith(await hpkeSuite(), params);
}

/** Seals one message, once: what was agreed on for it is good for no other. */
export type Sealer = (message: Pick<SealParams, 'plaintext' | 'aad'>) => Promise<Uint8Array<ArrayBuffer>>;

/** `seal` in two steps, for whoever knows the recipient before the message. Refuses what `seal` refuses. */
export async function beginSeal(params: Pick<SealParams, 'recipientPublicKey' | 'info'>): Promise<Sealer> {
  return beginSealWith(await hpkeSuite(), params);
}

/** The same with the suite, and for test vectors the ephemeral seed, as arguments. Not exported by the package. */
export async function sealWith(
  suite: CipherSuite,
  params: SealParams,
  ephemeralSeed?: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const sealer = await beginSealWith(suite, params, ephemeralSeed);
  return sealer(params);
}

async function beginSealWith(
  suite: CipherSuite,
  { recipientPublicKey, info }: Pick<SealParams, 'recipientPublicKey' | 'info'>,
  ephemeralSeed?: Uint8Array,
): Promise<Sealer> {
  requireBytes(recipientPublicKey, HPKE_KEY_BYTES, 'recipientPublicKey');
  try {
    const recipient = await suite.kem.deserializePublicKey(recipientPublicKey);
    const sender = { recipientPublicKey: recipient, info, ...(ephemeralSeed && { ekm: ephemeralSeed }) };
    const context = await suite.createSenderContext(sender);
    let isUsed = false;
    return async ({ plaintext, aad }) => {
      // The library would count on, to a nonce that `open` does not expect.
      assertInvariant(!isUsed, 'one message');
      isUsed = true;
      return concatBytes(new Uint8Array(context.enc), new Uint8Array(await context.seal(plaintext, aad)));
    };
  } catch (cause) {
    throw refuse('INVALID_ARGUMENT', { field: 'recipientPublicKey', expected: 'an X25519 public key' }, cause);
  }
}

/**
 * Open what `seal` made for this private key with the same info and aad.
 * Refuses `ENVELOPE_MALFORMED` when it is too short to be one and `ENVELOPE_TAMPERED` when it does not authenticate:
 * changed bytes, another key, another info or another aad cannot be told apart.
 */
export async function open(params: OpenParams): Promise<Uint8Array<ArrayBuffer>> {
  return openWith(await hpkeSuite(), params);
}

export async function openWith(
  suite: CipherSuite,
  { privateKey, info, aad, sealed }: OpenParams,
): Promise<Uint8Array<ArrayBuffer>> {
  requireBytes(privateKey, HPKE_KEY_BYTES, 'privateKey');
  if (sealed.length < HPKE_OVERHEAD_BYTES)
    throw refuse('ENVELOPE_MALFORMED', { part: 'sealed message', reason: 'too short' });
  const recipientKey = await suite.kem.deserializePrivateKey(privateKey);
  try {
    const enc = sealed.subarray(0, ENC_BYTES);
    return new Uint8Array(await suite.open({ recipientKey, enc, info }, sealed.subarray(ENC_BYTES), aad));
  } catch (cause) {
    throw refuse('ENVELOPE_TAMPERED', { part: 'sealed message' }, cause);
  }
}

class NativeX25519 extends NativeDhkem {
  constructor() {
    super();
    this._kdf = kemKdf();
  }
}
class PortableX25519 extends PortableDhkem {
  constructor() {
    super();
    this._kdf = kemKdf();
  }
}

const suiteWith = (kem: NativeX25519 | PortableX25519): CipherSuite =>
  new CipherSuite({ kem, kdf: new HkdfSha256Here(), aead: new Aes256Gcm() });
export const nativeSuite = (): CipherSuite => suiteWith(new NativeX25519());
export const portableSuite = (): CipherSuite => suiteWith(new PortableX25519());

let chosenSuite: Promise<CipherSuite> | undefined;
const hpkeSuite = (): Promise<CipherSuite> => (chosenSuite ??= chooseSuite());

async function chooseSuite(): Promise<CipherSuite> {
  if (nodeCrypto !== undefined) return nodeSuite(nodeCrypto);
  return (await hasNativeX25519()) ? nativeSuite() : portableSuite();
}

async function hasNativeX25519(): Promise<boolean> {
  try {
    await crypto.subtle.importKey('raw', new Uint8Array(HPKE_KEY_BYTES).fill(9), 'X25519', true, []);
    return true;
  } catch {
    return false; // NotSupportedError: Chromium before 133, Firefox before 130
  }
}
