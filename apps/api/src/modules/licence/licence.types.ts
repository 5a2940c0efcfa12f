import { Field, ObjectType } from '@nestjs/graphql';
import type { DaoId, Hex32, LicenceId, TimestampMs } from '@usufruct/kernel';
import { connectionOf, Hex32Scalar, Node, TimestampMsScalar } from '../../platform/graphql/index.js';
import { LicenceTermsType } from '../governance/index.js';

@ObjectType('LicenceOffer', { implements: () => [Node], description: 'Made by vote; anybody may buy at its price.' })
export class LicenceOfferType extends Node {
  readonly __typename = 'LicenceOffer';
  @Field(() => Hex32Scalar, { description: 'The id of the proposal that made it.' })
  offerId!: LicenceId;
  @Field(() => Hex32Scalar)
  daoId!: DaoId;
  @Field(() => LicenceTermsType)
  terms!: LicenceTermsType;
  @Field(() => TimestampMsScalar)
  offeredAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar, { nullable: true })
  withdrawnAtMs!: TimestampMs | null;
}
export const LicenceOfferConnection = connectionOf(LicenceOfferType, 'LicenceOffer');

@ObjectType('Licence', { implements: () => [Node], description: 'Not transferable. For who is signed in.' })
export class LicenceType extends Node {
  readonly __typename = 'Licence';
  @Field(() => Hex32Scalar)
  licenceId!: LicenceId;
  @Field(() => Hex32Scalar)
  offerId!: LicenceId;
  @Field(() => Hex32Scalar)
  daoId!: DaoId;
  @Field(() => Hex32Scalar)
  licensee!: Hex32;
  @Field(() => LicenceTermsType, { description: 'As they were offered.' })
  terms!: LicenceTermsType;
  @Field(() => TimestampMsScalar)
  boughtAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar)
  expiresAtMs!: TimestampMs;
  @Field({ description: 'Not expired now.' })
  active!: boolean;
  @Field(() => Hex32Scalar)
  transaction!: Hex32;
}
export const LicenceConnection = connectionOf(LicenceType, 'Licence');
