import { Field, ObjectType } from '@nestjs/graphql';
import type { EvidenceBundle } from '@usufruct/protocol';
import type { DaoId, Digest, Hex32, JobId, RunnerId, TimestampMs } from '@usufruct/kernel';
import { resultUnion } from '../../platform/errors/index.js';
import { Base64, Hex32Scalar, Node, TimestampMsScalar } from '../../platform/graphql/index.js';

@ObjectType('Runner', { implements: () => [Node] })
export class RunnerType extends Node {
  readonly __typename = 'Runner';
  @Field(() => Hex32Scalar)
  runnerId!: RunnerId;
  @Field(() => Hex32Scalar)
  daoId!: DaoId;
  @Field()
  profile!: string;
  @Field()
  measurement!: string;
  @Field(() => Base64)
  signingPublicKey!: string;
  @Field(() => Base64)
  hpkePublicKey!: string;
  @Field(() => Hex32Scalar)
  appraisalPolicyDigest!: Digest;
  @Field(() => Hex32Scalar)
  payTo!: Hex32;
  @Field(() => TimestampMsScalar)
  registeredAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar)
  expiresAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar, {
    nullable: true,
    description: 'Since when it counts for nothing, for good: it signed two different statements.',
  })
  withdrawnAtMs!: TimestampMs | null;
  @Field({
    description: 'True for the software TEE, and for every runner where this API judges under generated roots.',
  })
  standIn!: boolean;
}

@ObjectType('Signer', { implements: () => [Node], description: 'Registered by vote; withdrawn, it counts no more.' })
export class SignerType extends Node {
  readonly __typename = 'Signer';
  @Field(() => Hex32Scalar)
  signerId!: Hex32;
  @Field(() => Hex32Scalar)
  daoId!: DaoId;
  @Field({ description: '`mpc-set` or `fhe-host`.' })
  signerKind!: string;
  @Field(() => [Base64])
  publicKeys!: string[];
  @Field(() => Hex32Scalar)
  payTo!: Hex32;
  @Field(() => TimestampMsScalar)
  registeredAtMs!: TimestampMs;
  @Field(() => TimestampMsScalar, { nullable: true })
  withdrawnAtMs!: TimestampMs | null;
}

@ObjectType({
  description: `Evidence of the job's runner for the caller's nonce. The API relays it; what it thinks of it is
\`appraisal\`, on which nobody who can appraise evidence needs to rely.`,
})
export class Attestation {
  readonly __typename = 'Attestation';
  @Field(() => Hex32Scalar)
  runnerId!: Hex32;
  @Field({ description: "JSON of the protocol's EvidenceBundle: verify it yourself." })
  bundle!: string;
  /** What the appraisal needs, for whoever asks for it. */
  readonly asked!: { readonly jobId: JobId; readonly nonce: Uint8Array; readonly evidence: EvidenceBundle };
}

export const AttestationAnswer = resultUnion('AttestationAnswer', Attestation);
