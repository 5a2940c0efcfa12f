import { z } from 'zod';

/** The two good answers of a Walrus publisher to `PUT /v1/blobs`; fields that we do not use are not looked at. */
const blobId = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const epoch = z.number().int().nonnegative();

const zNewlyCreated = z.object({
  newlyCreated: z.object({
    blobObject: z.object({
      blobId,
      size: z.number().int().nonnegative(),
      storage: z.object({ endEpoch: epoch }),
    }),
  }),
});
const zAlreadyCertified = z.object({ alreadyCertified: z.object({ blobId, endEpoch: epoch }) });

export interface PutAnswer {
  readonly blobId: string;
  readonly endEpoch: number;
  /** `null` where the answer does not say: a blob that was certified before. */
  readonly sizeBytes: number | null;
}

/** `null` for anything that is not one of the two answers, `markedInvalid` and error pages included. */
export function parsePutAnswer(text: string): PutAnswer | null {
  const body = parseJson(text);
  const created = zNewlyCreated.safeParse(body);
  if (created.success) {
    const { blobObject } = created.data.newlyCreated;
    return { blobId: blobObject.blobId, endEpoch: blobObject.storage.endEpoch, sizeBytes: blobObject.size };
  }
  const certified = zAlreadyCertified.safeParse(body);
  return certified.success ? { ...certified.data.alreadyCertified, sizeBytes: null } : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
