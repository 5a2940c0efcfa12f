import { makeEvidence } from '@usufruct/attestation';
import { equalBytes, fromBase64, toHex, type Digest, type JobId } from '@usufruct/kernel';
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

/** Whether the others are waited for, too, when enough have answered. */
export interface Hurry {
  readonly needed: number;
  readonly isPatient: boolean;
}
interface Answers<T> {
  readonly answers: readonly T[];
  /** Everybody has answered or failed: nobody was left out for being slow. */
  readonly isWhole: boolean;
}

/**
 * Which of the known holders say that they are members of the set: the chain says with which key, the holder says that
 * it has it. That proves nothing, so all who claim a place are given, and whoever asks them takes what is signed with
 * the member's key: a holder that poses as another costs time. Who does not answer, or serves another chain, is left out.
 */
export async function locateMembers(
  holders: readonly HolderPort[],
  set: HolderSetView,
  chainId: string,
): Promise<LocatedMember[]> {
  const { answers } = await claimants(holders, set, chainId, { needed: set.members.length, isPatient: true });
  return [...answers];
}

async function claimants(
  holders: readonly HolderPort[],
  set: HolderSetView,
  chainId: string,
  hurry: Hurry,
): Promise<Answers<LocatedMember>> {
  const keys = set.members.map(({ signingPublicKey }) => fromBase64(signingPublicKey));
  const asked = holders.map(async (holder) => {
    const identity = await holder.identity();
    const key = fromBase64(identity.signingPublicKey);
    const member = identity.chainId === chainId ? keys.findIndex((one) => equalBytes(one, key)) : -1;
    return { holder, member };
  });
  const { answers, isWhole } = await inTime(asked, hurry);
  return { answers: answers.filter(({ member }) => member >= 0).sort((a, b) => a.member - b.member), isWhole };
}

/** How many places of the set these are of. */
export const placesOf = (members: readonly Pick<LocatedMember, 'member'>[]): number =>
  new Set(members.map(({ member }) => member).filter((member) => member >= 0)).size;

/** The first of each place, in their order. */
export const onePerPlace = <T extends Pick<LocatedMember, 'member'>>(members: readonly T[]): T[] =>
  [...new Map(members.toReversed().map((one) => [one.member, one])).values()].sort((a, b) => a.member - b.member);

async function inTime<T extends LocatedMember>(
  asked: readonly Promise<T>[],
  { needed, isPatient }: Hurry,
): Promise<Answers<T>> {
  let failed = 0;
  const isEnough = (found: readonly T[]): boolean => !isPatient && placesOf(found) >= needed;
  const results = await enough(asked, { isEnough, graceMs: GRACE_MS }, () => void (failed += 1));
  const answers = results.filter((answer) => answer !== null);
  return { answers, isWhole: answers.length + failed === asked.length };
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

/** What members of a set are asked challenges for. */
export interface ChallengeRound extends Hurry {
  readonly set: HolderSetView;
  readonly chainId: string;
  readonly request: ChallengeRequest;
}

/**
 * One challenge from each that claims a place in the set. Who gives none is left out, and unless it is patient so is who
 * keeps us waiting when `needed` places have answered: a second round is for when what these then gave did not do, since
 * some of them may hold no place and another that does may have been left out.
 */
export async function challengeMembers(
  { holders }: Pick<RunnerContext, 'holders'>,
  { set, chainId, request, ...hurry }: ChallengeRound,
): Promise<{ readonly challenged: readonly ChallengedMember[]; readonly isWhole: boolean }> {
  const located = await claimants(holders, set, chainId, hurry);
  const asked = located.answers.map(async (one) => ({ ...one, challenge: await one.holder.challenge(request) }));
  const { answers, isWhole } = await inTime(asked, hurry);
  // Evidence over a challenge that is there twice is refused by everybody.
  const challenged = [...new Map(answers.toReversed().map((one) => [toHex(one.challenge), one])).values()];
  return { challenged: challenged.toReversed(), isWhole: located.isWhole && isWhole };
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
