import { bcs } from '@mysten/bcs';
import type { WalrusClient } from '@mysten/walrus';
import { fromBase64, refuse, UsufructError } from '@usufruct/kernel';
import { certifies } from '../upload/certificate.js';
import type { Certificate, Transport } from '../upload/ports.js';

/** As `@mysten/walrus` hands it over between its steps. */
const SdkCertificate = bcs.struct('Certificate', {
  signers: bcs.vector(bcs.u16()),
  serializedMessage: bcs.byteVector(),
  signature: bcs.byteVector(),
});

/**
 * This process brings the slivers to the storage nodes itself: thousands of requests and the whole encoded blob in
 * memory (about five times the blob, and 64 MB more at 1,000 shards), but nobody is paid for it.
 */
export function nodesTransport(walrus: WalrusClient): Transport {
  return {
    tipFor: () => Promise.resolve(null),
    async upload({ bytes, encoded, lease, signal }): Promise<Certificate> {
      // It goes on after the registration, which was made and paid elsewhere.
      const resume = {
        step: 'registered',
        blobId: encoded.blobId,
        blobObjectId: lease.objectId,
        txDigest: '',
      } as const;
      const flow = walrus.writeBlobFlow({ blob: Uint8Array.from(bytes), resume });
      try {
        await flow.encode();
        const { certificate } = await flow.upload({
          deletable: lease.deletable,
          ...(signal !== undefined && { signal }),
        });
        const { signers, serializedMessage, signature } = SdkCertificate.parse(fromBase64(certificate));
        const signed = {
          signers,
          message: Uint8Array.from(serializedMessage),
          signature: Uint8Array.from(signature),
        };
        if (!certifies(signed, lease)) throw refuse('BLOB_MISMATCH', { blobId: lease.blobId });
        return signed;
      } catch (error) {
        signal?.throwIfAborted();
        if (error instanceof UsufructError) throw error;
        throw refuse('UPSTREAM_UNAVAILABLE', { upstream: 'Walrus storage nodes' }, error);
      }
    },
  };
}
