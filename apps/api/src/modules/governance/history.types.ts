import { ArgsType, Field, ObjectType } from '@nestjs/graphql';
import type { Hex32, TimestampMs } from '@usufruct/kernel';
import { zChainEventData, type ChainEventData } from '@usufruct/protocol';
import {
  codeEnum,
  connectionOf,
  Hex32Scalar,
  PageArgs,
  SafeInt,
  TimestampMsScalar,
} from '../../platform/graphql/index.js';

export type ChainEventType = ChainEventData['type'];
export const CHAIN_EVENT_TYPES: readonly ChainEventType[] = zChainEventData.options.map(
  ({ shape }) => shape.type.value,
);
export const ChainEventTypeEnum = codeEnum('ChainEventType', CHAIN_EVENT_TYPES);

@ObjectType('DaoEvent', { description: 'Something that the chain says has happened in a DAO.' })
export class DaoEventType {
  @Field(() => SafeInt, { description: 'Position in the chain’s stream of events.' })
  seq!: number;
  @Field(() => ChainEventTypeEnum)
  type!: ChainEventType;
  @Field(() => Hex32Scalar, { nullable: true, description: 'What, or whom, it is about.' })
  subject!: Hex32 | null;
  @Field(() => Hex32Scalar)
  sender!: Hex32;
  @Field(() => Hex32Scalar)
  transaction!: Hex32;
  @Field(() => TimestampMsScalar)
  atMs!: TimestampMs;
  @Field(() => String, {
    nullable: true,
    description:
      "JSON of the protocol's ChainEventData. Null for what is about people and their money: other fields show that to those whom it concerns.",
  })
  data!: string | null;
}
export const DaoEventConnection = connectionOf(DaoEventType, 'DaoEvent');

@ArgsType()
export class DaoEventsArgs extends PageArgs {
  @Field(() => [ChainEventTypeEnum], { nullable: true })
  types?: ChainEventType[] | null;
}
