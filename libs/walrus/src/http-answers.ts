import type { Hex32 } from '@usufruct/kernel';
import { zHex32 } from '@usufruct/protocol';
import { z } from 'zod';

/** The two good answers of a Walrus publisher to `PUT /v1/blobs`; fields that we do not use are not looked at. */
const blobId = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
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

export interface PutAnswer {
  readonly blobId: string;
  readonly endEpoch: number;
  /** `null` where the answer does not say: a blob that was certified before. */
  readonly sizeBytes: number | null;
  readonly objectId: Hex32 | null;
}

/** `null` for anything that is not one of the two answers, `markedInvalid` and error pages included. */
export function parsePutAnswer(text: string): PutAnswer | null {
  const body = parseJson(text);
  const created = zNewlyCreated.safeParse(body);
  if (created.success) {
    const { blobObject } = created.data.newlyCreated;
    const { blobId, size, id, storage } = blobObject;
    return { blobId, endEpoch: storage.endEpoch, sizeBytes: size, objectId: id };
  }
  const certified = zAlreadyCertified.safeParse(body);
  if (!certified.success) return null;
  const { object, ...blob } = certified.data.alreadyCertified;
  return { ...blob, sizeBytes: null, objectId: object ?? null };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
