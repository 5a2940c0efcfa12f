import { generateSigningKey, sign } from '@usufruct/crypto';
import { fromBase64, toBase64, type Digest, type RandomSource } from '@usufruct/kernel';
import { ReaderRequestBcs, TAGS, type Reader } from '@usufruct/protocol';

/** A key for one query: the wallet signs the query with this public key in it, this key signs it for each holder. */
export interface QueryReader {
  readonly publicKey: Uint8Array;
  /** `holderSigningKey`: base64, as the chain names it. */
  forHolder(queryDigest: Digest, holderSigningKey: string): Promise<Reader>;
}

export function newReader(random: RandomSource): QueryReader {
  const { publicKey, secretKey } = generateSigningKey(random);
  return {
    publicKey,
    forHolder: async (queryDigest, holderSigningKey) => {
      const request = { queryDigest, holderSigningKey: fromBase64(holderSigningKey) };
      const message = ReaderRequestBcs.serialize(request).toBytes();
      const signature = await sign({ secretKey, domainTag: TAGS.readerRequest, message });
      return { publicKey: toBase64(publicKey), signature: toBase64(signature) };
    },
  };
}
