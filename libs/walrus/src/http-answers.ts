import { fromBase64Url, type Hex32 } from '@usufruct/kernel';
import { zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import type { QuiltPatch, QuiltPatchId } from './blob-store.js';

/** The two good answers of a Walrus publisher to `PUT /v1/blobs`; fields that we do not use are not looked at. */
const base64Url = (bytes: number) => z.string().refine((text) => decodesTo(text, bytes));
const blobId = base64Url(32);
const epoch = z.number().int().nonnegative();

const zNewlyCreated = z.object({
  newlyCreated: z.object({
    blobObject: z.object({
      id: zHex32<Hex32>(),
      blobId,
      size: z.number().int().nonnegative(),
      storage: z.object({ endEpoch: epoch }),
    }),
  }),
});
const zAlreadyCertified = z.object({
  // A deletable blob is named by its object, a permanent one by the event of its certification.
  alreadyCertified: z.object({ blobId, endEpoch: epoch, object: zHex32<Hex32>().optional() }),
});

/** The answer to `PUT /v1/quilts`. */
const zQuilt = z.object({
  blobStoreResult: z.unknown(),
  storedQuiltBlobs: z.array(
    z.object({
      identifier: z.string(),
      quiltPatchId: base64Url(37).transform((text) => text as QuiltPatchId),
    }),
  ),
});

export interface PutAnswer {
  readonly blobId: string;
  readonly endEpoch: number;
  /** `null` where the answer does not say: a blob that was certified before. */
  readonly sizeBytes: number | null;
  readonly objectId: Hex32 | null;
}

/** `null` for anything that is not one of the two answers, `markedInvalid` and error pages included. */
export const parsePutAnswer = (text: string): PutAnswer | null => putAnswer(parseJson(text));

export function parseQuiltAnswer(text: string): { stored: PutAnswer; patches: QuiltPatch[] } | null {
  const parsed = zQuilt.safeParse(parseJson(text));
  const stored = parsed.success ? putAnswer(parsed.data.blobStoreResult) : null;
  if (!parsed.success || stored === null) return null;
  const patches = parsed.data.storedQuiltBlobs.map(({ identifier, quiltPatchId: patchId }) => ({
    identifier,
    patchId,
  }));
  return { stored, patches };
}

function putAnswer(body: unknown): PutAnswer | null {
  const created = zNewlyCreated.safeParse(body);
  if (created.success) {
    const { blobId, size, id, storage } = created.data.newlyCreated.blobObject;
    return { blobId, endEpoch: storage.endEpoch, sizeBytes: size, objectId: id };
  }
  const certified = zAlreadyCertified.safeParse(body);
  if (!certified.success) return null;
  const { object, ...blob } = certified.data.alreadyCertified;
  return { ...blob, sizeBytes: null, objectId: object ?? null };
}

/** Strictly: the last character may have no bits that say nothing, or one id would have several names. */
function decodesTo(text: string, bytes: number): boolean {
  try {
    return fromBase64Url(text).length === bytes;
  } catch {
    return false;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
