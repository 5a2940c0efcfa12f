import { bcs } from '@mysten/bcs';
import { encodeQuilt } from '@mysten/walrus';
import { fromBase64Url, refuse, toBase64Url } from '@usufruct/kernel';
import type { QuiltFile, QuiltPatchId } from '../blob-store.js';
import type { EncodedQuilt } from '../upload/upload-blob-store.js';

const PatchId = bcs.struct('QuiltPatchId', {
  quiltId: bcs.bytes(32),
  version: bcs.u8(),
  startIndex: bcs.u16(),
  endIndex: bcs.u16(),
});
const VERSION = 1;

/** Files as one blob for so many shards, by `@mysten/walrus`. Refuses `REQUEST_TOO_LARGE` for what does not fit. */
export function walrusQuilt(files: readonly QuiltFile[], shards: number): EncodedQuilt {
  const { quilt, index } = encoded(files, shards);
  return {
    bytes: quilt,
    patchesOf: (quiltId) =>
      index.patches.map(({ identifier, startIndex, endIndex }) => {
        const id = { quiltId: fromBase64Url(quiltId), version: VERSION, startIndex, endIndex };
        return { identifier, patchId: toBase64Url(PatchId.serialize(id).toBytes()) as QuiltPatchId };
      }),
  };
}

function encoded(files: readonly QuiltFile[], numShards: number): ReturnType<typeof encodeQuilt> {
  const blobs = files.map(({ identifier, bytes, tags = {} }) => ({
    identifier,
    contents: Uint8Array.from(bytes),
    tags: { ...tags },
  }));
  try {
    return encodeQuilt({ blobs, numShards });
  } catch (cause) {
    throw refuse('REQUEST_TOO_LARGE', { reason: 'the files do not fit into one quilt' }, cause);
  }
}
