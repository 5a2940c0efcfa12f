import { asTimestampMs, refuse, type ProposalId } from '@usufruct/kernel';
import {
  deriveId,
  proposalEffectView,
  proposalState,
  type ChainActionPayloads,
  type ProposalView,
  type VoteChoice,
} from '@usufruct/protocol';
import { voteKey } from './collections.js';
import { applyEffect, requireEffect } from './effect.js';
import { earnedBefore, isMember, memberOf } from './membership.js';
import { mustFind, requireNew, requireRole, type Room } from './room.js';

/** By a member. Voting begins at once; the proposal keeps the rules of governance of this moment. */
export function propose(room: Room, action: ChainActionPayloads['propose']): void {
  const { daoId, descriptionHash } = action;
  const effect = proposalEffectView(action.effect);
  requireEffect(effect);
  const dao = mustFind(room, 'dao', daoId);
  requireRole(isMember(room, daoId, room.sender), 'member');
  const id = deriveId<ProposalId>('proposal', daoId, room.sender, action.salt);
  requireNew(room, 'proposal', id);
  const { memberCount, earnedUnits } = mustFind(room, 'membership', daoId);
  const { quorumBps, approvalBps, votingMs, timelockMs, executionMs } = dao.governance;
  // Until somebody has earned something, nobody could vote: a DAO that is paused by then would stay so for ever.
  const voting = earnedUnits === 0n ? 'member' : dao.governance.voting;
  const number = dao.proposalCount + 1;
  const votingEndsAtMs = asTimestampMs(room.nowMs + votingMs);
  const executableFromMs = asTimestampMs(votingEndsAtMs + timelockMs);
  const proposal: ProposalView = {
    id,
    daoId,
    number,
    proposer: room.sender,
    effect,
    descriptionHash,
    voting,
    quorumBps,
    approvalBps,
    memberCount,
    totalVotes: voting === 'member' ? BigInt(memberCount) : earnedUnits,
    yesVotes: 0n,
    noVotes: 0n,
    abstainVotes: 0n,
    createdAtMs: room.nowMs,
    votingEndsAtMs,
    executableFromMs,
    executableUntilMs: asTimestampMs(executableFromMs + executionMs),
    executedAtMs: null,
  };
  room.draft.write('dao', daoId, { ...dao, proposalCount: number });
  room.draft.write('proposal', id, proposal, daoId);
  room.emit({ type: 'ProposalCreated', proposal });
}

const TALLIES: { readonly [C in VoteChoice]: 'yesVotes' | 'noVotes' | 'abstainVotes' } = {
  yes: 'yesVotes',
  no: 'noVotes',
  abstain: 'abstainVotes',
};

/** Once each, by those who were members when the proposal was made. */
export function vote(room: Room, { proposalId, choice }: ChainActionPayloads['vote']): void {
  const proposal = mustFind(room, 'proposal', proposalId);
  const voter = room.sender;
  if (room.nowMs >= proposal.votingEndsAtMs) throw inState(room, proposal);
  const member = memberOf(room, proposal.daoId, voter);
  if (member === undefined || member.ordinal >= proposal.memberCount) throw refuse('NO_VOTE', { account: voter });
  const key = voteKey(proposalId, voter);
  if (room.draft.read('vote', key) !== undefined) throw refuse('ALREADY_VOTED', { account: voter });
  const { daoId, number } = proposal;
  const votes = proposal.voting === 'member' ? 1n : earnedBefore(room, daoId, voter, number);
  if (votes === 0n) throw refuse('NO_VOTE', { account: voter });
  const tally = TALLIES[choice];
  room.draft.write('vote', key, { choice, votes });
  room.draft.write('proposal', proposalId, { ...proposal, [tally]: proposal[tally] + votes });
  room.emit({ type: 'VoteCast', proposalId, voter, choice, votes });
}

/** By anyone, once, after the timelock and before the time to execute has passed. */
export function executeProposal(room: Room, { proposalId }: ChainActionPayloads['executeProposal']): void {
  const proposal = mustFind(room, 'proposal', proposalId);
  if (proposalState(proposal, room.nowMs) !== 'executable') throw inState(room, proposal);
  room.draft.write('proposal', proposalId, { ...proposal, executedAtMs: room.nowMs });
  applyEffect(room, proposal);
  room.emit({ type: 'ProposalExecuted', proposalId, daoId: proposal.daoId, executedAtMs: room.nowMs });
}

const inState = (room: Room, proposal: ProposalView) =>
  refuse('PROPOSAL_STATE', { state: proposalState(proposal, room.nowMs) });
