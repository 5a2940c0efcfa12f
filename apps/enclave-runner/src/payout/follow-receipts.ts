import { requireNext, type ChainReader } from '@usufruct/chain';
import { LIMITS } from '@usufruct/protocol';
import type { PayoutStore } from './payout-store.js';

/**
 * Read on to the end of the chain's events, and keep which receipts it has numbered. Refuses `CHAIN_EVENTS_BROKEN` at a
 * gap: a settler that missed a receipt would name the wrong ones.
 */
export async function followReceipts(chain: ChainReader, store: PayoutStore): Promise<void> {
  const { chainId } = await chain.info();
  for (;;) {
    const after = store.followedTo(chainId);
    const events = await chain.events(after, { limit: LIMITS.eventsPage });
    requireNext(events, after);
    store.take(chainId, events);
    if (events.length < LIMITS.eventsPage) return;
  }
}
