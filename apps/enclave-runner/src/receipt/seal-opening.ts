import { seal } from '@usufruct/crypto';
import { fromBase64, refuse, type DaoId } from '@usufruct/kernel';
import {
  encodePaddedOpening,
  livingMembers,
  openingSealInfo,
  receiptDigest,
  type HolderMemberView,
  type Opening,
} from '@usufruct/protocol';
import { ensureRegistered } from '../attest/registration.js';
import type { RunnerContext } from '../context.js';
import { locateLiving } from '../keys/members.js';
import { gatherOpenings } from '../payout/gather-openings.js';
import type { HoldersNow } from './holders-now.js';
import type { AnswerRecord, Delivery } from './store.js';

/**
 * The opening of a private receipt, sealed to each holder of the DAO's set as the chain has it now. Refuses
 * `SHARES_INSUFFICIENT` when the set has not as many as must have it before the receipt is settled.
 */
export async function sealOpening(
  { chain }: Pick<RunnerContext, 'chain'>,
  daoId: DaoId,
  opening: Opening,
): Promise<{ readonly deliveries: readonly Delivery[] }> {
  const { policy } = await chain.dao(daoId);
  const holders = livingMembers(await chain.holderSet(policy.holderSetId));
  const needed = Math.max(1, policy.verifierThreshold);
  if (holders.length < needed) throw refuse('SHARES_INSUFFICIENT', { needed: String(needed) });
  return { deliveries: await sealTo(holders, opening) };
}

/**
 * The same for holders that have come into the set, or have other keys, since it was answered: from those who have the
 * opening, since this process may be another one than the one that answered. None where nobody has it yet.
 */
export async function sealAnew(
  context: RunnerContext,
  { receipt }: Pick<AnswerRecord, 'receipt'>,
  deliveries: readonly Delivery[],
  { chainId, dao, set }: HoldersNow,
): Promise<readonly Delivery[]> {
  const known = new Set(deliveries.map(({ holderKey }) => holderKey));
  const lacking = livingMembers(set).filter(({ signingPublicKey }) => !known.has(signingPublicKey));
  if (lacking.length === 0) return [];
  await ensureRegistered(context, dao);
  const living = await locateLiving(context.holders, set, chainId);
  const digest = receiptDigest(receipt);
  const { openings } = await gatherOpenings(context, living, { daoId: dao.id, set, digests: [digest] });
  const found = openings.get(digest);
  return found === undefined ? [] : sealTo(lacking, found.opening);
}

function sealTo(holders: readonly HolderMemberView[], opening: Opening): Promise<Delivery[]> {
  const info = openingSealInfo(receiptDigest(opening.receipt));
  const plaintext = encodePaddedOpening(opening);
  return Promise.all(
    holders.map(async ({ signingPublicKey: holderKey, sealingPublicKey }) => {
      const recipientPublicKey = fromBase64(sealingPublicKey);
      const sealedOpening = await seal({ recipientPublicKey, info, aad: new Uint8Array(), plaintext });
      return { holderKey, sealedOpening, acknowledgement: null };
    }),
  );
}
