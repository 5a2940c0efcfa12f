import { setImmediate as nextTurn } from 'node:timers/promises';
import { dealSubShares, digestOf, seal, sign, type SubDeal } from '@usufruct/crypto';
import { concatBytes, fromBase64, refuse, toBase64 } from '@usufruct/kernel';
import {
  dealingDigest,
  encodeDealing,
  isLiving,
  SealedSubSharesBcs,
  ShareBcs,
  subSharesInfo,
  TAGS,
  type DealAnswer,
  type DealRequest,
  type DealtEntry,
} from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { polynomialOf, type StoredShare } from '../store/shares.js';
import { randomFrom } from './dealing-seeds.js';
import { currentVersion, requireRegistered, type SetVersion } from './set-version.js';

/** Elliptic-curve work of so many manifests is done before others get a turn. */
export const MANIFESTS_PER_TURN = 16;

/**
 * Share this holder's shares with the members of the version that the chain has now, each sealed to its receiver alone.
 * Whoever asks gets the same dealing, and can read none of it. Removed holders deal too: they have what others lack.
 *
 * Refuses `POLICY_OUTDATED` (another version), `TOMBSTONED` (this holder, or a contribution), `NOT_FOUND` (no share of a
 * manifest, or one that is of this version already), `MANIFEST_MISMATCH`, `INVALID_ARGUMENT`, `CHAIN_UNAVAILABLE`.
 */
export async function dealAgain(holder: Holder, request: DealRequest): Promise<DealAnswer> {
  const { holderSetId, toVersion, manifestDigests } = request;
  if (new Set(manifestDigests).size !== manifestDigests.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'manifestDigests', expected: 'each manifest once' });
  }
  const version = await currentVersion(holder, holderSetId, toVersion);
  const stored = manifestDigests.map((digest) => requireShare(holder, request, digest));
  await requireRegistered(holder, stored);
  const deals = await dealAll(holder, version, stored);
  const dealing = encodeDealing({
    chainId: version.chainId,
    holderSetId,
    toVersion,
    dealer: holder.keys.signing.publicKey,
    entries: deals.map(({ entry }) => entry),
  });
  const sealed = await Promise.all(
    // A retired key may be anybody's by now.
    version.set.members.flatMap((member, position) =>
      isLiving(version.set, member) ? [sealFor(holder, dealing, member, subSharesOf(deals, position))] : [],
    ),
  );
  holder.logger.info('resharing.dealt', { holderSetId, toVersion, manifests: stored.length });
  return { dealing: toBase64(dealing), sealed };
}

function requireShare(
  { shares }: Holder,
  { holderSetId, toVersion }: DealRequest,
  manifestDigest: DealRequest['manifestDigests'][number],
): StoredShare {
  const stored = shares.find(manifestDigest);
  if (stored === undefined || stored.holderSetId !== holderSetId) throw refuse('NOT_FOUND', { manifestDigest });
  if (stored.commitments !== null && stored.version === toVersion) {
    throw refuse('NOT_FOUND', { manifestDigest, reason: 'its share is of this version already' });
  }
  return stored;
}

interface Dealt {
  readonly entry: DealtEntry;
  readonly subShares: SubDeal['subShares'];
}

async function dealAll(holder: Holder, { set }: SetVersion, stored: readonly StoredShare[]): Promise<Dealt[]> {
  const digests = stored.map(({ manifestDigest }) => manifestDigest);
  const seeds = await holder.dealingSeeds.readOrMake(digests, set.version);
  const dealt: Dealt[] = [];
  for (const [i, share] of stored.entries()) {
    if (i % MANIFESTS_PER_TURN === 0) await nextTurn();
    const { manifestDigest, version: fromVersion, index } = share;
    const from = polynomialOf(share);
    const { subShares, commitments } = dealSubShares({
      share: ShareBcs.parse(await holder.shares.decrypt(share)),
      threshold: set.threshold,
      holderCount: set.members.length,
      random: randomFrom(seeds[i]!, manifestDigest, from),
    });
    dealt.push({ entry: { manifestDigest, from, fromVersion, index, commitments }, subShares });
  }
  return dealt;
}

const subSharesOf = (deals: readonly Dealt[], position: number): Uint8Array =>
  concatBytes(...deals.map(({ subShares }) => subShares[position]!));

async function sealFor(
  { keys }: Holder,
  dealing: Uint8Array,
  member: SetVersion['set']['members'][number],
  plaintext: Uint8Array,
): Promise<DealAnswer['sealed'][number]> {
  const about = { dealing: dealingDigest(dealing), receiver: fromBase64(member.signingPublicKey) };
  const recipientPublicKey = fromBase64(member.sealingPublicKey);
  const sealed = await seal({ recipientPublicKey, info: subSharesInfo(about), aad: new Uint8Array(), plaintext });
  const message = SealedSubSharesBcs.serialize({ ...about, sealed: digestOf(sealed) }).toBytes();
  const { secretKey } = keys.signing;
  const signature = await sign({ secretKey, domainTag: TAGS.subShares, message });
  return { receiver: member.signingPublicKey, sealed: toBase64(sealed), signature: toBase64(signature) };
}
