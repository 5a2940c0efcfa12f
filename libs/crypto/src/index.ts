export * from './hash.js';
export { generateSigningKey, sign, signingPublicKey, verify, SIGNATURE_BYTES, SIGNING_KEY_BYTES } from './ed25519.js';
export type { SigningKey, SignParams, VerifyParams } from './ed25519.js';
export { generateKeyPair, open, seal, HPKE_KEY_BYTES, HPKE_OVERHEAD_BYTES } from './hpke.js';
export type { HpkeKeyPair, OpenParams, SealParams } from './hpke.js';
export * from './merkle-log.js';
export * from './session-key.js';
export * from './sharing.js';
export * from './wallet.js';
