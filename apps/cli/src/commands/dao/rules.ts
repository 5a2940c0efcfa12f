import { Option, type Command } from 'commander';
import {
  BLOB_LIFETIMES,
  COMPUTATION_KINDS,
  EVIDENCE_PROFILES,
  ON_REVOCATION,
  PAYOUT_MODES,
  PROTECTION_KINDS,
  UNCLAIMED_TO,
  VOTING_KINDS,
  type BlobLifetime,
  type ComputationKind,
  type DaoPolicy,
  type DataRules,
  type EvidenceProfile,
  type Governance,
  type OnRevocation,
  type PayoutMode,
  type PayoutRules,
  type ProtectionKind,
  type UnclaimedTo,
  type VotingKind,
} from '@usufruct/protocol';
import { parseDuration } from '@usufruct/sdk';
import { percentOf } from '../../arguments.js';

/** Rules that a command may change: each option replaces one value of the rules that it starts from. */
export interface GovernanceOptions {
  readonly voting?: VotingKind;
  readonly quorum?: string;
  readonly approval?: string;
  readonly votingTime?: string;
  readonly timelock?: string;
  readonly executionTime?: string;
  readonly policyByVoteOnly?: boolean;
}
export const withGovernance = (command: Command): Command =>
  command
    .addOption(new Option('--voting <kind>', 'one vote a member, or one a unit earned').choices(VOTING_KINDS))
    .option('--quorum <percent>', 'the least part of all votes that must be cast')
    .option('--approval <percent>', 'the least part of yes among yes and no, over 50')
    .option('--voting-time <time>', 'how long votes are taken, as 3d')
    .option('--timelock <time>', 'from the end of voting until it can be executed')
    .option('--execution-time <time>', 'how long it can then be executed')
    .option('--policy-by-vote-only', 'no role sets the policy, only votes do')
    .option('--no-policy-by-vote-only', 'policy makers set it too');

export function governanceOf(options: GovernanceOptions, base: Governance): Governance {
  const { voting, quorum, approval, votingTime, timelock, executionTime, policyByVoteOnly } = options;
  return {
    ...base,
    ...(voting !== undefined && { voting }),
    ...(quorum !== undefined && { quorumBps: percentOf(quorum, 'quorum') }),
    ...(approval !== undefined && { approvalBps: percentOf(approval, 'approval') }),
    ...(votingTime !== undefined && { votingMs: parseDuration(votingTime, 'voting-time') }),
    ...(timelock !== undefined && { timelockMs: parseDuration(timelock, 'timelock') }),
    ...(executionTime !== undefined && { executionMs: parseDuration(executionTime, 'execution-time') }),
    ...(policyByVoteOnly !== undefined && { policyByVoteOnly }),
  };
}

export interface PayoutOptions {
  readonly payoutMode?: PayoutMode;
  readonly challengeTime?: string;
  readonly claimTerm?: string;
  readonly unclaimedTo?: UnclaimedTo;
}
export const withPayoutRules = (command: Command): Command =>
  command
    .addOption(
      new Option('--payout-mode <mode>', 'at once with public weights, or in epochs with private ones').choices(
        PAYOUT_MODES,
      ),
    )
    .option('--challenge-time <time>', 'how long key holders may object to an epoch')
    .option('--claim-term <time>', 'how long payouts can be claimed after that')
    .addOption(new Option('--unclaimed-to <account>', 'who gets what nobody claims').choices(UNCLAIMED_TO));

export function payoutRulesOf(options: PayoutOptions, base: PayoutRules): PayoutRules {
  const { payoutMode, challengeTime, claimTerm, unclaimedTo } = options;
  return {
    ...base,
    ...(payoutMode !== undefined && { mode: payoutMode }),
    ...(challengeTime !== undefined && { challengeMs: parseDuration(challengeTime, 'challenge-time') }),
    ...(claimTerm !== undefined && { claimTermMs: parseDuration(claimTerm, 'claim-term') }),
    ...(unclaimedTo !== undefined && { unclaimedTo }),
  };
}

export interface DataOptions {
  readonly onRevocation?: OnRevocation;
  readonly blobs?: BlobLifetime;
  readonly selfQueriesPay?: boolean;
}
export const withDataRules = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--on-revocation <what>',
        'what becomes of a running job when data that it uses is revoked, retired or its grant ends: it goes on without it, or ends and is refunded',
      ).choices(ON_REVOCATION),
    )
    .addOption(new Option('--blobs <lifetime>', 'whether owners can delete what they stored').choices(BLOB_LIFETIMES))
    .option('--self-queries-pay', 'contributors are paid for their own questions, too')
    .option('--no-self-queries-pay', 'contributors are not paid for their own questions');

export function dataRulesOf(options: DataOptions, base: DataRules): DataRules {
  return {
    onRevocation: options.onRevocation ?? base.onRevocation,
    blobs: options.blobs ?? base.blobs,
    selfQueriesPay: options.selfQueriesPay ?? base.selfQueriesPay,
  };
}

export interface TermsOptions {
  readonly kind?: ComputationKind[];
  readonly protection?: ProtectionKind[];
  readonly profile?: EvidenceProfile[];
  readonly resultTerm?: string;
  readonly maxSession?: string;
}
export const withTerms = (command: Command): Command =>
  command
    .addOption(new Option('--kind <kind...>', 'of computation').choices(COMPUTATION_KINDS))
    .addOption(new Option('--protection <kind...>', 'of the computation').choices(PROTECTION_KINDS))
    .addOption(new Option('--profile <kind...>', 'of evidence').choices(EVIDENCE_PROFILES))
    .option('--result-term <time>', 'how long an appraisal of a runner counts')
    .option('--max-session <time>', 'the longest session');

export function withTermsOf<P extends DaoPolicy>(options: TermsOptions, policy: P): P {
  const { kind, protection, profile, resultTerm, maxSession } = options;
  const appraisal = {
    ...policy.appraisal,
    ...(profile !== undefined && { profiles: profile }),
    ...(resultTerm !== undefined && { resultTermMs: parseDuration(resultTerm, 'result-term') }),
  };
  return {
    ...policy,
    appraisal,
    ...(kind !== undefined && { kinds: kind }),
    ...(protection !== undefined && { protections: protection }),
    ...(maxSession !== undefined && { maxJobTermMs: parseDuration(maxSession, 'max-session') }),
  };
}
