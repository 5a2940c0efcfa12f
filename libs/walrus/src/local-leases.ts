import { refuse, type Address, type BlobId } from '@usufruct/kernel';
import { zHex32 } from '@usufruct/protocol';
import { z } from 'zod';
import type { CallOptions, LeaseName } from './blob-store.js';
import type { Leases } from './http-blob-store.js';
import { localObjects, type LocalObject, type LocalObjectsOptions } from './local-objects.js';
import { originOf } from './request.js';

export interface LocalLeasesOptions extends LocalObjectsOptions {
  /** Whose leases; left out: those that the store keeps itself, as a publisher keeps what is stored for nobody else. */
  readonly owner?: Address;
}

const zInfo = z.object({ standIn: z.literal('local store'), publisher: zHex32<Address>() });

/**
 * Ends and renewals of leases in the local store, where no chain knows them. Nothing of it is signed: it is for the
 * stand-in on this machine, and refuses every other store with `UPSTREAM_INVALID`.
 */
export function localLeases(options: LocalLeasesOptions): Leases {
  const { url, ask, read, readOne, list } = localObjects(options);
  let publisher: Promise<Address> | undefined;
  const owner = async (call?: CallOptions): Promise<Address> => {
    if (options.owner !== undefined) return options.owner;
    publisher ??= ask('/v1/info', call).then(async (answer) => (await read(zInfo, answer)).publisher);
    // A store that did not answer once may answer the next time.
    publisher.catch(() => (publisher = undefined));
    return publisher;
  };
  /** Of several leases of one blob the one that lasts longest. */
  const find = async ({ blobId, objectId }: LeaseName, call?: CallOptions): Promise<LocalObject | null> => {
    if (objectId !== undefined && objectId !== null) {
      const answer = await ask(`/v1/local/objects/${objectId}`, call);
      if (answer.status === 404) return null;
      const found = await readOne(answer);
      return found.blobId === blobId ? found : null;
    }
    const leases = await list(await owner(call), blobId, call);
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
      return { endEpoch: (await readOne(answer)).storage.endEpoch };
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
