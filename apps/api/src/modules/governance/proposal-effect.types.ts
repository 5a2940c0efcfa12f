import { createUnionType, Field, Int, ObjectType } from '@nestjs/graphql';
import type { AmountUnits, DatasetId, Hex32 } from '@usufruct/kernel';
import type {
  BlobLifetime,
  ComputationKind,
  OnRevocation,
  ProposalEffect,
  ProposalEffectKind,
  ProtectionKind,
  RoleName,
} from '@usufruct/protocol';
import { typeNameOf } from '../../platform/errors/index.js';
import {
  Amount,
  Base64,
  ComputationKindEnum,
  Hex32Scalar,
  ProtectionKindEnum,
  SafeInt,
  U64,
} from '../../platform/graphql/index.js';
import {
  BlobLifetimeEnum,
  GovernanceType,
  OnRevocationEnum,
  PayoutRulesType,
  RevenueSplit,
  RoleEnum,
} from '../dao/index.js';

@ObjectType('LicenceTerms', { description: 'The right to fund jobs of one kind on one dataset, until it ends.' })
export class LicenceTermsType {
  @Field(() => Hex32Scalar)
  datasetId!: DatasetId;
  @Field()
  purpose!: string;
  @Field(() => ComputationKindEnum)
  computation!: ComputationKind;
  @Field(() => ProtectionKindEnum)
  protection!: ProtectionKind;
  @Field(() => Amount)
  priceUnits!: AmountUnits;
  @Field(() => SafeInt)
  termMs!: number;
}

@ObjectType()
class SetPrice {
  @Field(() => Amount)
  pricePerQuestionUnits!: AmountUnits;
}
@ObjectType()
class SetPurposes {
  @Field(() => [String])
  purposes!: string[];
}
@ObjectType()
class SetSplit {
  @Field(() => RevenueSplit)
  split!: RevenueSplit;
}
@ObjectType()
class ApproveMeasurement {
  @Field()
  measurement!: string;
}
@ObjectType()
class WithdrawMeasurement extends ApproveMeasurement {}
@ObjectType()
class SetVerifiers {
  @Field(() => Hex32Scalar)
  holderSetId!: Hex32;
  @Field(() => Int)
  verifierThreshold!: number;
}
@ObjectType()
class SetTerms {
  @Field(() => [ComputationKindEnum])
  kinds!: ComputationKind[];
  @Field(() => [ProtectionKindEnum])
  protections!: ProtectionKind[];
  @Field(() => [String])
  profiles!: string[];
  @Field(() => SafeInt)
  resultTermMs!: number;
  @Field(() => SafeInt)
  maxJobTermMs!: number;
}
@ObjectType()
class SetGovernance {
  @Field(() => GovernanceType)
  governance!: GovernanceType;
}
@ObjectType()
class SetPayoutRules {
  @Field(() => PayoutRulesType)
  payoutRules!: PayoutRulesType;
}
@ObjectType()
class SpendTreasury {
  @Field(() => Hex32Scalar)
  to!: Hex32;
  @Field(() => Amount)
  amountUnits!: AmountUnits;
}
@ObjectType()
class SetRoles {
  @Field(() => Hex32Scalar)
  member!: Hex32;
  @Field(() => [RoleEnum])
  roles!: RoleName[];
}
@ObjectType()
class Unpause {
  @Field({ description: 'What the DAO is afterwards: false.' })
  paused!: boolean;
}
@ObjectType()
class RegisterSigner {
  @Field({ description: '`mpc-set` or `fhe-host`.' })
  signerKind!: string;
  @Field(() => [Base64])
  publicKeys!: string[];
  @Field(() => Hex32Scalar)
  payTo!: Hex32;
}
@ObjectType()
class WithdrawSigner {
  @Field(() => Hex32Scalar)
  signerId!: Hex32;
}
@ObjectType()
class TombstoneDataset {
  @Field(() => Hex32Scalar)
  datasetId!: DatasetId;
}
@ObjectType({ description: "The offer's id is the proposal's." })
class OfferLicence {
  @Field(() => LicenceTermsType)
  terms!: LicenceTermsType;
}
@ObjectType()
class WithdrawLicenceOffer {
  @Field(() => Hex32Scalar)
  offerId!: Hex32;
}
@ObjectType({ description: "The contributors' part of private receipts that nobody could divide, to the treasury." })
class WriteOffReceipts {
  @Field(() => U64)
  fromReceipt!: bigint;
  @Field(() => U64)
  toReceipt!: bigint;
}

@ObjectType()
class SetDataRules {
  @Field(() => OnRevocationEnum)
  onRevocation!: OnRevocation;
  @Field(() => BlobLifetimeEnum)
  blobs!: BlobLifetime;
  @Field()
  selfQueriesPay!: boolean;
}

/** One GraphQL type for each effect of the protocol: a new one without a type does not compile. */
const TYPES = {
  setPrice: SetPrice,
  setPurposes: SetPurposes,
  setSplit: SetSplit,
  approveMeasurement: ApproveMeasurement,
  withdrawMeasurement: WithdrawMeasurement,
  setVerifiers: SetVerifiers,
  setTerms: SetTerms,
  setGovernance: SetGovernance,
  setPayoutRules: SetPayoutRules,
  spendTreasury: SpendTreasury,
  setRoles: SetRoles,
  unpause: Unpause,
  registerSigner: RegisterSigner,
  withdrawSigner: WithdrawSigner,
  tombstoneDataset: TombstoneDataset,
  offerLicence: OfferLicence,
  withdrawLicenceOffer: WithdrawLicenceOffer,
  writeOffReceipts: WriteOffReceipts,
  setDataRules: SetDataRules,
} satisfies Record<ProposalEffectKind, new () => object>;
const types = Object.values(TYPES);

export const ProposalEffectUnion = createUnionType({
  name: 'ProposalEffect',
  description: 'What a proposal does when it is executed, to the policy of that moment.',
  types: () => types,
  resolveType: typeNameOf,
});

/** An effect as the chain tells it, less what GraphQL has types of its own for. */
export type ProposalEffectType = { readonly __typename: string } & Readonly<Record<string, unknown>>;
export const effectTypeOf = (kind: ProposalEffect['kind']): string => TYPES[kind].name;
