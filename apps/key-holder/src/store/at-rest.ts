import { concatBytes, type RandomSource } from '@usufruct/kernel';

const NONCE_BYTES = 12;

/** AES-256-GCM of what this holder keeps: the database file alone opens nothing. Wire: nonce (12) ‖ ciphertext ‖ tag. */
export class AtRest {
  constructor(
    private readonly key: CryptoKey,
    private readonly random: RandomSource,
  ) {}

  /** `about` says which row these bytes are of, so that no row can be swapped for another. */
  async encrypt(about: Uint8Array, plaintext: Uint8Array): Promise<Uint8Array> {
    const nonce = Uint8Array.from(this.random(NONCE_BYTES));
    const sealed = await crypto.subtle.encrypt(parameters(nonce, about), this.key, Uint8Array.from(plaintext));
    return concatBytes(nonce, new Uint8Array(sealed));
  }

  async decrypt(about: Uint8Array, encrypted: Uint8Array): Promise<Uint8Array> {
    const nonce = Uint8Array.from(encrypted.subarray(0, NONCE_BYTES));
    const sealed = Uint8Array.from(encrypted.subarray(NONCE_BYTES));
    return new Uint8Array(await crypto.subtle.decrypt(parameters(nonce, about), this.key, sealed));
  }
}

const parameters = (iv: Uint8Array<ArrayBuffer>, about: Uint8Array): AesGcmParams => ({
  name: 'AES-GCM',
  iv,
  additionalData: Uint8Array.from(about),
});
