import { ArgsType, Field, InputType, Int, ObjectType } from '@nestjs/graphql';
import type { AmountUnits, DaoId, Digest, Hex32, TimestampMs } from '@usufruct/kernel';
import { ROLE_NAMES, type RoleName } from '@usufruct/protocol';
import { resultUnion } from '../../platform/errors/index.js';
import {
  codeEnum,
  connectionOf,
  Hex32Scalar,
  Node,
  PageArgs,
  TimestampMsScalar,
} from '../../platform/graphql/index.js';

export const RoleEnum = codeEnum('Role', ROLE_NAMES);

@ObjectType('Member', { implements: () => [Node] })
export class MemberType extends Node {
  readonly __typename = 'Member';
  @Field(() => Hex32Scalar)
  daoId!: DaoId;
  @Field(() => Hex32Scalar)
  address!: Hex32;
  @Field(() => [RoleEnum])
  roles!: RoleName[];
  @Field(() => Int, {
    description: 'From 0, in order of joining: a proposal counts the members of an ordinal below its memberCount.',
  })
  ordinal!: number;
  /** Shown by a resolver of its own. */
  earnedUnits!: AmountUnits;
  @Field(() => TimestampMsScalar)
  joinedAtMs!: TimestampMs;
}
export const MemberConnection = connectionOf(MemberType, 'Member');

export type ApplicationState = 'pending' | 'accepted' | 'declined';
export const ApplicationStateEnum = codeEnum<ApplicationState>('ApplicationState', ['pending', 'accepted', 'declined']);

@ObjectType('Application', { description: 'Somebody asks to become a member of a DAO.' })
export class ApplicationType {
  readonly __typename = 'Application';
  @Field(() => Hex32Scalar)
  daoId!: DaoId;
  @Field(() => Hex32Scalar)
  applicant!: Hex32;
  @Field(() => Hex32Scalar)
  statementHash!: Digest;
  @Field(() => ApplicationStateEnum)
  state!: ApplicationState;
  @Field(() => TimestampMsScalar)
  appliedAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar, { nullable: true })
  decidedAtMs!: TimestampMs | null;
}
export const ApplicationConnection = connectionOf(ApplicationType, 'Application');

@ArgsType()
export class ApplicationsArgs extends PageArgs {
  @Field(() => ApplicationStateEnum, { nullable: true })
  state?: ApplicationState | null;
}

@InputType()
export class DescribeApplicationInput {
  @Field(() => Hex32Scalar)
  daoId!: DaoId;
  @Field()
  statement!: string;
}
export const DescribeApplicationResult = resultUnion('DescribeApplicationResult', ApplicationType);
