import { fromBase64, toUsufructError, type Digest } from '@usufruct/kernel';
import {
  decodeReshareResult,
  isLiving,
  LIMITS,
  livingMembers,
  reshareQuorum,
  splitPoints,
  type AcknowledgeRequest,
  type Acknowledgement,
  type ReshareCertificate,
  type ResharePart,
} from '@usufruct/protocol';
import type { ReshareHolder } from './holder-client.js';
import type { KnownHoldings, ReshareLook } from './look.js';
import type { Pending } from './plan.js';

/** Enough members have signed for what they have; who that makes shares for. */
export interface Resumed {
  readonly certificate: ReshareCertificate;
  /** Past versions make shares for those that received, and take none away. */
  readonly isPast: boolean;
  readonly holders: readonly ReshareHolder[];
}
export interface ResumeOptions {
  readonly leaveOutAbsent: boolean;
  /** That a carrier before got, of any version. */
  readonly certificates: readonly ReshareCertificate[];
  readonly onRefusal: (holder: ReshareHolder, error: unknown) => void;
}

/**
 * What can be brought to an end without any dealer, because members have stored what they received. For the version that
 * is, where as many members as must sign have sub-shares of the same dealers: a carrier before brought them, and died.
 * For one that is past, where shares of the newest polynomial are left at too few: old ones were destroyed, and the set
 * was rotated, before every member was shown that it may use its own.
 */
export async function resumable(
  look: ReshareLook,
  pending: readonly Pending[],
  options: ResumeOptions,
): Promise<Resumed[]> {
  const found = new Map<string, { readonly group: Group; readonly entries: AcknowledgeRequest['entries'] }>();
  const stuck = new Set<Digest>();
  const received = receivedOf(look);
  for (const one of pending) {
    const groups = received.get(one.manifestDigest) ?? [];
    if (isStuck(one, groups)) stuck.add(one.manifestDigest);
    const group = groups.find((each) =>
      each.toVersion === look.set.version ? isWhole(look, each, options) : stuck.has(one.manifestDigest),
    );
    if (group === undefined) continue;
    const { toVersion, dealers, holders } = group;
    const key = JSON.stringify([toVersion, dealers, holders.map(({ holder }) => holder.signingPublicKey)]);
    const known = found.get(key) ?? { group, entries: [] };
    known.entries.push({ manifestDigest: one.manifestDigest, from: group.from });
    found.set(key, known);
  }
  const resumed = earlierOf(look, stuck, received, options);
  for (const { group, entries } of found.values()) {
    for (let at = 0; at < entries.length; at += LIMITS.manifestsPerResharing) {
      const batch = entries.slice(at, at + LIMITS.manifestsPerResharing);
      const certificate = await signedFor(look, group, batch, options);
      if (certificate !== null) resumed.push(certificate);
    }
  }
  return resumed;
}

/** Who has sub-shares of these dealers, on the way from one polynomial to one version. */
interface Group {
  readonly toVersion: number;
  readonly from: Digest;
  readonly needed: number;
  readonly dealers: readonly number[];
  readonly holders: readonly KnownHoldings[];
}

/** By manifest; the newest version first. */
function receivedOf({ holders }: ReshareLook): ReadonlyMap<Digest, readonly Group[]> {
  const all = new Map<Digest, Map<string, { part: ResharePart; holders: Map<KnownHoldings, readonly number[]> }>>();
  for (const known of holders) {
    if (known.isRetired) continue;
    for (const part of known.parts) {
      const groups = all.get(part.manifestDigest) ?? new Map<string, never>();
      all.set(part.manifestDigest, groups);
      const key = `${part.toVersion} ${part.from}`;
      const group = groups.get(key) ?? { part, holders: new Map() };
      groups.set(key, group);
      group.holders.set(known, part.dealers);
    }
  }
  return new Map(
    [...all].map(([digest, groups]) => [
      digest,
      [...groups.values()]
        .map(({ part, holders: those }) => groupOf(part, those))
        .sort((a, b) => b.toVersion - a.toVersion),
    ]),
  );
}

