import { setImmediate as nextTurn } from 'node:timers/promises';
import { combineCommitments, combineSubShares, verify } from '@usufruct/crypto';
import { concatBytes, fromBase64, refuse, type Digest } from '@usufruct/kernel';
import {
  decodeReshareResult,
  isLiving,
  livingMembers,
  reshareQuorum,
  ShareBcs,
  splitPoints,
  TAGS,
  type CertificateAnswer,
  type HolderSetView,
  type ReshareCertificate,
  type ReshareEntry,
  type ReshareResult,
} from '@usufruct/protocol';
import { inTransaction } from '@usufruct/service';
import { isErased } from '../erasure/erase.js';
import type { Holder } from '../holder.js';
import { polynomialOf, type NewShare, type StoredShare } from '../store/shares.js';
import { MANIFESTS_PER_TURN } from './deal.js';
import { knownVersion } from './set-version.js';
import type { StoredSubShare } from './sub-share-store.js';

/** What a certificate makes of this holder's share of one manifest. */
type Change =
  | { readonly kind: 'keep' | 'missing' | 'nothing' }
  | { readonly kind: 'destroy'; readonly manifestDigest: Digest }
  | { readonly kind: 'replace'; readonly share: NewShare; readonly before: Digest | null };

/**
 * Enough members of the new version have signed that they have what makes their shares. A member's new share takes the
 * place of its old one, in one transaction; who is no member any more destroys the old one. A member that has nothing
 * to make its new share from keeps the old. Showing it again changes nothing.
 *
 * Two certificates for one manifest and version can exist (other dealers): the polynomial with the lower digest is used,
 * by everybody and whatever comes first, so holders that were shown different ones agree as soon as they have seen both.
 *
 * One for a version that is past still makes shares for a member that received for it, and takes nothing from anybody
 * else: where old shares were destroyed and the set was rotated before every member was shown, these are what is left.
 *
 * Refuses `INVALID_ARGUMENT`, `POLICY_OUTDATED` (another version, not received for), `SIGNATURE_INVALID` naming the member, `FORBIDDEN`
 * (too few members), `TOMBSTONED`.
 */
export async function acceptCertificate(holder: Holder, given: ReshareCertificate): Promise<CertificateAnswer> {
  const bytes = fromBase64(given.result, 'result');
  const result = decodeReshareResult(bytes);
  if (result === null) throw refuse('INVALID_ARGUMENT', { field: 'result', expected: 'the result of a re-sharing' });
  const { holderSetId, toVersion } = result;
  const { set, chainId, member } = await knownVersion(holder, holderSetId, toVersion);
  if (result.chainId !== chainId)
    throw refuse('INVALID_ARGUMENT', { field: 'chainId', expected: 'the id of this chain' });
  await requireQuorum(set, bytes, given.acks);
  const changes: Change[] = [];
  for (const [i, entry] of result.entries.entries()) {
    if (i % MANIFESTS_PER_TURN === 0) await nextTurn();
    changes.push(member === null ? withoutSeat(holder, result, entry) : await withSeat(holder, result, entry, member));
  }
  const destroyed = apply(holder, result, changes, given);
  const answer = {
    active: changes.filter(({ kind }) => kind === 'keep' || kind === 'replace').length,
    destroyed,
    missing: changes.filter(({ kind }) => kind === 'missing').length,
  };
  holder.logger.info('resharing.certified', { holderSetId, toVersion, ...answer });
  return answer;
}

async function requireQuorum(set: HolderSetView, message: Uint8Array, acks: ReshareCertificate['acks']): Promise<void> {
  const needed = reshareQuorum(livingMembers(set).length, set.threshold);
  if (new Set(acks.map(({ member }) => member)).size !== acks.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'acks', expected: 'one signature a member' });
  }
  if (acks.length < needed) throw refuse('FORBIDDEN', { role: 'members of the new version', needed: String(needed) });
  for (const { member, signature } of acks) {
    const view = set.members[member];
    const isGood =
      view !== undefined &&
      isLiving(set, view) &&
      (await verify({
        publicKey: fromBase64(view.signingPublicKey),
        domainTag: TAGS.reshareResult,
        message,
        signature: fromBase64(signature, 'signature'),
      }));
    if (!isGood) throw refuse('SIGNATURE_INVALID', { member: String(member) });
  }
}

/** Also what was received for an earlier version and never came to a share: it still makes one. */
function withoutSeat({ shares }: Holder, { holderSetId }: ReshareResult, { manifestDigest }: ReshareEntry): Change {
  const stored = shares.find(manifestDigest);
  return isOfOtherSet(stored, holderSetId) ? { kind: 'nothing' } : { kind: 'destroy', manifestDigest };
}

