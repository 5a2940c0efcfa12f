import { setImmediate as nextTurn } from 'node:timers/promises';
import { subDealingFlaw, SubShareBatch, type SubDealing } from '@usufruct/crypto';
import { refuse, toBase64 } from '@usufruct/kernel';
import type { DealingFault } from '@usufruct/protocol';
import type { Holder } from '../holder.js';
import { MANIFESTS_PER_TURN } from './deal.js';
import type { GoodDealing, JudgeParams } from './judge-dealing.js';

export type JudgedShares =
  | {
      readonly ok: true;
      /** To the new polynomials, in the order of the manifests. */
      readonly commitments: readonly (readonly Uint8Array[])[];
    }
  | { readonly ok: false; readonly faults: readonly DealingFault[] };

/**
 * Whether all sub-shares of a batch lie on what their dealers commit to, and these commit to the secrets: all together,
 * which costs each little more than decoding its points. Only where something is wrong each is looked at by itself, to
 * name its dealer. Refuses `SHARE_INVALID` for a dealer's position that is there twice.
 */
export async function judgeShares(
  { random }: Pick<Holder, 'random'>,
  dealings: readonly GoodDealing[],
  params: JudgeParams,
): Promise<JudgedShares> {
  const { set, member, sources } = params;
  const batch = new SubShareBatch({ threshold: set.threshold, receiverIndex: member + 1, random });
  const commitments: (readonly Uint8Array[])[] = [];
  for (const [i, source] of sources.entries()) {
    if (i % MANIFESTS_PER_TURN === 0) await nextTurn();
    const combined = batch.add(
      dealings.map((dealing) => subDealingOf(dealing, i)),
      source.commitments[0]!,
    );
    if (combined === null) break;
    commitments.push(combined);
  }
  if (commitments.length === sources.length && batch.holds()) return { ok: true, commitments };
  const faults: DealingFault[] = [];
  for (const [at, dealing] of dealings.entries()) {
    const fault = await faultOf(dealing, params);
    if (fault !== null) faults.push({ ...fault, dealing: at });
  }
  if (faults.length > 0) return { ok: false, faults };
  const index = dealings.map((dealing) => dealing.index).join(',');
  throw refuse('SHARE_INVALID', { index, reason: 'these dealers do not commit to the secret' });
}

const subDealingOf = ({ index, entries, subShares }: GoodDealing, i: number): SubDealing => ({
  dealerIndex: index,
  commitments: entries[i]!.commitments,
  subShare: subShares[i]!,
});

/** The first that is wrong with a dealing. */
async function faultOf(
  dealing: GoodDealing,
  { set, member, sources }: JudgeParams,
): Promise<Omit<DealingFault, 'dealing'> | null> {
  for (const [i, { commitments: fromCommitments, manifestDigest }] of sources.entries()) {
    if (i % MANIFESTS_PER_TURN === 0) await nextTurn();
    const receiver = { fromCommitments, threshold: set.threshold, receiverIndex: member + 1 };
    const reason = subDealingFlaw(subDealingOf(dealing, i), receiver);
    if (reason !== null) return { dealer: toBase64(dealing.dealer), reason, manifestDigest };
  }
  return null;
}
