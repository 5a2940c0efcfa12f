import { asBlobId, fromHex, toBase64Url, type BlobId } from '@usufruct/kernel';
import type { BlobReference, ContributionView, ErasureReceipt } from '@usufruct/protocol';
import type { BlobStore } from '@usufruct/walrus';

type ErasedBlob = ErasureReceipt['blobs'][number];

export const blobsOf = ({ parts, manifestBlob }: ContributionView): BlobReference[] => [...parts, manifestBlob];

/**
 * Delete what can be deleted, and say how each blob is afterwards. What was stored for good, or by somebody whose leases
 * this store cannot end, lies there to the end of its lease, unreadable. Another lease of the same bytes, of whomever,
 * keeps them available: so the store is asked again, and believed less than what it is asked.
 */
export async function endLeases(store: BlobStore, contribution: ContributionView): Promise<ErasedBlob[]> {
  const { manifestBlob } = contribution;
  return Promise.all(
    blobsOf(contribution).map(async (reference) => ({
      blob: reference.blob,
      sizeBytes: reference.sizeBytes,
      endEpoch: reference.endEpoch,
      role: reference === manifestBlob ? ('manifest' as const) : ('part' as const),
      state: await endLease(store, asBlobId(toBase64Url(fromHex(reference.blob)))),
    })),
  );
}

async function endLease(store: BlobStore, blobId: BlobId): Promise<ErasedBlob['state']> {
  try {
    const { available, deletable } = await store.status(blobId);
    if (!available) return 'gone';
    if (!store.abilities.deletable || deletable === false) return 'expires';
    // A refusal says no more than the look after it.
    await store.delete({ blobId }).catch(() => undefined);
    return (await store.status(blobId)).available ? 'expires' : 'gone';
  } catch {
    return 'unknown';
  }
}
