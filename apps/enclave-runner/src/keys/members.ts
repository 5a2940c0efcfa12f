import { makeEvidence } from '@usufruct/attestation';
import { equalBytes, fromBase64, type Digest, type JobId } from '@usufruct/kernel';
import {
  evidenceDigest,
  isLiving,
  type ChallengeRequest,
  type EvidenceBundle,
  type HolderSetView,
} from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import { enough } from './enough.js';
import type { HolderPort } from './holder-port.js';

export interface LocatedMember {
  readonly holder: HolderPort;
  /** Position in the holder set, from 0. */
  readonly member: number;
}
export interface ChallengedMember extends LocatedMember {
  readonly challenge: Uint8Array;
}

/** Small questions: who has not answered long after enough others have is slow or away. */
const GRACE_MS = 1_000;
/** What is asked with evidence is the same to do for all: who is far behind enough others is slow or stands still. */
export const ANSWER_GRACE_MS = 1_500;

/**
 * Which of the known holders are members of the set: the chain says with which key, the holder says that it has it
 * (and proves it with every signature that is checked later). Who does not answer, or serves another chain, is left
 * out; so is who keeps us waiting when `needed` members have answered.
 */
export async function locateMembers(
  holders: readonly HolderPort[],
  set: HolderSetView,
  chainId: string,
  needed = set.members.length,
): Promise<LocatedMember[]> {
  const keys = set.members.map(({ signingPublicKey }) => fromBase64(signingPublicKey));
  const asked = holders.map(async (holder) => {
    const identity = await holder.identity();
    const key = fromBase64(identity.signingPublicKey);
    const member = identity.chainId === chainId ? keys.findIndex((one) => equalBytes(one, key)) : -1;
    return { holder, member };
  });
  const isEnough = (found: readonly LocatedMember[]): boolean =>
    new Set(found.map(({ member }) => member).filter((member) => member >= 0)).size >= needed;
  const found = await enough(asked, { isEnough, graceMs: GRACE_MS });
  return set.members.flatMap((_member, member): LocatedMember[] => {
    const first = found.find((one) => one?.member === member);
    return first ? [first] : [];
  });
}

/** Those of them whose word counts: what a member that was retired signs spoils what it is sent with. */
export async function locateLiving(
  holders: readonly HolderPort[],
  set: HolderSetView,
  chainId: string,
): Promise<LocatedMember[]> {
  const located = await locateMembers(holders, set, chainId);
  return located.filter(({ member }) => isLiving(set, set.members[member]!));
}

/** One challenge from each; who gives none is left out, and who keeps us waiting when `needed` others have. */
export async function challengesOf<T extends LocatedMember>(
  members: readonly T[],
  request: ChallengeRequest,
  needed: number,
): Promise<(T & ChallengedMember)[]> {
  const asked = members.map(async (member) => ({ ...member, challenge: await member.holder.challenge(request) }));
  const answers = await enough(asked, { isEnough: ({ length }) => length >= needed, graceMs: GRACE_MS });
  return answers.filter((answer) => answer !== null);
}

/** One evidence bundle over the challenges of all of them. */
export async function evidenceFor(
  { device, keys }: RunnerContext,
  challenged: readonly ChallengedMember[],
  jobId: JobId,
): Promise<{ readonly bundle: EvidenceBundle; readonly evidenceDigest: Digest }> {
  const challenges = challenged.map(({ challenge }) => challenge);
  const bundle = await makeEvidence(device, { challenges, jobId, keys: keys.bound });
  return { bundle, evidenceDigest: evidenceDigest(bundle) };
}
