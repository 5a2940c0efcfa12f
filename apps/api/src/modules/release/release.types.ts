import { Field, Int, ObjectType } from '@nestjs/graphql';
import type { Hex32, TimestampMs } from '@usufruct/kernel';
import { Base64, connectionOf, Hex32Scalar, Node, TimestampMsScalar } from '../../platform/graphql/index.js';

@ObjectType('HolderMember')
export class HolderMemberType {
  @Field(() => Int)
  index!: number;
  @Field(() => Hex32Scalar)
  operator!: Hex32;
  @Field(() => Base64)
  signingPublicKey!: string;
  @Field(() => Base64)
  sealingPublicKey!: string;
  @Field({ description: 'Retired for good: it counts for nothing.' })
  tombstoned!: boolean;
}

@ObjectType('HolderSet', { implements: () => [Node], description: 'Who holds the shares, as the newest version says.' })
export class HolderSetType extends Node {
  readonly __typename = 'HolderSet';
  @Field(() => Hex32Scalar)
  holderSetId!: Hex32;
  @Field(() => [HolderMemberType])
  members!: HolderMemberType[];
  @Field(() => Int)
  threshold!: number;
  @Field(() => Int)
  version!: number;
  @Field(() => [Base64], { description: 'Signing keys of members of any version that were retired for good.' })
  tombstonedKeys!: string[];
}

@ObjectType('HolderSetVersion', { description: 'A holder set as it was made or rotated.' })
export class HolderSetVersionType {
  @Field(() => Int)
  version!: number;
  @Field(() => [HolderMemberType])
  members!: HolderMemberType[];
  @Field(() => Int)
  threshold!: number;
  @Field(() => Hex32Scalar)
  transaction!: Hex32;
  @Field(() => TimestampMsScalar)
  madeAtMs!: TimestampMs;
}
export const HolderSetVersionConnection = connectionOf(HolderSetVersionType, 'HolderSetVersion');

@ObjectType({ description: 'Who must have appraised a runner, and countersigned an epoch, for a DAO.' })
export class Verifiers {
  holderSetId!: Hex32;
  @Field(() => Int, { description: 'So many different members of the holder set must have signed.' })
  threshold!: number;
}
