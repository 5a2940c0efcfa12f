import { keypairSigner, type WalletSigner } from '@usufruct/chain';
import {
  deriveSessionKey,
  generateKeyPair,
  signingPublicKey,
  type HpkeKeyPair,
  type SigningKey,
} from '@usufruct/crypto';
import { utf8 } from '@usufruct/kernel';
import { TAGS } from '@usufruct/protocol';

/** The holder's lasting keys. They follow from one secret; those that rotate are in its keyring. */
export interface HolderKeys {
  /** Ed25519: share receipts, runner statements, tree heads. */
  readonly signing: SigningKey;
  /** X25519: openings and seeds of epochs are sealed to it. Shares are sealed to the keys in `sealing/`. */
  readonly sealing: HpkeKeyPair;
  /** AES-256-GCM: the file of the keys that rotate (see keyring/). */
  readonly keyring: Uint8Array;
  /** HMAC-SHA256: what is looked up at rest without being readable there. */
  readonly index: Uint8Array;
  /** The chain account that anchors tree heads. */
  readonly operator: WalletSigner;
}

/** HKDF-SHA256 (RFC 5869) with one domain tag a key. `secret`: 32 bytes. */
export async function deriveHolderKeys(secret: Uint8Array): Promise<HolderKeys> {
  const derive = (domainTag: string, context = ''): Uint8Array<ArrayBuffer> =>
    Uint8Array.from(deriveSessionKey({ domainTag, secret, context: utf8(context) }));
  const secretKey = derive(TAGS.holderSigning);
  return {
    signing: { secretKey, publicKey: signingPublicKey(secretKey) },
    sealing: await generateKeyPair(() => derive(TAGS.holderSealing)),
    keyring: derive(TAGS.holderKeyring),
    index: derive(TAGS.holderStorage, 'index'),
    operator: keypairSigner(derive(TAGS.holderOperator)),
  };
}
