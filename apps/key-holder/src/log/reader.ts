import { verify } from '@usufruct/crypto';
import { fromBase64, refuse, type Digest } from '@usufruct/kernel';
import { ReaderRequestBcs, TAGS, type Reader } from '@usufruct/protocol';
import type { Holder } from '../holder.js';

/**
 * The key that the wallet named in its query signed it for this holder: what another holder was asked is not answered
 * here. Refuses `SIGNATURE_INVALID`.
 */
export async function requireForThisHolder({ keys }: Holder, queryDigest: Digest, reader: Reader): Promise<void> {
  const holderSigningKey = keys.signing.publicKey;
  const isForUs = await verify({
    publicKey: fromBase64(reader.publicKey, 'reader.publicKey'),
    domainTag: TAGS.readerRequest,
    message: ReaderRequestBcs.serialize({ queryDigest, holderSigningKey }).toBytes(),
    signature: fromBase64(reader.signature, 'reader.signature'),
  });
  if (!isForUs) throw refuse('SIGNATURE_INVALID', { field: 'reader.signature' });
}
