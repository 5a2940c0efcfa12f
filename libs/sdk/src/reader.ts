import { generateSigningKey, sign } from '@usufruct/crypto';
import { fromBase64, toBase64, type Digest } from '@usufruct/kernel';
import { ReaderRequestBcs, TAGS, walletStatementBytes, type Reader, type WalletStatement } from '@usufruct/protocol';
import type { ClientContext } from './context.js';

/** A query as one holder gets it. */
export type SignedQuery<Query> = Query & { readonly signature: string; readonly reader: Reader };

/**
 * The wallet signs once, with a key for this query alone in what it signs; that key signs it for each holder, so what
 * one holder was sent is of no use with another.
 *
 * Gives what to send to the holder of a signing key: base64, as the chain names it.
 */
export async function signedQuery<Query extends object>(
  { chain, signer, random }: Pick<ClientContext, 'chain' | 'signer' | 'random'>,
  action: WalletStatement['action'],
  query: Query,
  digestOf: (query: Query & { readonly readerPublicKey: Uint8Array }) => Digest,
): Promise<(holderSigningKey: string) => Promise<SignedQuery<Query>>> {
  const { chainId } = await chain.info();
  const { publicKey: readerPublicKey, secretKey } = generateSigningKey(random);
  const queryDigest = digestOf({ ...query, readerPublicKey });
  const signature = await signer.signPersonalMessage(walletStatementBytes({ action, chainId, digest: queryDigest }));
  return async (holderSigningKey) => {
    const request = { queryDigest, holderSigningKey: fromBase64(holderSigningKey) };
    const message = ReaderRequestBcs.serialize(request).toBytes();
    const readerSignature = await sign({ secretKey, domainTag: TAGS.readerRequest, message });
    const reader = { publicKey: toBase64(readerPublicKey), signature: toBase64(readerSignature) };
    return { ...query, signature, reader };
  };
}