/** Anybody can publish a holder set with this holder in it: the signatures of its members say nothing of other sets. */
const isOfOtherSet = (stored: StoredShare | undefined, holderSetId: ReshareResult['holderSetId']): boolean =>
  stored !== undefined && stored.holderSetId !== holderSetId;

async function withSeat(holder: Holder, result: ReshareResult, entry: ReshareEntry, member: number): Promise<Change> {
  const { holderSetId, toVersion, dealers } = result;
  const stored = holder.shares.find(entry.manifestDigest);
  if (isOfOtherSet(stored, holderSetId)) return { kind: 'nothing' };
  const before = stored === undefined ? null : polynomialOf(stored);
  if (!isPreferred(stored, before, result, entry)) return { kind: 'keep' };
  const parts = dealers.map((dealerIndex) => holder.subShares.find({ ...entry, holderSetId, toVersion, dealerIndex }));
  if (!parts.every((part) => part !== undefined)) return { kind: 'missing' };
  const share = await shareFrom(holder, parts, member, entry.to);
  if (share === null || polynomialOf(share) !== entry.to) {
    // Signed by enough others, so it is what this holder has that is wrong.
    holder.logger.error('resharing.broken', { manifestDigest: entry.manifestDigest });
    return { kind: 'missing' };
  }
  return { kind: 'replace', share, before };
}

/** Whether the polynomial of this entry is to be used rather than the one that this holder's share lies on. */
function isPreferred(
  stored: StoredShare | undefined,
  before: Digest | null,
  { toVersion }: ReshareResult,
  { to }: ReshareEntry,
): boolean {
  if (stored === undefined || before === null) return true;
  if (stored.version !== toVersion) return stored.version < toVersion;
  return stored.commitments === null || to < before;
}

async function shareFrom(
  { subShares, madePolynomials, logger }: Holder,
  parts: readonly StoredSubShare[],
  member: number,
  to: Digest,
): Promise<NewShare | null> {
  const { manifestDigest, contributionId, datasetId, owner, holderSetId, toVersion: version } = parts[0]!;
  try {
    const dealings = await Promise.all(
      parts.map(async (part) => ({
        dealerIndex: part.dealerIndex,
        commitments: splitPoints(part.commitments),
        subShare: subShares.decrypt(part),
      })),
    );
    const share = combineSubShares(dealings, member + 1);
    const commitments =
      madePolynomials.find(to) ?? concatBytes(...combineCommitments(dealings, parts[0]!.secretCommitment));
    const { index } = share;
    const bytes = ShareBcs.serialize(share).toBytes();
    return {
      manifestDigest,
      contributionId,
      datasetId,
      owner,
      holderSetId,
      index,
      version,
      commitments,
      share: bytes,
    };
  } catch {
    logger.error('resharing.broken', { manifestDigest });
    return null;
  }
}

/** How many older shares are gone now. What changed since it was looked at is left as it is. */
function apply(
  holder: Holder,
  { holderSetId, toVersion }: ReshareResult,
  changes: readonly Change[],
  certificate: ReshareCertificate,
): number {
  const { database, shares, subShares, dealingSeeds, certificates, scrubber, clock } = holder;
  let destroyed = 0;
  let hasActed = false;
  inTransaction(database, () => {
    for (const change of changes) {
      if (change.kind === 'destroy') {
        const hadShare = shares.destroy(change.manifestDigest);
        const hadParts = subShares.destroy(holderSetId, change.manifestDigest);
        dealingSeeds.destroy(change.manifestDigest);
        hasActed ||= hadShare || hadParts;
        if (hadShare) destroyed += 1;
      } else if (change.kind === 'replace') {
        const { manifestDigest, contributionId } = change.share;
        if (isErased(holder, contributionId)) continue;
        const stored = shares.find(manifestDigest);
        if ((stored === undefined ? null : polynomialOf(stored)) !== change.before) continue;
        shares.replace(change.share, clock.nowMs());
        subShares.destroy(holderSetId, manifestDigest, toVersion);
        dealingSeeds.destroy(manifestDigest);
        hasActed = true;
        if (change.before !== null) destroyed += 1;
      }
    }
    // What changed nothing here is of no use to others, and anybody can have members sign any number of batches.
    if (!hasActed) return;
    certificates.keep(holderSetId, toVersion, certificate);
    // Batch follows batch, so the sweep looks through the files, once for all of them.
    scrubber.note(null);
  });
  // Deleted rows are overwritten in the file; they must not live on in the log of writes.
  if (hasActed) database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  return destroyed;
}
