import { generateSigningKey, sign } from '@usufruct/crypto';
import { toBase64, type Digest } from '@usufruct/kernel';
import { ReaderRequestBcs, TAGS, type Reader } from '@usufruct/protocol';
import { seededRandom } from './values.js';

/** The key that a wallet names in a query, and what it signs for one holder. */
export function testReader(name = 'reader') {
  const { publicKey, secretKey } = generateSigningKey(seededRandom(`reader ${name}`));
  return {
    publicKey,
    forHolder: async (queryDigest: Digest, holderSigningKey: Uint8Array): Promise<Reader> => {
      const message = ReaderRequestBcs.serialize({ queryDigest, holderSigningKey }).toBytes();
      const signature = await sign({ secretKey, domainTag: TAGS.readerRequest, message });
      return { publicKey: toBase64(publicKey), signature: toBase64(signature) };
    },
  };
}
