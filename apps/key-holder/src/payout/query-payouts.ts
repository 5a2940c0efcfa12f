import { verifyWalletSignature } from '@usufruct/crypto';
import { fromBase64 } from '@usufruct/kernel';
import {
  payoutQueryDigest,
  WALLET_ACTIONS,
  walletStatementBytes,
  type PayoutAnswer,
  type PayoutQuery,
} from '@usufruct/protocol';
import { requireFresh } from '../freshness.js';
import type { Holder } from '../holder.js';
import { requireForThisHolder } from '../log/reader.js';

/**
 * An account reads its own leaves, each with its proof, of the epochs that this holder has recomputed; nobody else's.
 * Refuses `INVALID_ARGUMENT` (not fresh), `SIGNATURE_INVALID` (not the account's, or not asked of this
 * holder), `RATE_LIMITED`.
 */
export async function queryPayouts(holder: Holder, query: PayoutQuery): Promise<PayoutAnswer> {
  const { daoId, account, epochIds, issuedAtMs, signature, reader } = query;
  requireFresh(holder, issuedAtMs);
  const { chainId } = await holder.chain.info();
  const readerPublicKey = fromBase64(reader.publicKey, 'reader.publicKey');
  const digest = payoutQueryDigest({ daoId, account, epochIds, readerPublicKey, issuedAtMs });
  await requireForThisHolder(holder, digest, reader);
  const message = walletStatementBytes({ action: WALLET_ACTIONS.payoutQuery, chainId, digest });
  await verifyWalletSignature({ address: account, message, signature });
  holder.payoutQueriesPerAccount.take(account, 'queries of one account');
  const answer: PayoutAnswer = { known: [], payouts: [] };
  for (const epochId of new Set(epochIds)) {
    if (!holder.epochs.has(daoId, epochId)) continue;
    answer.known.push(epochId);
    // Leaves are added up by account, so there is one at most.
    const proven = await holder.epochs.leafOf(daoId, epochId, account);
    if (proven !== null) answer.payouts.push({ epochId, ...proven });
  }
  return answer;
}
