import { fromBase64, toUsufructError } from '@usufruct/kernel';
import { TreeHeadBcs } from '@usufruct/protocol';
import { seatIn, type Holder } from '../holder.js';

/**
 * Put the head of a log that grew on the chain, for every set that this holder answers for. A failure is logged and
 * tried again the next time; it never keeps a release waiting.
 */
export async function anchorTreeHeads(holder: Holder): Promise<void> {
  for (const membership of holder.log.memberships()) {
    if (membership.anchoredSize === holder.log.size) continue;
    const { holderSetId } = membership;
    try {
      // The chain takes whatever is longer: it cannot see that a log went on from where it was rolled back to.
      await holder.caughtUp.require();
      const { member } = await seatIn(holder, holderSetId);
      const { treeHead, signature } = await holder.log.head({ holderSetId, member });
      const bytes = fromBase64(treeHead);
      const { treeSize } = TreeHeadBcs.parse(bytes);
      const action = { holderSetId, member, treeHead: bytes, signature: fromBase64(signature) };
      await holder.chain.execute([{ kind: 'anchorTreeHead', ...action }], holder.keys.operator);
      holder.log.anchored(membership, treeSize);
      holder.logger.info('log.anchored', { holderSetId, treeSize });
    } catch (error) {
      holder.logger.warn('log.anchor.failed', { holderSetId, code: toUsufructError(error).code });
    }
  }
}

/** Anchor every so often until stopped; `stop` waits for the one that is under way. */
export function startAnchoring(holder: Holder, intervalMs: number): { stop(): Promise<void> } {
  let running: Promise<void> | null = null;
  const timer = setInterval(() => {
    running ??= anchorTreeHeads(holder).finally(() => {
      running = null;
    });
  }, intervalMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
