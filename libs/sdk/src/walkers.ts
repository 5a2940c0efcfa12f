import { verify } from '@usufruct/crypto';
import { fromBase64, toHex, type DaoId, type RunnerId } from '@usufruct/kernel';
import {
  decodeWalkNotice,
  LIMITS,
  runnerIdOf,
  TAGS,
  zSignedWalkNotice,
  type SignedWalkNotice,
  type WalkNotice,
} from '@usufruct/protocol';
import { z } from 'zod';
import { operation } from './api/graphql.js';
import type { ClientContext } from './context.js';
import { orNull } from './create.js';

const WALK_NOTICES = operation<{ daoId: DaoId }>()(
  `query WalkNotices($daoId: Hex32!) { walkNotices(daoId: $daoId) { complete notices { notice signature } } }`,
  z.object({ walkNotices: z.object({ complete: z.boolean(), notices: z.array(zSignedWalkNotice) }) }),
);

/** What the runners that answered have signed about askers. */
export interface Walkers {
  /** The newest first. */
  readonly notices: readonly WalkNotice[];
  /** How many more came without the signature of a runner that the DAO had registered then. */
  readonly unproven: number;
  /** Whether every runner that the API knows has answered. */
  readonly complete: boolean;
}

/**
 * Askers who seem to walk through the DAO's datasets, as its runners have noticed it; for the DAO's members and those who
 * contributed. It proves that the runner's key said so. A runner can keep silent, and so can the API.
 */
export async function walkersOf(context: ClientContext, daoId: DaoId): Promise<Walkers> {
  const { walkNotices: said } = await context.api.request(WALK_NOTICES, { daoId });
  const { chainId } = await context.chain.info();
  const judged = await Promise.all(said.notices.map((one) => proven(context, daoId, chainId, one)));
  const notices = judged.filter((notice) => notice !== null).sort((a, b) => b.noticedAtMs - a.noticedAtMs);
  return { notices: newestOf(notices), unproven: judged.length - notices.length, complete: said.complete };
}

/** Of each runner about an asker of a dataset: it keeps one, and a replayed one is no second sign. */
function newestOf(notices: readonly WalkNotice[]): WalkNotice[] {
  const known = new Map<string, WalkNotice>();
  for (const notice of notices) {
    const about = `${toHex(notice.runnerSigningKey)}/${notice.datasetId}/${notice.asker}`;
    if (!known.has(about)) known.set(about, notice);
  }
  return [...known.values()];
}

/** What is dated after its key's registration, or after now, no registered runner has noticed. */
async function proven(
  { chain, clock }: ClientContext,
  daoId: DaoId,
  chainId: string,
  { notice: text, signature }: SignedWalkNotice,
): Promise<WalkNotice | null> {
  const message = fromBase64(text);
  const notice = decodeWalkNotice(message);
  if (notice === null || notice.daoId !== daoId || notice.chainId !== chainId) return null;
  const publicKey = notice.runnerSigningKey;
  const signed = { publicKey, domainTag: TAGS.walkNotice, message, signature: fromBase64(signature) };
  if (!(await verify(signed))) return null;
  const registered = await orNull(chain.runner(daoId, runnerIdOf<RunnerId>(publicKey)));
  const isInTime =
    registered !== null &&
    notice.noticedAtMs < registered.expiresAtMs &&
    notice.noticedAtMs <= clock.nowMs() + LIMITS.clockSkewMs;
  return isInTime ? notice : null;
}
