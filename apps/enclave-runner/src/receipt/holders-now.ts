import type { JobId } from '@usufruct/kernel';
import { isLiving, type DaoView, type HolderSetView, type StatementSignature } from '@usufruct/protocol';
import type { RunnerContext } from '../context.js';
import type { Delivery } from './store.js';

/** Whose acknowledgements the chain asks for when it settles a private receipt of a job, as it is now. */
export interface HoldersNow {
  readonly chainId: string;
  readonly dao: DaoView;
  readonly set: HolderSetView;
  /** So many, as countersign an epoch. */
  readonly needed: number;
  /** All that acknowledgements are judged by: where it is another one, they have to be put together again. */
  readonly state: string;
}

export async function holdersNow({ chain }: Pick<RunnerContext, 'chain'>, jobId: JobId): Promise<HoldersNow> {
  const [{ chainId }, { daoId }] = await Promise.all([chain.info(), chain.job(jobId)]);
  const dao = await chain.dao(daoId);
  const { holderSetId, verifierThreshold } = dao.policy;
  const set = await chain.holderSet(holderSetId);
  const needed = Math.max(1, verifierThreshold);
  return { chainId, dao, set, needed, state: [set.id, set.version, set.tombstonedKeys.length, needed].join('/') };
}

/** As many as the chain asks for, or as there are: of different members of the set that were not retired, by their places. */
export function acknowledgementsOf(
  deliveries: readonly Delivery[],
  { set, needed }: Pick<HoldersNow, 'set' | 'needed'>,
): StatementSignature[] {
  const byKey = new Map(deliveries.map(({ holderKey, acknowledgement }) => [holderKey, acknowledgement]));
  const all = set.members.flatMap((member, i): StatementSignature[] => {
    const signature = byKey.get(member.signingPublicKey) ?? null;
    return signature !== null && isLiving(set, member) ? [{ member: i, signature }] : [];
  });
  return all.slice(0, needed);
}
