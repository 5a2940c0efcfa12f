import { sign, verifyShare, verifyWalletSignature, type Share } from '@usufruct/crypto';
import { fromBase64, refuse, toBase64, UsufructError, type ContributionId, type Digest } from '@usufruct/kernel';
import {
  decodeManifest,
  decodeShare,
  deriveId,
  heldKeys,
  manifestDigest,
  ShareBcs,
  ShareReceiptBcs,
  shareSealInfo,
  TAGS,
  WALLET_ACTIONS,
  walletStatementBytes,
  type DepositShareAnswer,
  type DepositShareRequest,
  type Manifest,
} from '@usufruct/protocol';
import { isErased } from '../erasure/erase.js';
import { seatIn, type Holder } from '../holder.js';
import { openSealed } from '../sealing/sealed.js';

/** A client that deals again before it registers makes another manifest; without a bound anybody could fill the disk. */
const MANIFESTS_PER_CONTRIBUTION = 8;

/**
 * Take one share of a contribution's key: only if the manifest is its owner's, of a dataset whose DAO names a holder
 * set that this holder sits in, and the share is this seat's and lies on the committed polynomial. Stored before the
 * receipt is signed. The same manifest again gives the same receipt. It is kept for some days (`UNREGISTERED_TERM_MS`)
 * until it is registered; asked for again, they begin anew.
 *
 * Refuses `MANIFEST_INVALID`, `SIGNATURE_INVALID`, `NOT_FOUND` (the dataset), `POLICY_OUTDATED`, `FORBIDDEN` (no seat),
 * `SEALING_KEY_RETIRED`, `SHARE_INVALID`, `MANIFEST_MISMATCH` (another one is registered), `TOMBSTONED` (the dataset, the
 * contribution, or this holder), `RATE_LIMITED`.
 */
export async function depositShare(holder: Holder, request: DepositShareRequest): Promise<DepositShareAnswer> {
  const bytes = fromBase64(request.manifest, 'manifest');
  const manifest = decodeManifest(bytes);
  const digest = manifestDigest(bytes);
  await requireOwnersManifest(holder, manifest, digest, request.signature);
  const stored = holder.shares.find(digest);
  if (stored !== undefined) holder.shares.renew(digest, holder.clock.nowMs());
  const index = stored?.index ?? (await verifyAndStore(holder, manifest, digest, request));
  return receiptOf(holder, manifest, digest, index);
}

async function requireOwnersManifest(holder: Holder, manifest: Manifest, digest: Digest, signature: string) {
  const { chainId } = await holder.chain.info();
  if (manifest.chainId !== chainId) throw refuse('MANIFEST_INVALID', { field: 'chainId' });
  const { datasetId, owner, salt } = manifest;
  if (manifest.contributionId !== deriveId<ContributionId>('contribution', datasetId, owner, salt)) {
    throw refuse('MANIFEST_INVALID', { field: 'contributionId' });
  }
  const message = walletStatementBytes({ action: WALLET_ACTIONS.manifest, chainId, digest });
  await verifyWalletSignature({ address: owner, message, signature });
}

/** The index under which the share was stored. */
async function verifyAndStore(
  holder: Holder,
  manifest: Manifest,
  digest: Digest,
  sent: Pick<DepositShareRequest, 'sealedTo' | 'sealedShare'>,
): Promise<number> {
  const { contributionId, datasetId, owner, holderSetId } = manifest;
  const { threshold, holderCount, commitments } = heldKeys(manifest);
  await requireCurrentPolicy(holder, manifest);
  await requireNoOtherRegistered(holder, contributionId, digest);
  const { member, set } = await seatIn(holder, holderSetId);
  if (holderCount !== set.members.length) throw refuse('MANIFEST_INVALID', { field: 'holderCount' });
  if (threshold !== set.threshold) throw refuse('MANIFEST_INVALID', { field: 'threshold' });
  requireRoom(holder, contributionId);
  const index = member + 1;
  const share = await openShare(holder, digest, sent);
  requireShare(share, index, commitments);
  // What follows is one turn. Its owner may have retired it since the chain was read, and others may have deposited.
  if (isErased(holder, contributionId)) throw refuse('TOMBSTONED', { contributionId });
  const stored = holder.shares.find(digest);
  if (stored !== undefined) return stored.index;
  requireRoom(holder, contributionId);
  holder.shares.insert(
    {
      manifestDigest: digest,
      contributionId,
      datasetId,
      owner,
      holderSetId,
      index,
      version: set.version,
      commitments: null,
      share: ShareBcs.serialize(share).toBytes(),
    },
    holder.clock.nowMs(),
  );
  return index;
}

function requireRoom({ shares }: Holder, contributionId: ContributionId): void {
  if (shares.countOf(contributionId) < MANIFESTS_PER_CONTRIBUTION) return;
  throw refuse('RATE_LIMITED', { contributionId, limit: 'manifests of one contribution' });
}

async function requireCurrentPolicy({ chain }: Holder, manifest: Manifest): Promise<void> {
  const { daoId, tombstonedAtMs } = await chain.dataset(manifest.datasetId);
  if (tombstonedAtMs !== null) throw refuse('TOMBSTONED', { datasetId: manifest.datasetId });
  const { policy, policyDigest } = await chain.dao(daoId);
  if (manifest.holderSetId !== policy.holderSetId) throw refuse('MANIFEST_INVALID', { field: 'holderSetId' });
  if (manifest.policyDigest !== policyDigest) throw refuse('POLICY_OUTDATED', { current: policyDigest });
}

async function requireNoOtherRegistered({ chain }: Holder, contributionId: ContributionId, digest: Digest) {
  try {
    const registered = await chain.contribution(contributionId);
    if (registered.tombstonedAtMs !== null) throw refuse('TOMBSTONED', { contributionId });
    if (registered.manifestDigest !== digest) throw refuse('MANIFEST_MISMATCH', { contributionId });
  } catch (error) {
    // Shares are deposited before the contribution is registered, so there is usually none yet.
    if (!(error instanceof UsufructError) || error.code !== 'NOT_FOUND') throw error;
  }
}

async function openShare(
  holder: Holder,
  digest: Digest,
  { sealedTo, sealedShare }: Pick<DepositShareRequest, 'sealedTo' | 'sealedShare'>,
): Promise<Share> {
  const sealed = fromBase64(sealedShare, 'sealedShare');
  const share = decodeShare(await openSealed(holder, { sealedTo, info: shareSealInfo(digest), sealed }));
  if (share !== null) return share;
  throw refuse('SHARE_INVALID', { reason: 'it does not open as a share sealed to the named key for this manifest' });
}

function requireShare(share: Share, index: number, commitments: readonly Uint8Array[]): void {
  if (share.index !== index) throw refuse('SHARE_INVALID', { index: String(share.index), expected: String(index) });
  let lies: boolean;
  try {
    lies = verifyShare(share, commitments);
  } catch {
    throw refuse('MANIFEST_INVALID', { field: 'commitments' });
  }
  if (!lies) throw refuse('SHARE_INVALID', { index: String(index) });
}

async function receiptOf(
  { keys }: Holder,
  { holderSetId }: Manifest,
  digest: Digest,
  index: number,
): Promise<DepositShareAnswer> {
  const message = ShareReceiptBcs.serialize({ manifestDigest: digest, holderSetId, index }).toBytes();
  const { secretKey } = keys.signing;
  const signature = await sign({ secretKey, domainTag: TAGS.shareReceipt, message });
  return { manifestDigest: digest, index, signature: toBase64(signature) };
}
