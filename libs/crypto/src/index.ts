export { decryptEnvelope, decryptWhole } from './envelope/decrypt.js';
export type { DecryptedEnvelope, DecryptEnvelopeParams, DecryptWholeParams } from './envelope/decrypt.js';
export { DEFAULT_CHUNK_BYTES, encryptEnvelope } from './envelope/encrypt.js';
export type { EncryptEnvelopeParams } from './envelope/encrypt.js';
export * from './hash.js';
export {
  generateSigningKey,
  holdSigningKey,
  sign,
  signingPublicKey,
  verify,
  SIGNATURE_BYTES,
  SIGNING_KEY_BYTES,
} from './ed25519.js';
export type { SigningKey, SignParams, VerifyParams } from './ed25519.js';
export { beginSeal, generateKeyPair, open, seal, HPKE_KEY_BYTES, HPKE_OVERHEAD_BYTES } from './hpke.js';
export type { HpkeKeyPair, OpenParams, Sealer, SealParams } from './hpke.js';
export * from './merkle-log.js';
export { verifyRange } from './merkle-range.js';
export type { RangeClaim } from './merkle-range.js';
export * from './session-key.js';
export * from './resharing.js';
export { SubShareBatch, type SubShareBatchParams } from './resharing-batch.js';
export * from './sharing.js';
export * from './wallet.js';
export * from './wallet-key.js';
export * from './streams.js';
