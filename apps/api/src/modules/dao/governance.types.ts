import { Field, Int, ObjectType } from '@nestjs/graphql';
import {
  PAYOUT_MODES,
  UNCLAIMED_TO,
  VOTING_KINDS,
  type PayoutMode,
  type UnclaimedTo,
  type VotingKind,
} from '@usufruct/protocol';
import { codeEnum, SafeInt } from '../../platform/graphql/index.js';

export const VotingKindEnum = codeEnum(
  'VotingKind',
  VOTING_KINDS,
  'Each member has one vote, or one for each unit that it has earned as a contributor (once somebody has earned any).',
);
export const PayoutModeEnum = codeEnum(
  'PayoutMode',
  PAYOUT_MODES,
  'Contributors are paid by each receipt with public weights, or by claims on epochs with private ones.',
);
export const UnclaimedToEnum = codeEnum('UnclaimedTo', UNCLAIMED_TO);

@ObjectType('Governance', { description: 'How a DAO decides. A proposal keeps the rules under which it was made.' })
export class GovernanceType {
  @Field(() => VotingKindEnum)
  voting!: VotingKind;
  @Field(() => Int, { description: 'The least part of all votes that must be cast, in basis points.' })
  quorumBps!: number;
  @Field(() => Int, { description: 'The least part of yes among yes and no, in basis points.' })
  approvalBps!: number;
  @Field(() => SafeInt)
  votingMs!: number;
  @Field(() => SafeInt, { description: 'From the end of voting until it can be executed.' })
  timelockMs!: number;
  @Field(() => SafeInt, { description: 'How long it can then be executed.' })
  executionMs!: number;
  @Field({ description: 'True: no role sets the policy, only votes do.' })
  policyByVoteOnly!: boolean;
}

@ObjectType('PayoutRules', {
  description: 'How the contributors’ part of new jobs is paid. A job keeps the mode under which it was funded.',
})
export class PayoutRulesType {
  @Field(() => PayoutModeEnum)
  mode!: PayoutMode;
  @Field(() => SafeInt, { description: 'How long holders may object to an epoch before it can be claimed from.' })
  challengeMs!: number;
  @Field(() => SafeInt, { description: 'How long payouts can be claimed after that.' })
  claimTermMs!: number;
  @Field(() => UnclaimedToEnum)
  unclaimedTo!: UnclaimedTo;
}
