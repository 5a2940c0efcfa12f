import { refuse, type Address, type BlobId, type Hex32 } from '@usufruct/kernel';
import { parseAnswer, zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import type { CallOptions } from './blob-store.js';
import { baseUrl, originOf, request, type Answer, type RequestParams } from './request.js';

export interface LocalObjectsOptions extends Partial<RequestParams> {
  readonly url: string;
}

const ANSWER_BYTES = 4 * 1024 * 1024;
const zObject = z.object({
  id: zHex32<Hex32>(),
  blobId: z.string(),
  size: z.int().nonnegative(),
  certifiedEpoch: z.int().nullable(),
  storage: z.object({ endEpoch: z.int().nonnegative() }),
  deletable: z.boolean(),
});
/** A `Blob` object as the local store shows it. */
export type LocalObject = z.output<typeof zObject>;
const zOne = z.object({ blobObject: zObject });
const zPage = z.object({ objects: z.array(zOne), next: zHex32<Hex32>().nullable().default(null) });

/** The local store's `Blob` objects, where no chain knows them. Refuses every other store with `UPSTREAM_INVALID`. */
export function localObjects(options: LocalObjectsOptions) {
  const url = baseUrl(options.url, 'url');
  const params: RequestParams = {
    fetch: (...call) => globalThis.fetch(...call),
    timeoutMs: 10_000,
    tries: 4,
    pauseMs: 250,
    ...options,
  };
  const ask = (path: string, call: CallOptions = {}, init: RequestInit = {}): Promise<Answer> =>
    request(params, {
      url: `${url}${path}`,
      init,
      maxAnswerBytes: ANSWER_BYTES,
      signal: call.signal,
      unavailable: 'UPSTREAM_UNAVAILABLE',
    });
  const read = async <S extends z.ZodType>(schema: S, answer: Answer): Promise<z.output<S>> => {
    const upstream = originOf(url);
    if (answer.status !== 200) throw refuse('UPSTREAM_INVALID', { upstream, status: String(answer.status) });
    return parseAnswer(schema, parseJson(answer.bytes), upstream);
  };
  return {
    url,
    ask,
    read,
    readOne: async (answer: Answer): Promise<LocalObject> => (await read(zOne, answer)).blobObject,
    /** Of one owner, and of one blob where it is named. */
    async list(owner: Address, blobId?: BlobId, call?: CallOptions): Promise<LocalObject[]> {
      const query = `owner=${owner}${blobId === undefined ? '' : `&blob_id=${blobId}`}`;
      const found: LocalObject[] = [];
      for (let after = ''; ;) {
        const page = await read(zPage, await ask(`/v1/local/objects?${query}${after}`, call));
        found.push(...page.objects.map(({ blobObject }) => blobObject));
        if (page.next === null) return found;
        after = `&after=${page.next}`;
      }
    },
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
