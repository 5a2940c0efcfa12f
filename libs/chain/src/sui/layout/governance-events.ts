import type { DaoId, ProposalId } from '@usufruct/kernel';
import { account, digest, governance, payoutRules, timeMs, units } from './common.js';
import { address, amount, bytes, count, objectId, struct, u8 } from './move-types.js';

const daoId = address<DaoId>();
const proposalId = address<ProposalId>();

export const GOVERNANCE_EVENT_LAYOUTS = {
  DaoUnpaused: struct('governance_events::DaoUnpaused', { dao_id: daoId }),
  ProposalCreated: struct('governance_events::ProposalCreated', {
    object: objectId,
    proposal_id: proposalId,
    dao_id: daoId,
    number: count(),
    proposer: account,
    effect: bytes,
    description_hash: digest,
    governance,
    member_count: count(),
    total_votes: amount(),
    created_at_ms: timeMs,
    voting_ends_at_ms: timeMs,
    executable_from_ms: timeMs,
    executable_until_ms: timeMs,
  }),
  VoteCast: struct('governance_events::VoteCast', {
    proposal_id: proposalId,
    voter: account,
    choice: u8,
    votes: amount(),
  }),
  ProposalExecuted: struct('governance_events::ProposalExecuted', {
    proposal_id: proposalId,
    dao_id: daoId,
    executed_at_ms: timeMs,
  }),
  GovernanceSet: struct('governance_events::GovernanceSet', { dao_id: daoId, governance }),
  PayoutRulesSet: struct('governance_events::PayoutRulesSet', { dao_id: daoId, payout_rules: payoutRules }),
  TreasurySpent: struct('governance_events::TreasurySpent', { dao_id: daoId, to: account, amount_units: units }),
};
