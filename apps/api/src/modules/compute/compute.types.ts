import { Field, InputType, ObjectType } from '@nestjs/graphql';
import type { Hex32, JobId, QuestionId, TimestampMs } from '@usufruct/kernel';
import { zAskAnswer, type AskAnswer } from '@usufruct/protocol';
import { ErrorInfo, resultUnion } from '../../platform/errors/index.js';
import { Base64, codeEnum, connectionOf, Hex32Scalar, Node, TimestampMsScalar } from '../../platform/graphql/index.js';

export type QuestionState = AskAnswer['state'];
export const QuestionStateEnum = codeEnum('QuestionState', zAskAnswer.shape.state.options);

@ObjectType()
export class Settlement {
  @Field(() => Hex32Scalar)
  transaction!: Hex32;
}

@ObjectType('Question', {
  implements: () => [Node],
  description:
    "A question and what the runner said about it: the fields of the protocol's AskAnswer. All of it is ciphertext to the API.",
})
export class QuestionType extends Node {
  readonly __typename = 'Question';
  @Field(() => Hex32Scalar)
  jobId!: JobId;
  @Field(() => Hex32Scalar)
  questionId!: QuestionId;
  @Field(() => QuestionStateEnum)
  state!: QuestionState;
  @Field(() => TimestampMsScalar)
  askedAtMs!: TimestampMs;
  @Field(() => Base64, { nullable: true })
  sealedAnswer!: string | null;
  @Field(() => Base64, { nullable: true })
  receipt!: string | null;
  @Field(() => Base64, { nullable: true })
  signature!: string | null;
  @Field(() => Settlement, { nullable: true })
  settlement!: Settlement | null;
  @Field(() => ErrorInfo, { nullable: true })
  error!: ErrorInfo | null;
}
export const QuestionConnection = connectionOf(QuestionType, 'Question');

@InputType()
export class AskQuestionInput {
  @Field()
  idempotencyKey!: string;
  @Field(() => Hex32Scalar)
  jobId!: JobId;
  @Field(() => Hex32Scalar)
  questionId!: QuestionId;
  @Field(() => Base64)
  sealedQuestion!: string;
  @Field(() => Base64)
  authorization!: string;
}
export const AskQuestionResult = resultUnion('AskQuestionResult', QuestionType);
