import { Field, Int, ObjectType } from '@nestjs/graphql';
import type { Address, AmountUnits, ContributionId, ErrorCode, TimestampMs } from '@usufruct/kernel';
import { ErrorCodeEnum, resultUnion } from '../../platform/errors/index.js';
import { Amount, codeEnum, Hex32Scalar, TimestampMsScalar } from '../../platform/graphql/index.js';
import { LEASE_LEVELS, type LeaseLevel } from './lease-terms.js';
import { WARNING_LEVELS, type WarningLevel } from './lease-warnings.js';

export const LeaseLevelEnum = codeEnum(
  'LeaseLevel',
  LEASE_LEVELS,
  'How near the end of a lease is: at most 30 % of it is left, at most 10 %, nothing.',
);
export const LeaseWarningLevelEnum = codeEnum('LeaseWarningLevel', WARNING_LEVELS);
const AVAILABILITIES = ['unknown', 'readable', 'suspected', 'lost'] as const;
export type Availability = (typeof AVAILABILITIES)[number];
export const AvailabilityEnum = codeEnum(
  'Availability',
  AVAILABILITIES,
  'By samples, not by proof: the newest was readable; some were not there; none was there often enough to call it lost.',
);

@ObjectType('ContributionStorage')
export class ContributionStorageType {
  @Field(() => Int, { description: 'The first storage epoch in which the store need not keep it.' })
  leaseEndEpoch!: number;
  @Field(() => Int, { nullable: true, description: "The store's epoch of now, as it said last." })
  epoch!: number | null;
  @Field(() => LeaseLevelEnum, { nullable: true })
  level!: LeaseLevel | null;
  @Field(() => AvailabilityEnum)
  availability!: Availability;
  @Field(() => TimestampMsScalar, { nullable: true })
  sampledAtMs!: TimestampMs | null;
  @Field({ description: 'The keeper is making the lease longer.' })
  renewing!: boolean;
  @Field(() => ErrorCodeEnum, { nullable: true, description: 'Why the keeper could not make it longer the last time.' })
  notRenewed!: ErrorCode | null;
  @Field(() => Amount, { description: 'What the keeper has charged the DAO for it so far.' })
  costUnits!: AmountUnits;
}

@ObjectType('StorageCost')
export class StorageCostType {
  @Field(() => Hex32Scalar)
  owner!: Address;
  @Field(() => Amount)
  costUnits!: AmountUnits;
}

@ObjectType('DaoStorage', { description: "The lease keeper's book for this DAO." })
export class DaoStorageType {
  @Field(() => Hex32Scalar, { description: 'Whom the treasury pays for storage, by vote.' })
  keeper!: Address;
  @Field({ description: 'The keeper renews leases here: it is configured to, and the DAO has made it a steward.' })
  renews!: boolean;
  @Field(() => Int, { description: 'For how many epochs from now it renews.' })
  renewEpochs!: number;
  @Field(() => Amount, { description: 'For each MiB that is begun, and each epoch.' })
  unitsPerMibEpoch!: AmountUnits;
  @Field(() => Amount)
  fundedUnits!: AmountUnits;
  @Field(() => Amount)
  spentUnits!: AmountUnits;
  @Field(() => Amount, { description: 'Set aside for renewals that are under way.' })
  reservedUnits!: AmountUnits;
  @Field(() => Amount)
  availableUnits!: AmountUnits;
  @Field(() => [StorageCostType], { description: 'The hundred contributors whose storage cost most.' })
  costs!: StorageCostType[];
}

@ObjectType('LeaseWarning')
export class LeaseWarningType {
  @Field(() => Hex32Scalar)
  contributionId!: ContributionId;
  @Field(() => LeaseWarningLevelEnum)
  level!: WarningLevel;
  @Field(() => Int)
  endEpoch!: number;
  @Field(() => TimestampMsScalar)
  warnedAtMs!: TimestampMs;
}

@ObjectType()
export class LeaseKeeperInvited {
  readonly __typename = 'LeaseKeeperInvited';
  @Field(() => Hex32Scalar, { description: 'Accept its application, then make it a steward.' })
  keeper!: Address;
}
export const InviteLeaseKeeperResult = resultUnion('InviteLeaseKeeperResult', LeaseKeeperInvited);
