import type { ContributionId, Hex32 } from '@usufruct/kernel';
import type { ContributionView, LeaseRenewal } from '@usufruct/protocol';
import { actOnce } from '../act.js';
import type { ClientContext } from '../context.js';

/**
 * Retire a contribution for good, by its owner and in any state: no key of it is released again. It cannot recall what
 * was released before, and the ciphertext lies in the store until its lease ends.
 */
export function tombstoneContribution(
  context: ClientContext,
  contributionId: ContributionId,
): Promise<ContributionView> {
  return actOnce({
    context,
    key: `tombstone/${contributionId}`,
    action: { kind: 'tombstoneContribution', contributionId },
    read: () => context.chain.contribution(contributionId),
    isDone: ({ tombstonedAtMs }) => tombstonedAtMs !== null,
  });
}

/** Blobs of a contribution whose lease ends before `endEpoch`, each once. */
function dueBlobs({ parts, manifestBlob }: ContributionView, endEpoch: number): LeaseRenewal[] {
  const due = new Set<Hex32>([...parts, manifestBlob].filter((b) => b.endEpoch < endEpoch).map(({ blob }) => blob));
  return [...due].map((blob) => ({ blob, endEpoch }));
}

/**
 * Note on the chain that the leases of a contribution now last until a Walrus epoch, by its owner or a steward. Leases
 * only become longer; those that last that long already stay. It pays no store: that is done there.
 */
export async function renewLease(
  context: ClientContext,
  contributionId: ContributionId,
  endEpoch: number,
): Promise<ContributionView> {
  const read = () => context.chain.contribution(contributionId);
  const renewals = dueBlobs(await read(), endEpoch);
  return actOnce({
    context,
    key: `renew/${contributionId}/${endEpoch}`,
    action: { kind: 'renewLease', contributionId, renewals },
    read,
    isDone: (contribution) => dueBlobs(contribution, endEpoch).length === 0,
  });
}
