import { Field, Int, ObjectType } from '@nestjs/graphql';
import type { Hex32 } from '@usufruct/kernel';
import { Hex32Scalar, SafeInt } from '../../platform/graphql/index.js';

@ObjectType()
export class Coin {
  @Field()
  type!: string;
  @Field()
  symbol!: string;
  @Field(() => Int)
  decimals!: number;
}

@ObjectType('ChainInfo')
export class ChainInfoType {
  @Field()
  chainId!: string;
  @Field(() => Hex32Scalar)
  packageId!: Hex32;
  @Field(() => Hex32Scalar)
  registryId!: Hex32;
  @Field(() => Coin)
  coin!: Coin;
  @Field(() => Hex32Scalar)
  protocolAccount!: Hex32;
  @Field({ description: 'True for the local chain: a stand-in for Sui.' })
  standIn!: boolean;
  @Field(() => SafeInt, { description: 'The last chain event that the projection has applied.' })
  projectedSeq!: number;
}
