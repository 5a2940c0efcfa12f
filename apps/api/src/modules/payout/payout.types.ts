import { ArgsType, Field, Int, ObjectType } from '@nestjs/graphql';
import type {
  Address,
  AmountUnits,
  ContributionId,
  EpochId,
  Hex32,
  JobId,
  QuestionId,
  TimestampMs,
} from '@usufruct/kernel';
import {
  Amount,
  codeEnum,
  connectionOf,
  Hex32Scalar,
  PageArgs,
  SafeInt,
  TimestampMsScalar,
} from '../../platform/graphql/index.js';

export type LedgerDirection = 'debit' | 'credit';
export const LedgerDirectionEnum = codeEnum<LedgerDirection>('LedgerDirection', ['debit', 'credit']);

@ObjectType('LedgerEntry', { description: 'One side of a double entry, derived from chain events.' })
export class LedgerEntryType {
  @Field({ description: 'An address, or the escrow of a job.' })
  account!: string;
  @Field()
  counterAccount!: string;
  @Field(() => LedgerDirectionEnum)
  direction!: LedgerDirection;
  @Field(() => Amount)
  amountUnits!: AmountUnits;
  @Field()
  reason!: string;
  @Field(() => Hex32Scalar, { nullable: true })
  jobId!: JobId | null;
  @Field(() => Hex32Scalar, { nullable: true })
  questionId!: QuestionId | null;
  @Field(() => Hex32Scalar, { nullable: true })
  contributionId!: ContributionId | null;
  @Field(() => Hex32Scalar, { nullable: true })
  epochId!: EpochId | null;
  @Field(() => SafeInt)
  eventSeq!: number;
  @Field(() => Hex32Scalar)
  transaction!: Hex32;
  @Field(() => TimestampMsScalar)
  atMs!: TimestampMs;
}
export const LedgerEntryConnection = connectionOf(LedgerEntryType, 'LedgerEntry');

@ObjectType()
export class Balance {
  @Field(() => Hex32Scalar)
  account!: Address;
  @Field(() => Amount)
  amountUnits!: AmountUnits;
  @Field(() => SafeInt, { description: 'The last chain event that is counted.' })
  asOfSeq!: number;
}

@ObjectType()
export class BalanceMismatch {
  @Field()
  account!: string;
  @Field(() => Amount)
  projectedUnits!: AmountUnits;
  @Field(() => Amount)
  chainUnits!: AmountUnits;
}

@ObjectType({
  description: 'Whether the projection and the chain agree to the last unit, for the accounts of who asks.',
})
export class Reconciliation {
  @Field()
  agrees!: boolean;
  @Field(() => SafeInt)
  asOfSeq!: number;
  @Field(() => Int)
  accountsChecked!: number;
  @Field(() => [BalanceMismatch])
  mismatches!: BalanceMismatch[];
}

@ArgsType()
export class LedgerArgs extends PageArgs {
  @Field(() => Hex32Scalar)
  account!: Address;
}
