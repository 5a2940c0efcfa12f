import { ArgsType, Field, InputType, Int, ObjectType } from '@nestjs/graphql';
import type { AmountUnits, DatasetId, Hex32, JobId, QuestionId, TimestampMs } from '@usufruct/kernel';
import {
  JOB_STATES,
  type ComputationKind,
  type JobState,
  type PayoutMode,
  type ProtectionKind,
} from '@usufruct/protocol';
import { Detail, ErrorInfo, resultUnion } from '../../platform/errors/index.js';
import {
  Amount,
  Base64,
  codeEnum,
  ComputationKindEnum,
  connectionOf,
  Hex32Scalar,
  Node,
  ProtectionKindEnum,
  SafeInt,
  TimestampMsScalar,
} from '../../platform/graphql/index.js';
import { LeftOut } from '../consent/index.js';
import { PayoutModeEnum, RevenueSplit } from '../dao/index.js';

export const JobStateEnum = codeEnum(
  'JobState',
  JOB_STATES,
  'The chain knows funded, succeeded, cancelled and expired; the rest is progress, told by the runner.',
);

@ObjectType()
export class Quote {
  readonly __typename = 'Quote';
  @Field(() => Hex32Scalar)
  datasetId!: DatasetId;
  @Field()
  purpose!: string;
  @Field(() => ComputationKindEnum)
  kind!: ComputationKind;
  @Field(() => ProtectionKindEnum)
  protection!: ProtectionKind;
  @Field(() => Int)
  policyVersion!: number;
  @Field(() => Amount)
  pricePerQuestionUnits!: AmountUnits;
  @Field(() => Int)
  maxQuestions!: number;
  @Field(() => SafeInt)
  termMs!: number;
  @Field(() => Amount, { description: 'What fundJob locks: price times questions.' })
  escrowUnits!: AmountUnits;
  @Field(() => Int)
  usableContributions!: number;
  @Field(() => [LeftOut], { description: 'Accepted contributions that this use may not touch, and why.' })
  leftOut!: LeftOut[];
}

@ObjectType('Job', { implements: () => [Node] })
export class JobType extends Node {
  readonly __typename = 'Job';
  @Field(() => Hex32Scalar)
  jobId!: JobId;
  @Field(() => Hex32Scalar)
  datasetId!: DatasetId;
  @Field(() => Hex32Scalar)
  requester!: Hex32;
  @Field()
  purpose!: string;
  @Field(() => ComputationKindEnum)
  kind!: ComputationKind;
  @Field(() => ProtectionKindEnum)
  protection!: ProtectionKind;
  @Field(() => Int)
  policyVersion!: number;
  @Field(() => Amount)
  pricePerQuestionUnits!: AmountUnits;
  @Field(() => Int)
  maxQuestions!: number;
  @Field(() => Int)
  questionsSettled!: number;
  @Field(() => PayoutModeEnum, {
    nullable: true,
    description: 'As the DAO’s payout rules had it when the job was funded; null until then.',
  })
  payoutMode!: PayoutMode | null;
  @Field(() => Amount, { description: 'Still locked on the chain; zero before funding and after the end.' })
  escrowUnits!: AmountUnits;
  @Field(() => Amount, { nullable: true, description: 'Paid back at the end of the job; null before.' })
  refundUnits!: AmountUnits | null;
  @Field(() => RevenueSplit, {
    nullable: true,
    description: 'Who is paid what part of each receipt: fixed when the job was funded; null before.',
  })
  split!: RevenueSplit | null;
  @Field(() => Base64, { nullable: true, description: 'Null until the job is funded, like the two times.' })
  clientPublicKey!: string | null;
  @Field(() => TimestampMsScalar, { nullable: true })
  fundedAtMs!: TimestampMs | null;
  @Field(() => TimestampMsScalar, { nullable: true })
  expiresAtMs!: TimestampMs | null;
  @Field(() => JobStateEnum)
  state!: JobState;
  @Field(() => Int)
  lastEventSeq!: number;
  @Field(() => Hex32Scalar, { nullable: true })
  runnerId!: Hex32 | null;
  @Field(() => Int, { nullable: true })
  documents!: number | null;
  @Field(() => Int, { nullable: true })
  chunks!: number | null;
  @Field(() => [LeftOut])
  leftOut!: LeftOut[];
  @Field(() => ErrorInfo, { nullable: true })
  error!: ErrorInfo | null;
}
export const JobConnection = connectionOf(JobType, 'Job');

@ObjectType('JobEvent', {
  description: 'One thing that happened to a job. seq counts from 1 without gaps, per job.',
})
export class JobEventType {
  @Field(() => Hex32Scalar)
  jobId!: JobId;
  @Field(() => Int)
  seq!: number;
  @Field(() => TimestampMsScalar)
  atMs!: TimestampMs;
  @Field(() => JobStateEnum)
  state!: JobState;
  @Field({ description: 'What happened, in the past tense.' })
  name!: string;
  @Field(() => Hex32Scalar, { nullable: true })
  questionId!: QuestionId | null;
  @Field(() => ErrorInfo, { nullable: true })
  error!: ErrorInfo | null;
  @Field(() => [Detail])
  details!: Detail[];
}

@ObjectType()
export class JobEventsPage {
  @Field(() => [JobEventType])
  events!: JobEventType[];
  @Field(() => Int, { description: 'Give it as after to go on.' })
  lastSeq!: number;
  @Field()
  hasMore!: boolean;
  @Field({ description: 'The job has ended: nothing will follow lastSeq once hasMore is false.' })
  ended!: boolean;
}

@InputType()
export class QuoteInput {
  @Field(() => Hex32Scalar)
  datasetId!: DatasetId;
  @Field()
  purpose!: string;
  @Field(() => ComputationKindEnum, { defaultValue: 'rag' })
  kind!: ComputationKind;
  @Field(() => ProtectionKindEnum, { defaultValue: 'tee' })
  protection!: ProtectionKind;
  @Field(() => Int)
  maxQuestions!: number;
  @Field(() => SafeInt)
  termMs!: number;
}

@InputType()
export class PrepareJobInput extends QuoteInput {
  @Field({ description: '8 to 128 characters, made by the client and stored before the first request.' })
  idempotencyKey!: string;
  @Field(() => Hex32Scalar, {
    description: "The salt of fundJob: the job's id is derived from it and the signed-in address.",
  })
  salt!: Hex32;
}

@ObjectType()
export class PreparedJob {
  readonly __typename = 'PreparedJob';
  @Field(() => JobType)
  job!: JobType;
  @Field(() => Quote)
  quote!: Quote;
}

@ArgsType()
export class JobEventsArgs {
  @Field(() => Hex32Scalar)
  jobId!: JobId;
  @Field(() => Int, { defaultValue: 0 })
  after!: number;
}

@ArgsType()
export class JobEventsPageArgs extends JobEventsArgs {
  @Field(() => Int, { defaultValue: 100 })
  first!: number;
}

export const QuoteResult = resultUnion('QuoteResult', Quote);
export const PrepareJobResult = resultUnion('PrepareJobResult', PreparedJob);
export const SubmitJobResult = resultUnion('SubmitJobResult', JobType);
