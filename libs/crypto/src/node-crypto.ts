import { concatBytes, fromBase64Url, fromHex, toBase64Url } from '@usufruct/kernel';

/** Node's own cryptography. */
export type NodeCrypto = ReturnType<typeof process.getBuiltinModule<'node:crypto'>>;

/**
 * Where this is Node; undefined in a browser. It works on this thread: what is signed, sealed and hashed here is small, and
 * WebCrypto takes longer to hand it to another thread and back than the work itself does.
 */
export const nodeCrypto: NodeCrypto | undefined = globalThis.process?.getBuiltinModule?.('node:crypto');

export type NodeKey = ReturnType<NodeCrypto['createPrivateKey']>;
export type Curve = 'Ed25519' | 'X25519';

/** PKCS #8 (RFC 8410) up to the 32 bytes of the private key. */
const PKCS8_PREFIXES: Readonly<Record<Curve, Uint8Array>> = {
  Ed25519: fromHex('302e020100300506032b657004220420'),
  X25519: fromHex('302e020100300506032b656e04220420'),
};

export function privateKeyOf(node: NodeCrypto, curve: Curve, bytes: Uint8Array): NodeKey {
  const der = concatBytes(PKCS8_PREFIXES[curve], bytes);
  // A Buffer of the same memory: what else is accepted differs from one version of Node to the next.
  const key = Buffer.from(der.buffer);
  const made = node.createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  der.fill(0);
  return made;
}

/** Public keys that were used last, the latest at the end: importing one takes a third of what verifying with it does. */
const recent = new Map<string, NodeKey>();
const RECENT_AT_MOST = 256;

/** Throws for what is no public key of the curve. */
export function publicKeyOf(node: NodeCrypto, curve: Curve, bytes: Uint8Array): NodeKey {
  const x = toBase64Url(bytes);
  const name = `${curve} ${x}`;
  const key = recent.get(name) ?? node.createPublicKey({ key: { kty: 'OKP', crv: curve, x }, format: 'jwk' });
  recent.delete(name);
  recent.set(name, key);
  const [oldest] = recent.keys();
  if (recent.size > RECENT_AT_MOST && oldest !== undefined) recent.delete(oldest);
  return key;
}

/** Of a public key its 32 bytes, of a private one those of its public key. */
export function publicBytesOf(node: NodeCrypto, key: NodeKey): Uint8Array<ArrayBuffer> {
  const { x } = (key.type === 'private' ? node.createPublicKey(key) : key).export({ format: 'jwk' });
  return Uint8Array.from(fromBase64Url(x ?? ''));
}
