import { Field, ObjectType } from '@nestjs/graphql';
import type { Address, AmountUnits, DaoId, Digest, EpochId, Hex32, RunnerId, TimestampMs } from '@usufruct/kernel';
import type { UnclaimedTo } from '@usufruct/protocol';
import {
  Amount,
  codeEnum,
  connectionOf,
  Hex32Scalar,
  Node,
  SafeInt,
  TimestampMsScalar,
  U64,
} from '../../platform/graphql/index.js';
import { UnclaimedToEnum } from '../dao/index.js';

@ObjectType('ReceiptPool', { description: 'What private settlement has set aside for the contributors of a DAO.' })
export class ReceiptPoolType {
  daoId!: DaoId;
  @Field(() => Hex32Scalar, { description: 'The account that holds it; no key exists for it.' })
  account!: Hex32;
  @Field(() => U64)
  receiptCount!: bigint;
  @Field(() => Amount, { description: 'Set aside since the DAO began, paid out or not.' })
  pooledUnits!: AmountUnits;
  @Field(() => Hex32Scalar)
  receiptChain!: Digest;
  @Field(() => U64, {
    description: 'Receipts up to this are covered by an epoch that was not rejected, or were written off.',
  })
  coveredReceipts!: bigint;
  @Field(() => U64)
  epochCount!: bigint;
}

export type EpochPhase = 'challenge' | 'claimable' | 'lapsed' | 'rejected' | 'swept';
export const EpochPhaseEnum = codeEnum<EpochPhase>(
  'EpochPhase',
  ['challenge', 'claimable', 'lapsed', 'rejected', 'swept'],
  'By the clock of this API; lapsed is past its claim term and not yet swept.',
);

@ObjectType('Epoch', {
  implements: () => [Node],
  description: 'A division of private receipts. Its leaves are not here: each is for the account that it names.',
})
export class EpochType extends Node {
  readonly __typename = 'Epoch';
  @Field(() => Hex32Scalar)
  epochId!: EpochId;
  @Field(() => Hex32Scalar)
  daoId!: DaoId;
  @Field(() => U64, { description: 'From 1, one more than the last epoch that was not rejected.' })
  number!: bigint;
  @Field(() => SafeInt)
  attempt!: number;
  @Field(() => Hex32Scalar, { description: 'The runner that signed it.' })
  settler!: RunnerId;
  @Field(() => U64)
  fromReceipt!: bigint;
  @Field(() => U64)
  toReceipt!: bigint;
  @Field(() => Amount)
  totalUnits!: AmountUnits;
  @Field(() => Hex32Scalar, { description: 'RFC 6962 root over its leaves.' })
  root!: Digest;
  @Field(() => SafeInt)
  leafCount!: number;
  @Field(() => Amount)
  claimedUnits!: AmountUnits;
  @Field(() => EpochPhaseEnum)
  phase!: EpochPhase;
  @Field(() => [Hex32Scalar], { description: 'Operators of members of the holder set who objected.' })
  objections!: Address[];
  @Field(() => TimestampMsScalar)
  proposedAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar)
  challengeEndsAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar)
  claimableUntilMs!: TimestampMs;
  @Field(() => UnclaimedToEnum)
  unclaimedTo!: UnclaimedTo;
  @Field(() => TimestampMsScalar, { nullable: true, description: 'When it was rejected or swept.' })
  closedAtMs!: TimestampMs | null;
  @Field(() => Amount, { nullable: true, description: 'What nobody had claimed.' })
  sweptUnits!: AmountUnits | null;
}
export const EpochConnection = connectionOf(EpochType, 'Epoch');

@ObjectType('EpochClaim', { description: 'A leaf that was claimed: with that it is public.' })
export class EpochClaimType {
  @Field(() => SafeInt)
  index!: number;
  @Field(() => Hex32Scalar)
  account!: Hex32;
  @Field(() => Amount)
  amountUnits!: AmountUnits;
  @Field(() => Hex32Scalar)
  transaction!: Hex32;
  @Field(() => TimestampMsScalar)
  claimedAtMs!: TimestampMs;
}
export const EpochClaimConnection = connectionOf(EpochClaimType, 'EpochClaim');