/** The dealers that most have, the lowest of those: the same for everybody who looks. */
function groupOf(
  { toVersion, from, needed }: ResharePart,
  received: ReadonlyMap<KnownHoldings, readonly number[]>,
): Group {
  const counts = new Map<number, number>();
  for (const dealer of [...received.values()].flat()) counts.set(dealer, (counts.get(dealer) ?? 0) + 1);
  const dealers = [...counts]
    .sort(([a, countA], [b, countB]) => countB - countA || a - b)
    .slice(0, needed)
    .map(([dealer]) => dealer)
    .sort((a, b) => a - b);
  const holders = [...received].filter(([, theirs]) => dealers.every((dealer) => theirs.includes(dealer)));
  return { toVersion, from, needed, dealers, holders: holders.map(([known]) => known) };
}

/** Fewer have a share of the newest polynomial than it takes to deal. */
function isStuck({ manifestDigest, commitments, dealers }: Pending, groups: readonly Group[]): boolean {
  const needed =
    commitments === null
      ? groups.find(({ from }) => from === manifestDigest)?.needed
      : splitPoints(fromBase64(commitments, 'commitments')).length;
  return dealers.length < (needed ?? 1);
}

function isWhole(
  { set }: ReshareLook,
  { dealers, needed, holders }: Group,
  { leaveOutAbsent }: ResumeOptions,
): boolean {
  const living = livingMembers(set).length;
  const seated = holders.filter(({ member }) => member !== null && isLiving(set, set.members[member]!));
  return dealers.length === needed && seated.length >= (leaveOutAbsent ? reshareQuorum(living, set.threshold) : living);
}

/** Certificates of past versions about what is stuck: who signed them may be gone by now. */
function earlierOf(
  { set }: ReshareLook,
  stuck: ReadonlySet<Digest>,
  received: ReadonlyMap<Digest, readonly Group[]>,
  { certificates }: ResumeOptions,
): Resumed[] {
  return certificates.flatMap((certificate): Resumed[] => {
    const result = decodeReshareResult(fromBase64(certificate.result, 'result'));
    if (result === null || result.toVersion >= set.version) return [];
    const about = result.entries.map(({ manifestDigest }) => manifestDigest).filter((digest) => stuck.has(digest));
    const groups = about.flatMap((digest) => received.get(digest) ?? []);
    const those = groups.filter(({ toVersion }) => toVersion === result.toVersion).flatMap(({ holders }) => holders);
    const holders = [...new Set(those)].map(({ holder }) => holder);
    return holders.length === 0 ? [] : [{ certificate, isPast: true, holders }];
  });
}

/** Null where they do not sign the same, or too few do. */
async function signedFor(
  { set }: ReshareLook,
  { toVersion, dealers, holders }: Group,
  entries: AcknowledgeRequest['entries'],
  { onRefusal }: ResumeOptions,
): Promise<Resumed | null> {
  const request = { holderSetId: set.id, toVersion, dealers: [...dealers], entries };
  const byResult = new Map<string, { answer: Acknowledgement; holder: ReshareHolder }[]>();
  await Promise.all(
    holders.map(async ({ holder }) => {
      try {
        const answer = await holder.acknowledge(request);
        byResult.set(answer.result, [...(byResult.get(answer.result) ?? []), { answer, holder }]);
      } catch (error) {
        // A set's next member may know nothing of the version before; that is nobody's fault.
        if (toUsufructError(error).code !== 'POLICY_OUTDATED') onRefusal(holder, error);
      }
    }),
  );
  const [most] = [...byResult.entries()].sort(([, a], [, b]) => b.length - a.length);
  if (most === undefined) return null;
  const [result, signed] = most;
  if (signed.length < Math.max(...signed.map(({ answer }) => answer.needed))) return null;
  const acks = signed.map(({ answer: { member, signature } }) => ({ member, signature }));
  return {
    certificate: { result, acks: acks.sort((a, b) => a.member - b.member) },
    isPast: toVersion < set.version,
    holders: signed.map(({ holder }) => holder),
  };
}
