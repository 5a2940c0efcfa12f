import { Field, ObjectType, registerEnumType } from '@nestjs/graphql';
import type { Digest, Hex32, TimestampMs } from '@usufruct/kernel';
import { Base64, Hex32Scalar, TimestampMsScalar } from '../../platform/graphql/index.js';

export const CheckStatus = { passed: 'passed', failed: 'failed', skipped: 'skipped' } as const;
export type CheckStatus = keyof typeof CheckStatus;
registerEnumType(CheckStatus, { name: 'CheckStatus' });

@ObjectType('Check', { description: 'One check of an appraisal. A skipped one says why; it is no pass.' })
export class CheckType {
  @Field()
  name!: string;
  @Field(() => CheckStatus)
  status!: CheckStatus;
  @Field({ description: 'Why it failed or was skipped; empty where there is nothing to say.' })
  detail!: string;
}

@ObjectType('CpuClaim', { description: 'What was proven of the processor and of the code on it.' })
export class CpuClaimType {
  @Field()
  tee!: string;
  @Field()
  measurement!: string;
  @Field()
  debug!: boolean;
  @Field(() => [String])
  tcbStatuses!: readonly string[];
  @Field(() => [String], { description: 'Those that apply although the policy accepts them.' })
  advisories!: readonly string[];
}

@ObjectType('GpuDevice')
export class GpuDeviceType {
  @Field()
  model!: string;
  @Field()
  driverVersion!: string;
  @Field()
  vbiosVersion!: string;
}

@ObjectType('GpuClaim', { description: 'What was proven of the GPUs. It says nothing about whose they are.' })
export class GpuClaimType {
  @Field(() => [GpuDeviceType])
  devices!: readonly GpuDeviceType[];
}

@ObjectType('BindingClaim', { description: 'What bonds processor, GPUs, keys and question.' })
export class BindingClaimType {
  @Field({ description: 'Hex of the combination of all challenges.' })
  challenge!: string;
  @Field(() => Hex32Scalar)
  jobId!: Hex32;
  @Field({ description: 'True if report data and event log vouch for exactly these GPUs.' })
  gpu!: boolean;
}

@ObjectType('MissingEndorsement')
export class MissingEndorsementType {
  @Field()
  name!: string;
  @Field()
  reason!: string;
}

@ObjectType('Endorsement', {
  description: 'Signed by a vendor of hardware, up to a root that every verifier has pinned.',
})
export class EndorsementType {
  @Field()
  name!: string;
  @Field(() => Base64)
  bytes!: string;
}

@ObjectType('SignedResult', {
  description: `The appraisal as claims under the names of RFC 9711, with the digest of each endorsement, signed by this
API as a verifier: for who has decided to rely on it, and knows its key from elsewhere.`,
})
export class SignedResultType {
  @Field(() => Base64, { description: 'JSON.' })
  claims!: string;
  @Field(() => Base64, { description: 'Ed25519, 32 bytes.' })
  verifier!: string;
  @Field(() => Base64)
  signature!: string;
}

@ObjectType('Appraisal', {
  description: `The API's own appraisal of the evidence, and everything that it was judged by, so that it can be judged
again: vendors sign the endorsements, and the measurement that the DAO approved on the chain pins the policy.`,
})
export class AppraisalType {
  @Field({ description: 'Every required check passed.' })
  ok!: boolean;
  @Field(() => [CheckType], { description: 'Every check: passed, failed, or skipped with its reason.' })
  checks!: readonly CheckType[];
  @Field(() => Hex32Scalar)
  policyDigest!: Digest;
  @Field(() => TimestampMsScalar)
  expiresAtMs!: TimestampMs;
  @Field({ description: 'True where a root or a TEE is a stand-in: good or not, it says nothing about hardware.' })
  standIn!: boolean;
  @Field(() => CpuClaimType, { nullable: true, description: 'Null unless every required check passed.' })
  cpu!: CpuClaimType | null;
  @Field(() => GpuClaimType, { nullable: true, description: 'Null, too, for a profile without GPUs.' })
  gpu!: GpuClaimType | null;
  @Field(() => BindingClaimType, { nullable: true })
  binding!: BindingClaimType | null;
  @Field(() => [MissingEndorsementType], { description: 'What the evidence needs and the API does not have.' })
  missing!: readonly MissingEndorsementType[];
  @Field(() => [EndorsementType])
  endorsements!: readonly EndorsementType[];
  @Field(() => String, { nullable: true, description: 'JSON: what the DAO asks of the hardware.' })
  teePolicy!: string | null;
  @Field(() => SignedResultType)
  signed!: SignedResultType;
}
