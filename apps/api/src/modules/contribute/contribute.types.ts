import { ArgsType, Field, ObjectType } from '@nestjs/graphql';
import type { Address, ContributionId, DatasetId, Digest, Hex32, TimestampMs } from '@usufruct/kernel';
import { CONTRIBUTION_STATES } from '@usufruct/protocol';
import {
  codeEnum,
  connectionOf,
  Hex32Scalar,
  Node,
  PageArgs,
  TimestampMsScalar,
} from '../../platform/graphql/index.js';
import { BlobReferenceType } from '../store/index.js';

export type ContributionState = (typeof CONTRIBUTION_STATES)[number];
export const ContributionStateEnum = codeEnum('ContributionState', CONTRIBUTION_STATES);

@ObjectType('Contribution', { implements: () => [Node] })
export class ContributionType extends Node {
  readonly __typename = 'Contribution';
  @Field(() => Hex32Scalar)
  contributionId!: ContributionId;
  @Field(() => Hex32Scalar)
  datasetId!: DatasetId;
  @Field(() => Hex32Scalar)
  owner!: Hex32;
  @Field(() => ContributionStateEnum)
  state!: ContributionState;
  @Field(() => Hex32Scalar)
  manifestDigest!: Digest;
  @Field(() => BlobReferenceType)
  manifestBlob!: BlobReferenceType;
  @Field(() => [BlobReferenceType])
  parts!: BlobReferenceType[];
  @Field(() => Hex32Scalar)
  holderSetId!: Hex32;
  @Field(() => Hex32Scalar)
  policyDigest!: Digest;
  @Field(() => TimestampMsScalar)
  registeredAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar, { nullable: true })
  decidedAtMs!: TimestampMs | null;
  @Field(() => TimestampMsScalar, {
    nullable: true,
    description: 'Since when no key of it may be released again: by its owner, for good.',
  })
  tombstonedAtMs!: TimestampMs | null;
}
export const ContributionConnection = connectionOf(ContributionType, 'Contribution');

@ArgsType()
export class DatasetContributionsArgs extends PageArgs {
  @Field(() => ContributionStateEnum, { nullable: true })
  state?: ContributionState | null;
}

@ArgsType()
export class ContributionsArgs extends DatasetContributionsArgs {
  @Field(() => Hex32Scalar, { nullable: true })
  owner?: Address | null;
  @Field(() => Hex32Scalar, { nullable: true })
  datasetId?: DatasetId | null;
}
