import { sign } from '@usufruct/crypto';
import { isErrorCode, refuse, toBase64, toUsufructError, type Digest, type ErrorCode } from '@usufruct/kernel';
import {
  LeaseActionBcs,
  TAGS,
  type DaoView,
  type EvidenceBundle,
  type HolderSetView,
  type JobView,
  type LeaseAction,
} from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import { enough } from './enough.js';
import type { HolderPort } from './holder-port.js';
import { ANSWER_GRACE_MS, challengeMembers, evidenceFor, onePerPlace, placesOf } from './members.js';

/** One member of the DAO's holder set, with all that a request to it must carry. */
export interface MemberAsked {
  readonly holder: HolderPort;
  /** Position in the set, from 0. */
  readonly member: number;
  readonly challenge: Uint8Array;
  readonly evidenceDigest: Digest;
  readonly proof: { readonly challenge: string; readonly bundle: EvidenceBundle; readonly signature: string };
}
export interface Question {
  readonly job: JobView;
  readonly dao: DaoView;
  readonly set: HolderSetView;
  readonly action: LeaseAction;
  /** What is asked for: a key's id, or the digest of an egress token. */
  readonly about: Digest;
  /** So many answers must come. */
  readonly needed: number;
}

/**
 * Ask every member of the DAO's holder set that is in reach: one challenge from each, one evidence bundle over all, and
 * the attested key's word to each. Gives what came good, once for each place; who refuses or answers wrongly is passed
 * over and named in the log, and so is who keeps the others waiting, as long as the others do.
 *
 * Refuses with what most of the others refused with, or `SHARES_INSUFFICIENT`, where fewer than needed came good.
 */
export async function askHolders<T extends object>(
  context: RunnerContext,
  question: Question,
  ask: (asked: MemberAsked) => Promise<T>,
): Promise<T[]> {
  const { job, dao, action, about, needed } = question;
  const hasty = await askRound(context, question, ask, false);
  const isOver = hasty.good.length >= needed || hasty.isWhole;
  const { good, failures } = isOver ? hasty : await askRound(context, question, ask, true);
  if (failures.length > 0) context.logger.warn('lease.members_passed_over', { jobId: job.id, action, failures });
  if (good.length >= needed) return good;
  const code = mostFrequent(failures.map((failure) => failure.code).filter((one) => !PASSING.includes(one)));
  throw code === null ? insufficient(needed, good.length) : refuse(code, { about, dao: dao.id });
}

interface Round<T> {
  readonly good: T[];
  readonly failures: readonly { readonly member: number; readonly holder: string; readonly code: ErrorCode }[];
  readonly isWhole: boolean;
}

async function askRound<T extends object>(
  context: RunnerContext,
  { job, set, action, about, needed }: Question,
  ask: (asked: MemberAsked) => Promise<T>,
  isPatient: boolean,
): Promise<Round<T>> {
  const { chainId } = await context.chain.info();
  const request = { for: action === 'egress' ? 'egress' : 'lease', jobId: job.id } as const;
  const { challenged, isWhole } = await challengeMembers(context, { set, chainId, request, needed, isPatient });
  if (placesOf(challenged) < needed) return { good: [], failures: [], isWhole };
  const { bundle, evidenceDigest } = await evidenceFor(context, challenged, job.id);
  const asked = challenged.map(async ({ holder, member, challenge }) => {
    const message = LeaseActionBcs.serialize({ chainId, action, jobId: job.id, challenge, about }).toBytes();
    const { secretKey } = context.keys.signing;
    const signature = toBase64(await sign({ secretKey, domainTag: TAGS.leaseRequest, message }));
    const proof = { challenge: toBase64(challenge), bundle, signature };
    return { member, answer: await ask({ holder, member, challenge, evidenceDigest, proof }) };
  });
  const failures: Round<T>['failures'][number][] = [];
  const isEnough = (came: readonly { readonly member: number }[]): boolean => placesOf(came) >= needed;
  const answers = await enough(asked, { isEnough, graceMs: ANSWER_GRACE_MS }, (i, reason) => {
    const { member, holder } = challenged[i]!;
    failures.push({ member, holder: holder.name, code: codeOf(reason) });
  });
  const good = onePerPlace(answers.filter((answer) => answer !== null));
  return { good: good.map(({ answer }) => answer), failures, isWhole };
}

/** These say nothing about what was asked. */
const PASSING: readonly ErrorCode[] = ['UPSTREAM_UNAVAILABLE', 'UPSTREAM_INVALID', 'INTERNAL'];

const insufficient = (needed: number, given: number) =>
  refuse('SHARES_INSUFFICIENT', { needed: String(needed), given: String(given) });

const codeOf = (error: unknown): ErrorCode => {
  const { code } = toUsufructError(error);
  return isErrorCode(code) ? code : 'INTERNAL';
};

function mostFrequent(codes: readonly ErrorCode[]): ErrorCode | null {
  const counts = new Map<ErrorCode, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}
