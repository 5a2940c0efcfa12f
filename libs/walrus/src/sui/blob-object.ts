import { bcs } from '@mysten/bcs';
import { asBlobId, asId, refuse, toBase64Url, toHex32, type Hex32 } from '@usufruct/kernel';
import type { LeaseView } from '../upload/ports.js';

const address = () =>
  bcs.bytes(32).transform({ input: (bytes: Uint8Array) => bytes, output: (bytes) => toHex32(bytes) });
/** `walrus::blob::Blob`, field for field. */
const BlobObject = bcs.struct('Blob', {
  id: address(),
  registeredEpoch: bcs.u32(),
  blobId: bcs.bytes(32),
  size: bcs.u64(),
  encodingType: bcs.u8(),
  certifiedEpoch: bcs.option(bcs.u32()),
  storage: bcs.struct('Storage', {
    id: address(),
    startEpoch: bcs.u32(),
    endEpoch: bcs.u32(),
    storageSize: bcs.u64(),
  }),
  deletable: bcs.bool(),
});

/** Refuses `UPSTREAM_INVALID` for content that is no `Blob`. `encodedBytes`: what is paid for. */
export function readBlobObject(content: Uint8Array): LeaseView & { readonly encodedBytes: number } {
  try {
    const { id, blobId, size, certifiedEpoch, storage, deletable } = BlobObject.parse(content);
    return {
      blobId: asBlobId(toBase64Url(Uint8Array.from(blobId))),
      objectId: asId<Hex32>(id, 'objectId'),
      sizeBytes: Number(size),
      endEpoch: storage.endEpoch,
      deletable,
      certified: certifiedEpoch !== null,
      encodedBytes: Number(storage.storageSize),
    };
  } catch (cause) {
    throw refuse('UPSTREAM_INVALID', { upstream: 'Sui', field: 'Blob object' }, cause);
  }
}
