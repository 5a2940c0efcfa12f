import { verifyWalletSignature } from '@usufruct/crypto';
import { fromBase64, refuse, toBase64, type HolderSetId } from '@usufruct/kernel';
import {
  logQueryDigest,
  TreeHeadBcs,
  WALLET_ACTIONS,
  walletStatementBytes,
  type LogAnswer,
  type LogQuery,
  type SignedTreeHead,
} from '@usufruct/protocol';
import { requireFresh } from '../freshness.js';
import { seatIn, type Holder } from '../holder.js';
import { requireForThisHolder } from './reader.js';
import type { Membership } from './release-log.js';

/** The signed head for a set, or for the newest set that this holder answers for. Refuses `NOT_FOUND`. */
export async function treeHead(holder: Holder, holderSetId: HolderSetId | undefined): Promise<SignedTreeHead> {
  return holder.log.head(membershipFor(holder, holderSetId));
}

function membershipFor({ log }: Holder, holderSetId: HolderSetId | undefined): Membership {
  const known = log.memberships();
  const found = holderSetId === undefined ? known.at(-1) : known.find((one) => one.holderSetId === holderSetId);
  if (found === undefined) throw refuse('NOT_FOUND', { reason: 'this holder has not answered for such a holder set' });
  return found;
}

/** A session may lease keys every few minutes, for years: older entries are in the log and are not told here. */
const DATASET_ENTRIES = 1_000;

/**
 * A contributor reads the entries of their own contribution, and the newest about its dataset as a whole (leased keys,
 * outputs), each with its proof under the head that comes with them.
 * Refuses `NOT_FOUND`, `INVALID_ARGUMENT` (a request that is not fresh), `SIGNATURE_INVALID` (not the owner's, or not
 * asked of this holder).
 */
export async function queryLog(
  holder: Holder,
  { contributionId, issuedAtMs, signature, reader }: LogQuery,
): Promise<LogAnswer> {
  requireFresh(holder, issuedAtMs);
  const [{ chainId }, { owner, holderSetId, datasetId }] = await Promise.all([
    holder.chain.info(),
    holder.chain.contribution(contributionId),
  ]);
  const readerPublicKey = fromBase64(reader.publicKey, 'reader.publicKey');
  const digest = logQueryDigest({ contributionId, readerPublicKey, issuedAtMs });
  await requireForThisHolder(holder, digest, reader);
  const message = walletStatementBytes({ action: WALLET_ACTIONS.logQuery, chainId, digest });
  await verifyWalletSignature({ address: owner, message, signature });
  // Its place may have changed; who has none any more answers for the one that it had.
  await seatIn(holder, holderSetId).catch(() => undefined);
  const head = await treeHead(holder, holderSetId);
  const { treeSize } = TreeHeadBcs.parse(fromBase64(head.treeHead));
  const found = [
    ...holder.log.entriesOf(contributionId, treeSize),
    ...holder.log.entriesOf(datasetId, treeSize, DATASET_ENTRIES),
  ].sort((a, b) => a.leafIndex - b.leafIndex);
  const entries = found.map(({ leafIndex, leaf }) => ({
    leaf: toBase64(leaf),
    leafIndex,
    inclusionProof: holder.log.inclusionProof(leafIndex, treeSize),
  }));
  return { entries, head };
}
