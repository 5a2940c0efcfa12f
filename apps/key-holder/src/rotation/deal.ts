import { setImmediate as nextTurn } from 'node:timers/promises';
import { dealSubShares, digestOf, seal, sign, type SubDeal, verify } from '@usufruct/crypto';
import { concatBytes, fromBase64, refuse, toBase64 } from '@usufruct/kernel';
import {
  dealingDigest,
  decodeSealingKey,
  encodeDealing,
  livingMembers,
  requireSealingKey,
  SealedSubSharesBcs,
  ShareBcs,
  subSharesInfo,
  TAGS,
  type DealAnswer,
  type DealRequest,
  type DealtEntry,
  type SignedSealingKey,
} from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { polynomialOf, type StoredShare } from '../store/shares.js';
import { randomFrom } from './dealing-seeds.js';
import { currentVersion, requireRegistered, type SetVersion } from './set-version.js';

/** Elliptic-curve work of so many manifests is done before others get a turn. */
export const MANIFESTS_PER_TURN = 16;

/**
 * Share this holder's shares with the members of the version that the chain has now, each sealed to its receiver alone:
 * to the key that the receiver itself says is the one now, in a statement that whoever asks has brought. Whoever asks
 * gets the same dealing, and can read none of it. Removed holders deal too: they have what others lack.
 *
 * Refuses `POLICY_OUTDATED` (another version), `TOMBSTONED` (this holder, or a contribution), `NOT_FOUND` (no share of a
 * manifest, or one that is of this version already), `MANIFEST_MISMATCH`, `SEALING_KEY_INVALID` naming the member,
 * `INVALID_ARGUMENT`, `CHAIN_UNAVAILABLE`.
 */
export async function dealAgain(holder: Holder, request: DealRequest): Promise<DealAnswer> {
  const { holderSetId, toVersion, manifestDigests } = request;
  if (new Set(manifestDigests).size !== manifestDigests.length) {
    throw refuse('INVALID_ARGUMENT', { field: 'manifestDigests', expected: 'each manifest once' });
  }
  const version = await currentVersion(holder, holderSetId, toVersion);
  const sealedTo = await sealingKeysOf(holder, version, request.receivers);
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
    version.set.members.flatMap((member, position) => {
      const publicKey = sealedTo.get(member.signingPublicKey);
      return publicKey === undefined ? [] : [sealFor(holder, dealing, member, publicKey, subSharesOf(deals, position))];
    }),
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

/** By signing key. A retired member's may be anybody's by now, and nothing is sealed to it. */
async function sealingKeysOf(
  { clock }: Holder,
  { set, chainId, packageId }: SetVersion,
  receivers: readonly SignedSealingKey[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const nowMs = clock.nowMs();
  const living = livingMembers(set);
  const found = new Map<string, Uint8Array>();
  for (const signed of receivers) {
    const claimed = decodeSealingKey(fromBase64(signed.statement, 'receivers'));
    const key = claimed === null ? null : toBase64(claimed.holderSigningKey);
    const member = living.find(({ signingPublicKey }) => signingPublicKey === key);
    if (member === undefined || found.has(member.signingPublicKey)) {
      throw refuse('INVALID_ARGUMENT', { field: 'receivers', expected: 'one statement of each living member' });
    }
    const { publicKey } = await requireSealingKey(signed, { member, chainId, packageId, nowMs, verify });
    found.set(member.signingPublicKey, publicKey);
  }
  return found;
}

interface Dealt {
  readonly entry: DealtEntry;
  readonly subShares: SubDeal['subShares'];
}

async function dealAll(holder: Holder, { set }: SetVersion, stored: readonly StoredShare[]): Promise<Dealt[]> {
  const digests = stored.map(({ manifestDigest }) => manifestDigest);
  const seeds = holder.dealingSeeds.readOrMake(digests, set.version);
  const dealt: Dealt[] = [];
  for (const [i, share] of stored.entries()) {
    if (i % MANIFESTS_PER_TURN === 0) await nextTurn();
    const { manifestDigest, version: fromVersion, index } = share;
    const from = polynomialOf(share);
    const { subShares, commitments } = dealSubShares({
      share: ShareBcs.parse(holder.shares.decrypt(share)),
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
  { signingPublicKey }: SetVersion['set']['members'][number],
  sealedTo: Uint8Array,
  plaintext: Uint8Array,
): Promise<DealAnswer['sealed'][number]> {
  const about = { dealing: dealingDigest(dealing), receiver: fromBase64(signingPublicKey) };
  const recipientPublicKey = sealedTo;
  const sealed = await seal({ recipientPublicKey, info: subSharesInfo(about), aad: new Uint8Array(), plaintext });
  const message = SealedSubSharesBcs.serialize({ ...about, sealedTo, sealed: digestOf(sealed) }).toBytes();
  const { secretKey } = keys.signing;
  const signature = toBase64(await sign({ secretKey, domainTag: TAGS.sealedSubShares, message }));
  return { receiver: signingPublicKey, sealedTo: toBase64(sealedTo), sealed: toBase64(sealed), signature };
}
