import type { Address, DaoId, EpochId, HolderSetId, ProposalId } from '@usufruct/kernel';
import type { ApplicationView, MemberView, ProposalEffect, ProposalView } from '@usufruct/protocol';
import { effectView } from '../events/governance-rows.js';
import { effect } from '../layout/common.js';
import { epochObject, member, proposalObject } from '../layout/objects.js';
import type { Lookup } from './lookup.js';
import { addressName } from './objects.js';

/** How DAOs govern themselves. */
export class GovernanceReader {
  constructor(private readonly lookup: Lookup) {}

  async member(daoId: DaoId, address: Address): Promise<MemberView | null> {
    const { membership } = await this.lookup.daoObject(daoId);
    const found = await this.lookup.objects.field(membership.members.id, addressName(address), member);
    if (found === null) return null;
    return { address, roles: found.roles, ordinal: found.ordinal, earnedUnits: found.earned_units };
  }

  /** In order of application. */
  async applicationsOf(daoId: DaoId): Promise<ApplicationView[]> {
    await this.lookup.params.index.sync();
    const { applications } = await this.lookup.dao(daoId);
    return [...applications].map(([applicant, statementHash]) => ({ applicant, statementHash }));
  }

  async proposalsOf(daoId: DaoId): Promise<ProposalView[]> {
    await this.lookup.params.index.sync();
    const { proposals } = await this.lookup.dao(daoId);
    return Promise.all(proposals.map((id) => this.proposal(id)));
  }

  async proposal(id: ProposalId): Promise<ProposalView> {
    const { createdAtMs } = await this.lookup.find((index) => index.proposals.find(id));
    const proposal = await this.#object(id);
    const { governance } = proposal;
    return {
      id,
      daoId: proposal.dao_id,
      number: proposal.number,
      proposer: proposal.proposer,
      effect: effectView(effect.bcs.serialize(proposal.effect).toBytes()),
      descriptionHash: proposal.description_hash,
      voting: governance.voting,
      quorumBps: governance.quorumBps,
      approvalBps: governance.approvalBps,
      memberCount: proposal.member_count,
      totalVotes: proposal.total_votes,
      yesVotes: proposal.yes_votes,
      noVotes: proposal.no_votes,
      abstainVotes: proposal.abstain_votes,
      createdAtMs,
      votingEndsAtMs: proposal.voting_ends_at_ms,
      executableFromMs: proposal.executable_from_ms,
      executableUntilMs: proposal.executable_until_ms,
      executedAtMs: proposal.executed_at_ms,
    };
  }

  async effectOf(id: ProposalId): Promise<ProposalEffect> {
    return (await this.#object(id)).effect;
  }

  async holderSetOfEpoch(id: EpochId): Promise<HolderSetId> {
    const { object } = await this.lookup.find((index) => index.epochs.find(id));
    return (await this.lookup.objects.object(object, epochObject)).holder_set_id;
  }

  async #object(id: ProposalId) {
    const { object, daoId } = await this.lookup.find((index) => index.proposals.find(id));
    await this.lookup.dao(daoId);
    return this.lookup.objects.object(object, proposalObject);
  }
}
