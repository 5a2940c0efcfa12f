import { Field, ObjectType } from '@nestjs/graphql';
import type { AmountUnits, ContributionId, Digest, Hex32, JobId, QuestionId, TimestampMs } from '@usufruct/kernel';
import { PAYEE_ROLES, type ComputationKind } from '@usufruct/protocol';
import {
  Amount,
  codeEnum,
  ComputationKindEnum,
  connectionOf,
  Hex32Scalar,
  Node,
  TimestampMsScalar,
  U64,
} from '../../platform/graphql/index.js';

export type PayeeRole = (typeof PAYEE_ROLES)[number];
export const PayeeRoleEnum = codeEnum('PayeeRole', PAYEE_ROLES);

@ObjectType('ReceiptUse')
export class ReceiptUseType {
  @Field(() => Hex32Scalar)
  contributionId!: ContributionId;
  @Field(() => Hex32Scalar)
  grantId!: Hex32;
  @Field(() => U64)
  weight!: bigint;
}

@ObjectType('Payout')
export class PayoutType {
  @Field(() => Hex32Scalar)
  account!: Hex32;
  @Field(() => PayeeRoleEnum)
  role!: PayeeRole;
  @Field(() => Hex32Scalar, { nullable: true })
  contributionId!: ContributionId | null;
  @Field(() => Amount)
  amountUnits!: AmountUnits;
}

@ObjectType('Receipt', {
  implements: () => [Node],
  description: "A settled receipt. For the requester, the DAO's administrators and the owners of what was used.",
})
export class ReceiptType extends Node {
  readonly __typename = 'Receipt';
  @Field(() => Hex32Scalar)
  jobId!: JobId;
  @Field(() => Hex32Scalar)
  questionId!: QuestionId;
  @Field(() => Hex32Scalar)
  receiptDigest!: Digest;
  @Field(() => Amount)
  priceUnits!: AmountUnits;
  @Field(() => U64, {
    nullable: true,
    description: 'Of a private settlement: its place among those of its DAO, from 1. Null where the uses are public.',
  })
  number!: bigint | null;
  @Field(() => Amount, {
    nullable: true,
    description: 'Of a private settlement: what was set aside for contributors, until an epoch divides it.',
  })
  pooledUnits!: AmountUnits | null;
  @Field(() => Hex32Scalar)
  transaction!: Hex32;
  @Field(() => TimestampMsScalar)
  settledAtMs!: TimestampMs;
}
export const ReceiptConnection = connectionOf(ReceiptType, 'Receipt');

@ObjectType({ description: 'One question that used a contribution, and what it paid.' })
export class Use {
  @Field(() => Hex32Scalar)
  contributionId!: ContributionId;
  @Field(() => Hex32Scalar)
  jobId!: JobId;
  @Field(() => Hex32Scalar)
  questionId!: QuestionId;
  @Field(() => Hex32Scalar)
  grantId!: Hex32;
  @Field(() => U64)
  weight!: bigint;
  @Field(() => Amount)
  amountUnits!: AmountUnits;
  @Field()
  purpose!: string;
  @Field(() => ComputationKindEnum)
  kind!: ComputationKind;
  @Field(() => Hex32Scalar)
  receiptDigest!: Digest;
  @Field(() => Hex32Scalar)
  transaction!: Hex32;
  @Field(() => TimestampMsScalar)
  atMs!: TimestampMs;
}
export const UseConnection = connectionOf(Use, 'Use');
