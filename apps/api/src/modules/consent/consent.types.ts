import { ArgsType, Field, ObjectType } from '@nestjs/graphql';
import type { AmountUnits, ContributionId, GrantId, Hex32, TimestampMs } from '@usufruct/kernel';
import type { ErrorCode } from '@usufruct/kernel';
import type { ComputationKind, ProtectionKind } from '@usufruct/protocol';
import { ErrorCodeEnum } from '../../platform/errors/index.js';
import {
  Amount,
  ComputationKindEnum,
  Hex32Scalar,
  Node,
  ProtectionKindEnum,
  TimestampMsScalar,
  U64,
} from '../../platform/graphql/index.js';

@ObjectType('Grant', { implements: () => [Node] })
export class GrantType extends Node {
  readonly __typename = 'Grant';
  @Field(() => Hex32Scalar)
  grantId!: GrantId;
  @Field(() => Hex32Scalar)
  contributionId!: ContributionId;
  @Field(() => Hex32Scalar)
  grantor!: Hex32;
  @Field(() => [String])
  purposes!: string[];
  @Field(() => [ComputationKindEnum])
  kinds!: ComputationKind[];
  @Field(() => [ProtectionKindEnum])
  protections!: ProtectionKind[];
  @Field(() => Amount)
  priceFloorUnits!: AmountUnits;
  @Field(() => U64)
  budgetMicroEpsilon!: bigint;
  @Field(() => TimestampMsScalar)
  expiresAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar)
  givenAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar, { nullable: true })
  revokedAtMs!: TimestampMs | null;
  @Field({ description: 'Neither revoked nor expired now.' })
  active!: boolean;
}

@ObjectType()
export class LeftOut {
  @Field(() => Hex32Scalar)
  contributionId!: ContributionId;
  @Field(() => ErrorCodeEnum)
  code!: ErrorCode;
}

@ArgsType()
export class UsableCountArgs {
  @Field()
  purpose!: string;
  @Field(() => ComputationKindEnum, { defaultValue: 'rag' })
  kind!: ComputationKind;
  @Field(() => ProtectionKindEnum, { defaultValue: 'tee' })
  protection!: ProtectionKind;
}
