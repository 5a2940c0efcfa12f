import { open, sign } from '@usufruct/crypto';
import { equalBytes, fromBase64, refuse, toBase64 } from '@usufruct/kernel';
import { encodeSealingKey, TAGS, type SignedSealingKey } from '@usufruct/protocol';
import type { Holder } from '../holder.js';

/** This holder's word about the key to seal to now. The same bytes until there is another key. */
export async function currentSealingKey({ keys, chain, subkeys }: Holder): Promise<SignedSealingKey> {
  const { chainId, packageId } = await chain.info();
  const { publicKey, notBeforeMs, notAfterMs } = await subkeys.current();
  const { publicKey: holderSigningKey, secretKey } = keys.signing;
  const message = encodeSealingKey({ chainId, packageId, holderSigningKey, publicKey, notBeforeMs, notAfterMs });
  const signature = await sign({ secretKey, domainTag: TAGS.sealingKey, message });
  return { statement: toBase64(message), signature: toBase64(signature) };
}

export interface Sealed {
  /** The key that the sender says that it sealed to. Base64. */
  readonly sealedTo: string;
  readonly info: Uint8Array;
  readonly sealed: Uint8Array;
}

/**
 * Open what is sealed to a key that this holder has now; null for what does not open with it. Refuses
 * `SEALING_KEY_RETIRED` for any other key, the one that the chain names among them: that one is not used for shares.
 */
export async function openSealed({ subkeys }: Holder, { sealedTo, info, sealed }: Sealed): Promise<Uint8Array | null> {
  const named = fromBase64(sealedTo, 'sealedTo');
  const key = subkeys.openable().find(({ publicKey }) => equalBytes(publicKey, named));
  if (key === undefined) throw refuse('SEALING_KEY_RETIRED', { sealedTo });
  try {
    return await open({ privateKey: key.privateKey, info, aad: new Uint8Array(), sealed });
  } catch {
    return null; // one answer for every way of not opening
  }
}
