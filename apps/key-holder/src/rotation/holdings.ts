import { toBase64 } from '@usufruct/kernel';
import { LIMITS, type zHoldings, type zHoldingsQuery } from '@usufruct/protocol';
import type { z } from 'zod';
import type { Holder } from '../holder.js';

/** What this holder has shares of, and for which version: nothing that the chain does not say of the set. */
export const listHoldings = (
  { shares }: Holder,
  { holderSetId, after }: z.output<typeof zHoldingsQuery>,
): z.output<typeof zHoldings> => ({
  holdings: shares.ofSet(holderSetId, after, LIMITS.holdingsPerPage).map((share) => ({
    manifestDigest: share.manifestDigest,
    contributionId: share.contributionId,
    datasetId: share.datasetId,
    version: share.version,
    index: share.index,
    commitments: share.commitments === null ? null : toBase64(share.commitments),
  })),
});
