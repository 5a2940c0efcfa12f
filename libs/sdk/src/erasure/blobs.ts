import type { BlobId, Hex32 } from '@usufruct/kernel';
import type { BlobReference, ContributionView, ErasureReceipt } from '@usufruct/protocol';
import { QUILTED_AT_MOST_BYTES } from '@usufruct/walrus';
import type { ClientContext } from '../context.js';
import { withdrawAll } from '../contribute/custody.js';
import { blobIdOf } from '../contribute/manifest-blob.js';
import { blobsOfUnfinished } from '../contribute/unfinished.js';

/** Of one blob: an upload that was killed before it could note its lease is stored, and leased, again. */
const LEASES_AT_MOST = 4;

type ErasedBlob = ErasureReceipt['blobs'][number];
type Context = Pick<ClientContext, 'chain' | 'custody' | 'journal' | 'signer' | 'store'>;

export const blobsOf = ({ parts, manifestBlob }: Pick<ContributionView, 'parts' | 'manifestBlob'>): BlobReference[] => [
  ...parts,
  manifestBlob,
];

/**
 * Delete what can be deleted, out of custody too, and say how each blob is afterwards. What was stored for good, or by somebody whose leases
 * this store cannot end, lies there to the end of its lease, unreadable; and so does what lies in a quilt with something
 * that is not retired: a quilt is deleted only whole, when the last of it is erased. Another lease of the same bytes, of
 * whomever, keeps them available: so the store is asked again, and believed less than what it is asked.
 */
export async function endLeases(context: Context, contribution: ContributionView): Promise<ErasedBlob[]> {
  const { manifestBlob } = contribution;
  const needed = await neededBlobs(context, contribution);
  // What is refused stays where it is, and the look afterwards says so; calling again tries again.
  await endCustody(context, contribution, needed).catch(() => undefined);
  return Promise.all(
    blobsOf(contribution).map(async (reference) => ({
      blob: reference.blob,
      sizeBytes: reference.sizeBytes,
      endEpoch: reference.endEpoch,
      role: reference === manifestBlob ? ('manifest' as const) : ('part' as const),
      state: await endLease(context, blobIdOf(reference.blob), needed.has(reference.blob)),
    })),
  );
}

/** Deleted as they come out where that can be; the rest becomes the owner's, and is kept alive by nobody else. */
async function endCustody(context: Context, contribution: ContributionView, needed: ReadonlySet<Hex32>): Promise<void> {
  if (context.custody === undefined) return;
  await withdrawAll(context, await context.custody(), contribution, (blob) => !needed.has(blob));
}

/**
 * Blobs of this owner's that something else lies in: contributions of the dataset that are not retired, and what this
 * client has stored and not registered yet. Nobody else's word keeps a blob: anybody may name any blob.
 */
async function neededBlobs({ chain, journal }: Context, erased: ContributionView): Promise<ReadonlySet<Hex32>> {
  // Only what is small can lie in a quilt; large blobs are looked for nowhere.
  if (blobsOf(erased).every(({ sizeBytes }) => sizeBytes > QUILTED_AT_MOST_BYTES)) return new Set();
  // The journal first: what is registered meanwhile goes from there only when the chain has it.
  const unfinished = await blobsOfUnfinished(journal);
  const all = await chain.contributionsOf(erased.datasetId);
  const others = all.filter(
    ({ id, owner, state, tombstonedAtMs }) =>
      id !== erased.id && owner === erased.owner && tombstonedAtMs === null && state !== 'declined',
  );
  return new Set([...others.flatMap((other) => blobsOf(other).map(({ blob }) => blob)), ...unfinished]);
}

async function endLease({ store }: Context, blobId: BlobId, isNeeded: boolean): Promise<ErasedBlob['state']> {
  try {
    const { available, deletable } = await store.status(blobId);
    if (!available) return 'gone';
    if (isNeeded || !store.abilities.deletable || deletable === false) return 'expires';
    let isThere: boolean = available;
    for (let i = 0; isThere && i < LEASES_AT_MOST; i++) {
      // Ends one lease. A refusal says no more than the look after it.
      await store.delete({ blobId }).catch(() => undefined);
      isThere = (await store.status(blobId)).available;
    }
    return isThere ? 'expires' : 'gone';
  } catch {
    return 'unknown';
  }
}
