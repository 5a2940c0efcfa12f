import type { WalletSigner } from '@usufruct/chain';
import type { Digest, ProposalId } from '@usufruct/kernel';
import { DEFAULT_GOVERNANCE, deriveId, type Governance, type ProposalEffect } from '@usufruct/protocol';
import type { DaoWorld } from '../../apps/local-chain/src/testing/dao-world.js';
import { digestOf, hexOf } from '../../apps/local-chain/src/testing/world.js';

export const MINUTE_MS = 60_000;
/** Voting takes ten minutes, the timelock five, and then there are ten to execute. */
export const QUICK_GOVERNANCE: Governance = {
  ...DEFAULT_GOVERNANCE,
  votingMs: 10 * MINUTE_MS,
  timelockMs: 5 * MINUTE_MS,
  executionMs: 10 * MINUTE_MS,
};

export interface Motion {
  readonly effect: ProposalEffect;
  readonly salt: string;
  readonly descriptionHash?: Digest;
}

/** By the founder. */
export async function propose(dao: DaoWorld, motion: Motion): Promise<ProposalId> {
  const { effect, salt, descriptionHash = digestOf('reasons') } = motion;
  const { daoId, founder } = dao;
  await dao.run(founder, { kind: 'propose', salt: hexOf(salt), daoId, effect, descriptionHash });
  return deriveId<ProposalId>('proposal', daoId, founder.address, hexOf(salt));
}

export const vote = (dao: DaoWorld, wallet: WalletSigner, proposalId: ProposalId, choice: 'yes' | 'no' | 'abstain') =>
  dao.run(wallet, { kind: 'vote', proposalId, choice });

/** Voted for by all three contributors, and past its timelock. */
export async function carry(dao: DaoWorld, effect: ProposalEffect, salt: string): Promise<ProposalId> {
  const id = await propose(dao, { effect, salt });
  for (const member of dao.contributors) await vote(dao, member, id, 'yes');
  dao.clock.advance(15 * MINUTE_MS);
  return id;
}

/** Carried and executed. */
export async function enact(dao: DaoWorld, effect: ProposalEffect, salt: string): Promise<ProposalId> {
  const proposalId = await carry(dao, effect, salt);
  await dao.run(dao.stranger, { kind: 'executeProposal', proposalId });
  return proposalId;
}
