import { Field, Int, ObjectType } from '@nestjs/graphql';
import type { Digest, Hex32, TimestampMs } from '@usufruct/kernel';
import { UPGRADE_STATES, type UpgradeState } from '@usufruct/protocol';
import { codeEnum, connectionOf, Hex32Scalar, SafeInt, TimestampMsScalar } from '../../platform/graphql/index.js';

export const UpgradeStateEnum = codeEnum(
  'UpgradeState',
  UPGRADE_STATES,
  'By the clock of this API; announced waits for its delay, usable can happen any moment, lapsed was not used in time.',
);

@ObjectType('UpgradeTimelock', { description: 'Where the right to upgrade the contracts lies.' })
export class UpgradeTimelockType {
  @Field(() => Hex32Scalar)
  timelockId!: Hex32;
  @Field(() => Hex32Scalar, { description: 'The version that runs.' })
  packageId!: Hex32;
  @Field(() => Int, { description: 'From 1.' })
  version!: number;
  @Field(() => SafeInt, { description: 'Between the announcement of an upgrade and its use, at least.' })
  delayMs!: number;
  @Field(() => TimestampMsScalar)
  lockedAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar, { nullable: true, description: 'The right was destroyed: no upgrades any more.' })
  immutableAtMs!: TimestampMs | null;
}

@ObjectType('PackageUpgrade', { description: 'An announced upgrade of the contracts.' })
export class PackageUpgradeType {
  @Field(() => Hex32Scalar, { description: 'Of the new modules and dependencies: compile them and compare.' })
  digest!: Digest;
  @Field(() => UpgradeStateEnum)
  state!: UpgradeState;
  @Field(() => TimestampMsScalar)
  announcedAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar, { description: 'It can be used from this time.' })
  readyAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar, { description: 'It can be used before this time.' })
  lapsesAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar, { nullable: true, description: 'When it was used, cancelled, or made impossible.' })
  closedAtMs!: TimestampMs | null;
  @Field(() => Hex32Scalar, { nullable: true, description: 'The package that it made.' })
  packageId!: Hex32 | null;
  @Field(() => Int, { nullable: true })
  version!: number | null;
  @Field(() => Hex32Scalar, { description: 'That announced it.' })
  transaction!: Digest;
}
export const PackageUpgradeConnection = connectionOf(PackageUpgradeType, 'PackageUpgrade');
