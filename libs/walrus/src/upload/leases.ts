import { refuse, type Hex32 } from '@usufruct/kernel';
import { parseAnswer } from '@usufruct/protocol';
import type { LeaseName } from '../blob-store.js';
import { MOST_EPOCHS } from '../lease-terms.js';
import type { Leases } from '../http-blob-store.js';
import { settled, type OneAtATime } from './execute-once.js';
import type { LeaseChain, LeaseView, PreparedLeaseTransaction, UploadJournal } from './ports.js';
import { preparedTransaction, storedTransaction, zPrepared } from './records.js';

type LeaseStep = 'deletion' | 'extension';

export interface SignedLeasesParams {
  readonly chain: LeaseChain;
  readonly journal: UploadJournal;
  readonly oneAtATime: OneAtATime;
}

/**
 * Leases of one wallet, ended and renewed by its own transactions. A renewal whose answer was lost is looked up before
 * another is made, also by the next process.
 */
export function signedLeases({ chain, journal, oneAtATime }: SignedLeasesParams): Leases {
  const find = async ({ blobId, objectId }: LeaseName): Promise<LeaseView | null> => {
    const lease =
      objectId === undefined || objectId === null ? await chain.leaseOf(blobId) : await chain.lease(objectId);
    return lease?.blobId === blobId ? lease : null;
  };
  const run = (objectId: Hex32, step: LeaseStep, prepare: () => Promise<PreparedLeaseTransaction | null>) => {
    const key = `lease/${objectId}/${step}`;
    const stored = async () => {
      const text = await journal.get(key);
      return text === null ? null : preparedTransaction(parseAnswer(zPrepared, JSON.parse(text), 'journal'));
    };
    return oneAtATime(async () => {
      const earlier = await stored();
      if (earlier !== null) {
        // Whatever became of it, what is on the chain afterwards says what there is left to do.
        await settled(chain, earlier);
        await journal.delete(key);
      }
      const prepared = await prepare();
      if (prepared === null) return;
      await journal.put(key, JSON.stringify(storedTransaction(prepared)));
      const { error } = await chain.send(prepared);
      await journal.delete(key);
      if (error !== null) throw error;
    });
  };
  return {
    paidBy: 'owner',
    async delete(name) {
      const lease = await find(name);
      if (lease === null) return;
      if (!lease.deletable) throw refuse('BLOB_PERMANENT', { blobId: lease.blobId });
      const { objectId } = lease;
      await run(objectId, 'deletion', async () =>
        (await chain.lease(objectId)) === null ? null : chain.prepareDeletion(objectId),
      );
    },
    async extend(name, endEpoch) {
      const found = await find(name);
      if (found === null) throw refuse('BLOB_UNAVAILABLE', { blobId: name.blobId });
      const { objectId } = found;
      await run(objectId, 'extension', async () => {
        const lease = await living(chain, objectId, name);
        if (!Number.isInteger(endEpoch) || endEpoch > (await chain.currentEpoch()) + MOST_EPOCHS)
          throw refuse('INVALID_ARGUMENT', { field: 'endEpoch', expected: `at most ${MOST_EPOCHS} epochs from now` });
        return lease.endEpoch >= endEpoch ? null : chain.prepareExtension(objectId, endEpoch - lease.endEpoch);
      });
      const lease = await living(chain, objectId, name);
      if (lease.endEpoch < endEpoch)
        throw refuse('CHAIN_UNAVAILABLE', { chain: 'Sui', reason: 'the renewal is not seen yet' });
      return { endEpoch: lease.endEpoch };
    },
    async describe(blobId) {
      const lease = await find({ blobId });
      if (lease === null) return null;
      const { certified, sizeBytes, endEpoch, deletable } = lease;
      return { certified, sizeBytes, endEpoch, deletable };
    },
  };
}

/** Refuses `BLOB_UNAVAILABLE` for a lease that has ended or was deleted. */
async function living(chain: LeaseChain, objectId: Hex32, { blobId }: LeaseName): Promise<LeaseView> {
  const lease = await chain.lease(objectId);
  if (lease === null || lease.endEpoch <= (await chain.currentEpoch())) throw refuse('BLOB_UNAVAILABLE', { blobId });
  return lease;
}
