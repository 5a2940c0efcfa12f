import { refuse, type DaoId, type RunnerId } from '@usufruct/kernel';
import { runnerIdOf, type ChainEvent } from '@usufruct/protocol';

/**
 * Runners whose key a DAO has withdrawn for good, as one that signed two truths: the chain settles nothing of theirs any
 * more, so no key of data is given to them either, however fresh their evidence is. By the events of the chain, which
 * `decisionTime` has read before anybody asks.
 */
export class WithdrawnRunners {
  readonly #withdrawn = new Set<string>();

  note({ data }: ChainEvent): void {
    if (data.type === 'RunnerWithdrawn') this.#withdrawn.add(nameOf(data.daoId, data.runnerId));
  }

  /** Refuses `RUNNER_NOT_REGISTERED`. */
  requireOther(daoId: DaoId, signingPublicKey: Uint8Array): void {
    if (!this.#withdrawn.has(nameOf(daoId, runnerIdOf(signingPublicKey)))) return;
    throw refuse('RUNNER_NOT_REGISTERED', { check: 'withdrawn' });
  }
}

const nameOf = (daoId: DaoId, runnerId: RunnerId): string => `${daoId}/${runnerId}`;
