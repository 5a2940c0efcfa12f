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
import { ANSWER_GRACE_MS, challengesOf, evidenceFor, locateMembers } from './members.js';

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
 * the attested key's word to each. Gives what came good; who refuses or answers wrongly is passed over, and so is who
 * keeps the others waiting.
 *
 * Refuses with what most of the others refused with, or `SHARES_INSUFFICIENT`, where fewer than needed came good.
 */
export async function askHolders<T extends object>(
  context: RunnerContext,
  { job, dao, set, action, about, needed }: Question,
  ask: (asked: MemberAsked) => Promise<T>,
): Promise<T[]> {
  const { chainId } = await context.chain.info();
  const located = await locateMembers(context.holders, set, chainId, needed);
  const what = action === 'egress' ? 'egress' : 'lease';
  const challenged = await challengesOf(located, { for: what, jobId: job.id }, needed);
  if (challenged.length < needed) throw insufficient(needed, challenged.length);
  const { bundle, evidenceDigest } = await evidenceFor(context, challenged, job.id);
  const asked = challenged.map(async ({ holder, member, challenge }) => {
    const message = LeaseActionBcs.serialize({ chainId, action, jobId: job.id, challenge, about }).toBytes();
    const { secretKey } = context.keys.signing;
    const signature = toBase64(await sign({ secretKey, domainTag: TAGS.leaseRequest, message }));
    const proof = { challenge: toBase64(challenge), bundle, signature };
    return ask({ holder, member, challenge, evidenceDigest, proof });
  });
  const codes: ErrorCode[] = [];
  const patience = { isEnough: ({ length }: readonly T[]) => length >= needed, graceMs: ANSWER_GRACE_MS };
  const answers = await enough(asked, patience, (_index, reason) => void codes.push(codeOf(reason)));
  const good = answers.filter((answer) => answer !== null);
  if (codes.length > 0) context.logger.warn('lease.members_passed_over', { jobId: job.id, action, codes });
  if (good.length >= needed) return good;
  const code = mostFrequent(codes.filter((one) => !PASSING.includes(one)));
  throw code === null ? insufficient(needed, good.length) : refuse(code, { about, dao: dao.id });
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
