import { open, seal, sign } from '@usufruct/crypto';
import { fromBase64, toBase64, type DaoId, type Digest } from '@usufruct/kernel';
import { requireOpening, type ReadOpening } from '@usufruct/ledger';
import {
  decodeOpenings,
  encodePaddedOpening,
  LIMITS,
  openingsAnswerInfo,
  OpeningsQueryBcs,
  openingSealInfo,
  TAGS,
  type HolderSetView,
} from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import type { LocatedMember } from '../keys/members.js';
import { mapWindow } from '../map-window.js';

const DELIVERIES_AT_ONCE = 8;

/** A holder, with the receipts whose openings it has. */
export interface MemberWithOpenings extends LocatedMember {
  readonly has: ReadonlySet<Digest>;
}
export interface Gathered {
  readonly openings: ReadonlyMap<Digest, ReadOpening>;
  readonly members: readonly MemberWithOpenings[];
}
export interface Wanted {
  readonly daoId: DaoId;
  readonly set: HolderSetView;
  readonly digests: readonly Digest[];
}

/**
 * The openings of these receipts from all holders that answer, each checked against its receipt's commitment; then each
 * holder is given what it lacks and another had. What it refuses (for example because it released none of those keys) it
 * goes on lacking. A holder that does not answer is left out.
 */
export async function gatherOpenings(
  context: RunnerContext,
  members: readonly LocatedMember[],
  wanted: Wanted,
): Promise<Gathered> {
  const openings = new Map<Digest, ReadOpening>();
  const answers = await Promise.allSettled(members.map((member) => openingsOf(context, member, wanted)));
  const answered = members.flatMap((member, i) => {
    const answer = answers[i];
    if (answer?.status !== 'fulfilled') return [];
    for (const one of answer.value) openings.set(one.digest, one);
    return [{ ...member, had: new Set(answer.value.map(({ digest }) => digest)) }];
  });
  const completed = await Promise.all(
    answered.map(async ({ had, ...member }): Promise<MemberWithOpenings> => {
      const lacking = [...openings.values()].filter(({ digest }) => !had.has(digest));
      const taken = await mapWindow(lacking, DELIVERIES_AT_ONCE, (one) => handOver(member, wanted.set, one));
      return { ...member, has: new Set([...had, ...lacking.flatMap(({ digest }, i) => (taken[i] ? [digest] : []))]) };
    }),
  );
  return { openings, members: completed };
}

/** Only what was asked for and is what it says; one wrong opening leaves the whole holder out. */
async function openingsOf(
  context: RunnerContext,
  { holder, member }: LocatedMember,
  { daoId, set, digests }: Wanted,
): Promise<ReadOpening[]> {
  const { chain, clock, keys } = context;
  const { chainId } = await chain.info();
  const holderSigningKey = fromBase64(set.members[member]!.signingPublicKey);
  const found: ReadOpening[] = [];
  for (let from = 0; from < digests.length; from += LIMITS.openingsPerRequest) {
    const receiptDigests = digests.slice(from, from + LIMITS.openingsPerRequest);
    const query = { chainId, daoId, receiptDigests, holderSigningKey, issuedAtMs: clock.nowMs() };
    const message = OpeningsQueryBcs.serialize(query).toBytes();
    const { secretKey, publicKey } = keys.signing;
    const { sealedOpenings } = await holder.openings({
      daoId,
      receiptDigests,
      runnerSigningKey: toBase64(publicKey),
      issuedAtMs: query.issuedAtMs,
      signature: toBase64(await sign({ secretKey, domainTag: TAGS.openingsQuery, message })),
    });
    const bytes = await open({
      privateKey: keys.hpke.privateKey,
      info: openingsAnswerInfo(message),
      aad: new Uint8Array(),
      sealed: fromBase64(sealedOpenings),
    });
    const asked = new Set(receiptDigests);
    found.push(
      ...decodeOpenings(bytes)
        .map(requireOpening)
        .filter(({ digest }) => asked.has(digest)),
    );
  }
  return found;
}

/** Whether the holder has it now. */
async function handOver(
  { holder, member }: LocatedMember,
  set: HolderSetView,
  { digest, opening }: ReadOpening,
): Promise<boolean> {
  const sealedOpening = await seal({
    recipientPublicKey: fromBase64(set.members[member]!.sealingPublicKey),
    info: openingSealInfo(digest),
    aad: new Uint8Array(),
    plaintext: encodePaddedOpening(opening),
  });
  return holder.deliverOpening({ receiptDigest: digest, sealedOpening: toBase64(sealedOpening) }).then(
    () => true,
    () => false,
  );
}

/** How many of the first receipts so many places have, without a gap; of those who claim one the one that says most. */
export function commonReach(
  members: readonly Pick<MemberWithOpenings, 'has' | 'member'>[],
  needed: number,
  digests: readonly Digest[],
): number {
  const furthest = new Map<number, number>();
  for (const one of members) {
    furthest.set(one.member, Math.max(furthest.get(one.member) ?? 0, reachOf(one, digests)));
  }
  return [...furthest.values()].sort((a, b) => b - a)[needed - 1] ?? 0;
}

/** How many of the first receipts this holder has, without a gap: so far it can follow an epoch. */
export function reachOf({ has }: Pick<MemberWithOpenings, 'has'>, digests: readonly Digest[]): number {
  const gap = digests.findIndex((digest) => !has.has(digest));
  return gap === -1 ? digests.length : gap;
}
