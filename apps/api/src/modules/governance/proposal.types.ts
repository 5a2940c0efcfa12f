import { ArgsType, Field, InputType, Int, ObjectType } from '@nestjs/graphql';
import type { DaoId, Digest, Hex32, ProposalId, TimestampMs } from '@usufruct/kernel';
import {
  PROPOSAL_STATES,
  VOTE_CHOICES,
  type ProposalState,
  type ProposalView,
  type VoteChoice,
  type VotingKind,
} from '@usufruct/protocol';
import { resultUnion } from '../../platform/errors/index.js';
import {
  codeEnum,
  connectionOf,
  Hex32Scalar,
  Node,
  PageArgs,
  TimestampMsScalar,
  U64,
} from '../../platform/graphql/index.js';
import { VotingKindEnum } from '../dao/index.js';
import { ProposalEffectUnion, type ProposalEffectType } from './proposal-effect.types.js';

export const ProposalStateEnum = codeEnum(
  'ProposalState',
  PROPOSAL_STATES,
  'By the clock of this API; a passed proposal is timelocked, then executable, and lapses if nobody executes it.',
);
export const VoteChoiceEnum = codeEnum('VoteChoice', VOTE_CHOICES);

@ObjectType({ description: 'All in exact integers, as the chain counts.' })
export class Tally {
  @Field(() => U64)
  yesVotes!: bigint;
  @Field(() => U64)
  noVotes!: bigint;
  @Field(() => U64)
  abstainVotes!: bigint;
  @Field(() => U64)
  castVotes!: bigint;
  @Field(() => U64, { description: 'All votes there were when the proposal was made.' })
  totalVotes!: bigint;
  @Field(() => U64, { description: 'The least that must be cast.' })
  quorumVotes!: bigint;
  @Field()
  hasQuorum!: boolean;
  @Field(() => Int, { nullable: true, description: 'Yes among yes and no, rounded down; null before there is either.' })
  approvalBps!: number | null;
  @Field({ description: 'With the votes cast so far.' })
  passed!: boolean;
}

@ObjectType('Proposal', { implements: () => [Node] })
export class ProposalType extends Node {
  readonly __typename = 'Proposal';
  /** What fields are computed from. */
  view!: ProposalView;
  @Field(() => Hex32Scalar)
  proposalId!: ProposalId;
  @Field(() => Hex32Scalar)
  daoId!: DaoId;
  @Field(() => Int, { description: 'From 1, in its DAO.' })
  number!: number;
  @Field(() => Hex32Scalar)
  proposer!: Hex32;
  @Field(() => ProposalEffectUnion)
  effect!: ProposalEffectType;
  @Field({ description: 'The effect in plain words. What it means now is in changes.' })
  summary!: string;
  @Field(() => Hex32Scalar)
  descriptionHash!: Digest;
  @Field(() => ProposalStateEnum)
  state!: ProposalState;
  @Field(() => Tally)
  tally!: Tally;
  @Field(() => VotingKindEnum)
  voting!: VotingKind;
  @Field(() => Int)
  quorumBps!: number;
  @Field(() => Int)
  approvalBps!: number;
  @Field(() => Int, { description: 'Who may vote: members of an ordinal below this.' })
  memberCount!: number;
  @Field(() => TimestampMsScalar)
  createdAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar)
  votingEndsAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar)
  executableFromMs!: TimestampMs;
  @Field(() => TimestampMsScalar)
  executableUntilMs!: TimestampMs;
  @Field(() => TimestampMsScalar, { nullable: true })
  executedAtMs!: TimestampMs | null;
  @Field(() => Hex32Scalar, { nullable: true, description: 'The transaction that executed it.' })
  executedIn!: Hex32 | null;
}
export const ProposalConnection = connectionOf(ProposalType, 'Proposal');

@ObjectType('Vote')
export class VoteType {
  @Field(() => Hex32Scalar)
  voter!: Hex32;
  @Field(() => VoteChoiceEnum)
  choice!: VoteChoice;
  @Field(() => U64)
  votes!: bigint;
  @Field(() => Hex32Scalar)
  transaction!: Hex32;
  @Field(() => TimestampMsScalar)
  castAtMs!: TimestampMs;
}
export const VoteConnection = connectionOf(VoteType, 'Vote');

@ArgsType()
export class ProposalsArgs extends PageArgs {
  @Field(() => ProposalStateEnum, { nullable: true })
  state?: ProposalState | null;
}

@InputType()
export class DescribeProposalInput {
  @Field(() => Hex32Scalar)
  proposalId!: ProposalId;
  @Field()
  title!: string;
  @Field()
  description!: string;
}
export const DescribeProposalResult = resultUnion('DescribeProposalResult', ProposalType);
