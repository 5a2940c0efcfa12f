import { Field, Int, ObjectType, InputType } from '@nestjs/graphql';
import type { AmountUnits, DaoId, DatasetId, Digest, Hex32, TimestampMs } from '@usufruct/kernel';
import {
  BLOB_LIFETIMES,
  ON_REVOCATION,
  type BlobLifetime,
  type ComputationKind,
  type OnRevocation,
  type ProtectionKind,
} from '@usufruct/protocol';
import { resultUnion } from '../../platform/errors/index.js';
import {
  Amount,
  codeEnum,
  ComputationKindEnum,
  connectionOf,
  Hex32Scalar,
  Node,
  ProtectionKindEnum,
  SafeInt,
  TimestampMsScalar,
} from '../../platform/graphql/index.js';
import { GovernanceType, PayoutRulesType } from './governance.types.js';

export const OnRevocationEnum = codeEnum(
  'OnRevocation',
  ON_REVOCATION,
  'What becomes of a running job when a contribution that it uses is no longer allowed: it goes on without it, or ends.',
);
export const BlobLifetimeEnum = codeEnum(
  'BlobLifetime',
  BLOB_LIFETIMES,
  'How contributions are stored: so that their owners can delete them, or so that nobody can before the lease ends.',
);

@ObjectType()
export class RevenueSplit {
  @Field(() => Int)
  contributorsBps!: number;
  @Field(() => Int)
  treasuryBps!: number;
  @Field(() => Int)
  runnerBps!: number;
  @Field(() => Int)
  protocolBps!: number;
}

@ObjectType('AppraisalPolicy')
export class AppraisalPolicyType {
  @Field(() => Int)
  version!: number;
  @Field(() => [String])
  profiles!: string[];
  @Field(() => [String])
  measurements!: string[];
  @Field(() => SafeInt)
  resultTermMs!: number;
}

@ObjectType('DaoPolicy')
export class DaoPolicyType {
  @Field(() => Amount)
  pricePerQuestionUnits!: AmountUnits;
  @Field(() => [String])
  purposes!: string[];
  @Field(() => [ComputationKindEnum])
  kinds!: ComputationKind[];
  @Field(() => [ProtectionKindEnum])
  protections!: ProtectionKind[];
  @Field(() => RevenueSplit)
  split!: RevenueSplit;
  @Field(() => Hex32Scalar)
  holderSetId!: Hex32;
  @Field(() => AppraisalPolicyType)
  appraisal!: AppraisalPolicyType;
  @Field(() => Int)
  verifierThreshold!: number;
  @Field(() => SafeInt)
  maxJobTermMs!: number;
  @Field(() => OnRevocationEnum)
  onRevocation!: OnRevocation;
  @Field(() => BlobLifetimeEnum)
  blobs!: BlobLifetime;
  @Field({ description: "Whether a question asked by a contributor's own address may pay that contributor." })
  selfQueriesPay!: boolean;
}

@ObjectType('AnswerRules', { description: 'What answers from a dataset may show of it; runners keep to them.' })
export class AnswerRulesType {
  @Field(() => SafeInt, { description: 'Characters that one answer may quote of one contribution; 0 for no limit.' })
  maxQuoteChars!: number;
  @Field(() => Int, { description: 'How many contributors an answer must rest on; 0 or 1 for no such rule.' })
  minContributors!: number;
  @Field(() => Int, {
    description: 'Share of the chunks that one asker may be shown in sum, in basis points; 0 or 10,000 for no limit.',
  })
  maxReachBps!: number;
}

@ObjectType('Dao', { implements: () => [Node] })
export class DaoType extends Node {
  readonly __typename = 'Dao';
  @Field(() => Hex32Scalar)
  daoId!: DaoId;
  @Field(() => Hex32Scalar)
  founder!: Hex32;
  @Field(() => Hex32Scalar)
  treasury!: Hex32;
  @Field(() => Hex32Scalar)
  metadataHash!: Digest;
  @Field(() => Int)
  policyVersion!: number;
  @Field(() => Hex32Scalar)
  policyDigest!: Digest;
  @Field(() => DaoPolicyType)
  policy!: DaoPolicyType;
  @Field(() => GovernanceType)
  governance!: GovernanceType;
  @Field(() => PayoutRulesType)
  payoutRules!: PayoutRulesType;
  @Field({ description: 'Nothing new begins while it is; only a vote ends it.' })
  paused!: boolean;
  @Field(() => Int)
  proposalCount!: number;
  @Field(() => TimestampMsScalar)
  createdAtMs!: TimestampMs;
}

@ObjectType('Dataset', { implements: () => [Node] })
export class DatasetType extends Node {
  readonly __typename = 'Dataset';
  @Field(() => Hex32Scalar)
  datasetId!: DatasetId;
  @Field(() => Hex32Scalar)
  daoId!: DaoId;
  @Field(() => Hex32Scalar)
  metadataHash!: Digest;
  @Field(() => AnswerRulesType)
  answerRules!: AnswerRulesType;
  @Field(() => TimestampMsScalar)
  createdAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar, {
    nullable: true,
    description: 'Since when nothing new may be done with it, by vote and for good.',
  })
  tombstonedAtMs!: TimestampMs | null;
}

export const DaoConnection = connectionOf(DaoType, 'Dao');
export const DatasetConnection = connectionOf(DatasetType, 'Dataset');

@InputType()
export class DescribeDaoInput {
  @Field(() => Hex32Scalar)
  daoId!: DaoId;
  @Field()
  title!: string;
  @Field()
  description!: string;
}

@InputType()
export class DescribeDatasetInput {
  @Field(() => Hex32Scalar)
  datasetId!: DatasetId;
  @Field()
  title!: string;
  @Field()
  description!: string;
}

export const DescribeDaoResult = resultUnion('DescribeDaoResult', DaoType);
export const DescribeDatasetResult = resultUnion('DescribeDatasetResult', DatasetType);
