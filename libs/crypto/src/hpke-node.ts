import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, type AeadEncryptionContext } from '@hpke/core';
import { concatBytes } from '@usufruct/kernel';
import { bytesOf, HkdfSha256Here, kemKdf, type Bytes } from './hpke-kdf.js';
import { privateKeyOf, publicBytesOf, publicKeyOf, type NodeCrypto, type NodeKey } from './node-crypto.js';

const KEY_BYTES = 32;
const TAG_BYTES = 16;
const EMPTY = new Uint8Array();
/** Labels of DeriveKeyPair (RFC 9180 §7.1.3). */
const DKP_PRK = new TextEncoder().encode('dkp_prk');
const SK = new TextEncoder().encode('sk');

/** The suite of `hpke.ts` with Node's X25519 and AES-256-GCM: HPKE itself is the library's, as in the other suites. */
export const nodeSuite = (node: NodeCrypto): CipherSuite =>
  new CipherSuite({ kem: new NodeX25519(node), kdf: new HkdfSha256Here(), aead: new NodeAes256Gcm(node) });

class NodeX25519 extends DhkemX25519HkdfSha256 {
  constructor(node: NodeCrypto) {
    super();
    this._kdf = kemKdf();
    this._prim = new NodePrimitives(node, kemKdf());
  }
}

/** One of Node's keys where the library passes on one of WebCrypto's. */
class HeldKey implements CryptoKey {
  readonly algorithm = { name: 'X25519' };
  readonly extractable = true;
  readonly usages: KeyUsage[] = [];
  readonly type: 'public' | 'private';
  readonly held: NodeKey;

  constructor(held: NodeKey) {
    this.held = held;
    this.type = held.type === 'private' ? 'private' : 'public';
  }
}

/** What DHKEM asks of X25519 (RFC 9180 §4.1); a shared secret of zeros is refused by OpenSSL (§7.1.4). */
class NodePrimitives {
  readonly #node: NodeCrypto;
  readonly #kdf: HkdfSha256Here;

  constructor(node: NodeCrypto, kdf: HkdfSha256Here) {
    this.#node = node;
    this.#kdf = kdf;
  }

  async serializePublicKey(key: CryptoKey): Promise<ArrayBuffer> {
    return publicBytesOf(this.#node, heldBy(key)).buffer;
  }
  async deserializePublicKey(key: Bytes): Promise<CryptoKey> {
    return new HeldKey(publicKeyOf(this.#node, 'X25519', requireKeyBytes(key)));
  }
  async serializePrivateKey(key: CryptoKey): Promise<ArrayBuffer> {
    const der = heldBy(key).export({ format: 'der', type: 'pkcs8' });
    return Uint8Array.from(der.subarray(-KEY_BYTES)).buffer;
  }
  async deserializePrivateKey(key: Bytes): Promise<CryptoKey> {
    return new HeldKey(privateKeyOf(this.#node, 'X25519', requireKeyBytes(key)));
  }
  importKey(): Promise<CryptoKey> {
    return Promise.reject(new Error('keys come as their bytes'));
  }
  async generateKeyPair(): Promise<CryptoKeyPair> {
    const { publicKey, privateKey } = this.#node.generateKeyPairSync('x25519');
    return { publicKey: new HeldKey(publicKey), privateKey: new HeldKey(privateKey) };
  }
  async deriveKeyPair(ikm: Bytes): Promise<CryptoKeyPair> {
    const prk = await this.#kdf.labeledExtract(EMPTY, DKP_PRK, bytesOf(ikm));
    const privateKey = await this.deserializePrivateKey(await this.#kdf.labeledExpand(prk, SK, EMPTY, KEY_BYTES));
    return { privateKey, publicKey: await this.derivePublicKey(privateKey) };
  }
  async derivePublicKey(key: CryptoKey): Promise<CryptoKey> {
    return new HeldKey(this.#node.createPublicKey(heldBy(key)));
  }
  async dh(privateKey: CryptoKey, publicKey: CryptoKey): Promise<ArrayBuffer> {
    const pair = { privateKey: heldBy(privateKey), publicKey: heldBy(publicKey) };
    return Uint8Array.from(this.#node.diffieHellman(pair)).buffer;
  }
}

class NodeAes256Gcm extends Aes256Gcm {
  readonly #node: NodeCrypto;

  constructor(node: NodeCrypto) {
    super();
    this.#node = node;
  }

  override createEncryptionContext(key: Bytes): ReturnType<Aes256Gcm['createEncryptionContext']> {
    return new NodeAesContext(this.#node, Uint8Array.from(bytesOf(key)));
  }
}

class NodeAesContext implements AeadEncryptionContext {
  readonly #node: NodeCrypto;
  readonly #key: Uint8Array;

  constructor(node: NodeCrypto, key: Uint8Array) {
    this.#node = node;
    this.#key = key;
  }

  async seal(iv: Bytes, data: Bytes, aad: Bytes): Promise<ArrayBuffer> {
    const cipher = this.#node.createCipheriv('aes-256-gcm', this.#key, bytesOf(iv), { authTagLength: TAG_BYTES });
    cipher.setAAD(bytesOf(aad));
    return concatBytes(cipher.update(bytesOf(data)), cipher.final(), cipher.getAuthTag()).buffer;
  }

  /** Throws unless the tag is right; nothing of the plaintext is given before. */
  async open(iv: Bytes, data: Bytes, aad: Bytes): Promise<ArrayBuffer> {
    const sealed = bytesOf(data);
    const tagAt = sealed.length - TAG_BYTES;
    if (tagAt < 0) throw new Error('shorter than its tag');
    const decipher = this.#node.createDecipheriv('aes-256-gcm', this.#key, bytesOf(iv), { authTagLength: TAG_BYTES });
    decipher.setAAD(bytesOf(aad));
    decipher.setAuthTag(sealed.subarray(tagAt));
    return concatBytes(decipher.update(sealed.subarray(0, tagAt)), decipher.final()).buffer;
  }
}

function heldBy(key: CryptoKey): NodeKey {
  if (key instanceof HeldKey) return key.held;
  throw new Error('a key of another suite');
}

function requireKeyBytes(key: Bytes): Uint8Array {
  const bytes = bytesOf(key);
  if (bytes.length !== KEY_BYTES) throw new Error('32 bytes');
  return bytes;
}
