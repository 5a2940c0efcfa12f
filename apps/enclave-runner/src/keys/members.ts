import { equalBytes, fromBase64 } from '@usufruct/kernel';
import type { ChallengeRequest, HolderSetView } from '@usufruct/protocol';
import type { HolderPort } from './holder-port.js';

export interface LocatedMember {
  readonly holder: HolderPort;
  /** Position in the holder set, from 0. */
  readonly member: number;
}
export interface ChallengedMember extends LocatedMember {
  readonly challenge: Uint8Array;
}

/**
 * Which of the known holders are members of the set: the chain says with which key, the holder says that it has it
 * (and proves it with every signature that is checked later). Who does not answer, or serves another chain, is left
 * out.
 */
export async function locateMembers(
  holders: readonly HolderPort[],
  set: HolderSetView,
  chainId: string,
): Promise<LocatedMember[]> {
  const identities = await Promise.allSettled(holders.map((holder) => holder.identity()));
  return set.members.flatMap(({ signingPublicKey }, member): LocatedMember[] => {
    const key = fromBase64(signingPublicKey);
    const index = identities.findIndex(
      (answer) =>
        answer.status === 'fulfilled' &&
        answer.value.chainId === chainId &&
        equalBytes(fromBase64(answer.value.signingPublicKey), key),
    );
    return index === -1 ? [] : [{ holder: holders[index]!, member }];
  });
}

/** One challenge from each; who gives none is left out. */
export async function challengesOf<T extends LocatedMember>(
  members: readonly T[],
  request: ChallengeRequest,
): Promise<(T & ChallengedMember)[]> {
  const answers = await Promise.allSettled(members.map(({ holder }) => holder.challenge(request)));
  return members.flatMap((member, i) => {
    const answer = answers[i];
    return answer?.status === 'fulfilled' ? [{ ...member, challenge: answer.value }] : [];
  });
}
