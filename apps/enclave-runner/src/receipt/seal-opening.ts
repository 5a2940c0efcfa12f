import { seal } from '@usufruct/crypto';
import { fromBase64, refuse, type DaoId } from '@usufruct/kernel';
import { encodePaddedOpening, livingMembers, openingSealInfo, receiptDigest, type Opening } from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import type { Delivery } from './store.js';

/**
 * The opening of a private receipt, sealed to each holder of the DAO's set as the chain has it now, and how many of them
 * must have it before the receipt is settled: as many as countersign an epoch. Refuses `SHARES_INSUFFICIENT` when the set
 * has not that many.
 */
export async function sealOpening(
  { chain }: Pick<RunnerContext, 'chain'>,
  daoId: DaoId,
  opening: Opening,
): Promise<{ readonly acksNeeded: number; readonly deliveries: readonly Delivery[] }> {
  const { policy } = await chain.dao(daoId);
  const holders = livingMembers(await chain.holderSet(policy.holderSetId));
  const acksNeeded = Math.max(1, policy.verifierThreshold);
  if (holders.length < acksNeeded) throw refuse('SHARES_INSUFFICIENT', { needed: String(acksNeeded) });
  const info = openingSealInfo(receiptDigest(opening.receipt));
  const plaintext = encodePaddedOpening(opening);
  const deliveries = await Promise.all(
    holders.map(async ({ signingPublicKey: holderKey, sealingPublicKey }) => {
      const recipientPublicKey = fromBase64(sealingPublicKey);
      const sealedOpening = await seal({ recipientPublicKey, info, aad: new Uint8Array(), plaintext });
      return { holderKey, sealedOpening, isAcked: false };
    }),
  );
  return { acksNeeded, deliveries };
}
