import { refuse, type Address, type BlobId, type Hex32 } from '@usufruct/kernel';
import { parseAnswer, zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import type { CallOptions, LeaseName } from './blob-store.js';
import type { Leases } from './http-blob-store.js';
import { baseUrl, originOf, request, type Answer, type RequestParams } from './request.js';

export interface LocalLeasesOptions extends Partial<RequestParams> {
  readonly url: string;
  /** Whose leases; left out: those that the store keeps itself, as a publisher keeps what is stored for nobody else. */
  readonly owner?: Address;
}

const ANSWER_BYTES = 4 * 1024 * 1024;
const zInfo = z.object({ standIn: z.literal('local store'), publisher: zHex32<Address>() });
const zLease = z.object({
  blobObject: z.object({
    id: zHex32<Hex32>(),
    blobId: z.string(),
    size: z.int().nonnegative(),
    certifiedEpoch: z.int().nullable(),
    storage: z.object({ endEpoch: z.int().nonnegative() }),
    deletable: z.boolean(),
  }),
});
type Lease = z.output<typeof zLease>['blobObject'];
const zLeases = z.object({ objects: z.array(zLease) });

/**
 * Ends and renewals of leases in the local store, where no chain knows them. Nothing of it is signed: it is for the
 * stand-in on this machine, and refuses every other store with `UPSTREAM_INVALID`.
 */
export function localLeases(options: LocalLeasesOptions): Leases {
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
  let publisher: Promise<Address> | undefined;
  const owner = async (call?: CallOptions): Promise<Address> => {
    if (options.owner !== undefined) return options.owner;
    publisher ??= ask('/v1/info', call).then(async (answer) => (await read(zInfo, answer)).publisher);
    // A store that did not answer once may answer the next time.
    publisher.catch(() => (publisher = undefined));
    return publisher;
  };
  /** Of several leases of one blob the one that lasts longest. */
  const find = async ({ blobId, objectId }: LeaseName, call?: CallOptions): Promise<Lease | null> => {
    if (objectId !== undefined && objectId !== null) {
      const answer = await ask(`/v1/local/objects/${objectId}`, call);
      if (answer.status === 404) return null;
      const { blobObject } = await read(zLease, answer);
      return blobObject.blobId === blobId ? blobObject : null;
    }
    const query = `owner=${await owner(call)}&blob_id=${blobId}`;
    const { objects } = await read(zLeases, await ask(`/v1/local/objects?${query}`, call));
    const leases = objects.map(({ blobObject }) => blobObject);
    return leases.toSorted((a, b) => b.storage.endEpoch - a.storage.endEpoch)[0] ?? null;
  };
  return {
    paidBy: 'nobody',
    async delete(name, call) {
      const lease = await find(name, call);
      if (lease === null) return;
      const path = `/v1/local/objects/${lease.id}?owner=${await owner(call)}`;
      const { status } = await ask(path, call, { method: 'DELETE' });
      if (status === 409) throw refuse('BLOB_PERMANENT', { blobId: name.blobId });
      refuseOthers(status, url, name.blobId, [204, 404]);
    },
    async extend(name, endEpoch, call) {
      const lease = await find(name, call);
      if (lease === null) throw refuse('BLOB_UNAVAILABLE', { blobId: name.blobId });
      const body = JSON.stringify({ owner: await owner(call), endEpoch });
      const answer = await ask(`/v1/local/objects/${lease.id}/extend`, call, { method: 'POST', body });
      if (answer.status === 404) throw refuse('BLOB_UNAVAILABLE', { blobId: name.blobId });
      if (answer.status === 400) throw refuse('INVALID_ARGUMENT', { field: 'endEpoch', expected: 'a lease to be had' });
      refuseOthers(answer.status, url, name.blobId, [200]);
      return { endEpoch: (await read(zLease, answer)).blobObject.storage.endEpoch };
    },
    async describe(blobId, call) {
      const lease = await find({ blobId }, call);
      if (lease === null) return null;
      const { size, certifiedEpoch, storage, deletable } = lease;
      return { certified: certifiedEpoch !== null, sizeBytes: size, endEpoch: storage.endEpoch, deletable };
    },
  };
}

function refuseOthers(status: number, url: string, blobId: BlobId, good: readonly number[]): void {
  if (good.includes(status)) return;
  if (status === 403) throw refuse('FORBIDDEN', { blobId });
  if (status === 507) throw refuse('STORE_FULL', { upstream: originOf(url) });
  throw refuse('UPSTREAM_INVALID', { upstream: originOf(url), status: String(status) });
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
