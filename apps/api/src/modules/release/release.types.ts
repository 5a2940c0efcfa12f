import { Field, Int, ObjectType } from '@nestjs/graphql';
import type { Hex32 } from '@usufruct/kernel';
import { Base64, Hex32Scalar } from '../../platform/graphql/index.js';

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
}

@ObjectType('HolderSet')
export class HolderSetType {
  @Field(() => Hex32Scalar)
  holderSetId!: Hex32;
  @Field(() => [HolderMemberType])
  members!: HolderMemberType[];
  @Field(() => Int)
  threshold!: number;
  @Field(() => Int)
  version!: number;
}
