import { asBlobId, refuse, type BlobId } from '@usufruct/kernel';
import type { Aggregators, EncodedQuilt, PatchName, QuiltFile } from '@usufruct/walrus';

/** Reads out of memory as an aggregator does; what is in a quilt it knows from whoever encoded it. */
export class FakeAggregator implements Aggregators {
  private readonly patches = new Map<string, { readonly quiltId: BlobId; readonly bytes: Uint8Array }>();
  constructor(private readonly find: (blobId: BlobId) => Uint8Array | null) {}

  remember(files: readonly QuiltFile[], quilt: EncodedQuilt): EncodedQuilt {
    return {
      bytes: quilt.bytes,
      patchesOf: (id) => {
        const quiltId = asBlobId(id);
        const patches = quilt.patchesOf(id);
        for (const { identifier, patchId } of patches) {
          const { bytes } = files.find((file) => file.identifier === identifier)!;
          this.patches.set(patchId, { quiltId, bytes });
          this.patches.set(`${id}/${identifier}`, { quiltId, bytes });
        }
        return patches;
      },
    };
  }

  get: Aggregators['get'] = async (blobId, { range, signal }) => {
    const bytes = this.read(asBlobId(blobId), signal);
    if (range === undefined) return bytes;
    const { offsetBytes, lengthBytes } = range;
    const isInside = Number.isInteger(offsetBytes) && offsetBytes >= 0 && offsetBytes + lengthBytes <= bytes.length;
    if (!isInside || lengthBytes < 1) throw refuse('INVALID_ARGUMENT', { field: 'range' });
    return bytes.slice(offsetBytes, offsetBytes + lengthBytes);
  };
  getPatch: Aggregators['getPatch'] = async (patch: PatchName, { signal }) => {
    const known = this.patches.get('patchId' in patch ? patch.patchId : `${patch.quiltId}/${patch.identifier}`);
    if (known === undefined) throw refuse('BLOB_UNAVAILABLE');
    this.read(known.quiltId, signal);
    return known.bytes;
  };
  status: Aggregators['status'] = async (blobId) => {
    const bytes = this.find(asBlobId(blobId));
    const unsaid = { certified: null, endEpoch: null, deletable: null };
    return { ...unsaid, available: bytes !== null, sizeBytes: bytes?.length ?? null };
  };

  private read(blobId: BlobId, signal: AbortSignal | undefined): Uint8Array {
    signal?.throwIfAborted();
    const bytes = this.find(blobId);
    if (bytes === null) throw refuse('BLOB_UNAVAILABLE', { blobId });
    return Uint8Array.from(bytes);
  }
}
