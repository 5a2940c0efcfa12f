import type { ContributionId, DatasetId, Digest, JobId, QuestionId } from '@usufruct/kernel';
import {
  COMPUTATION_KINDS,
  JOB_STATES,
  LIMITS,
  PROTECTION_KINDS,
  zAmount,
  zBase64,
  zHex32,
  zTimestampMs,
} from '@usufruct/protocol';
import { z } from 'zod';
import { operation, REFUSAL_FIELDS, resultOf } from '../api/graphql.js';

const ERROR_FIELDS = 'error { code details { key value } }';
const zErrorInfo = z.object({
  code: z.string(),
  details: z.array(z.object({ key: z.string(), value: z.string() })),
});

const QUOTE_FIELDS = `datasetId purpose kind protection policyVersion pricePerQuestionUnits maxQuestions termMs
  escrowUnits usableContributions leftOut { contributionId code }`;
const zLeftOut = z.array(z.object({ contributionId: zHex32<ContributionId>(), code: z.string() }));
export const zQuote = z.object({
  datasetId: zHex32<DatasetId>(),
  purpose: z.string(),
  kind: z.enum(COMPUTATION_KINDS),
  protection: z.enum(PROTECTION_KINDS),
  policyVersion: z.int(),
  pricePerQuestionUnits: zAmount,
  maxQuestions: z.int(),
  termMs: z.int(),
  escrowUnits: zAmount,
  usableContributions: z.int(),
  leftOut: zLeftOut,
});
export type Quote = z.output<typeof zQuote>;

const JOB_FIELDS = `jobId datasetId purpose kind protection state requester runnerId pricePerQuestionUnits maxQuestions
  questionsSettled escrowUnits refundUnits documents chunks leftOut { contributionId code } expiresAtMs lastEventSeq
  ${ERROR_FIELDS}`;
export const zJob = z.object({
  jobId: zHex32<JobId>(),
  datasetId: zHex32<DatasetId>(),
  purpose: z.string(),
  kind: z.enum(COMPUTATION_KINDS),
  protection: z.enum(PROTECTION_KINDS),
  state: z.enum(JOB_STATES),
  requester: zHex32(),
  runnerId: zHex32().nullable(),
  pricePerQuestionUnits: zAmount,
  maxQuestions: z.int(),
  questionsSettled: z.int(),
  escrowUnits: zAmount,
  refundUnits: zAmount.nullable(),
  documents: z.int().nullable(),
  chunks: z.int().nullable(),
  leftOut: zLeftOut,
  expiresAtMs: zTimestampMs.nullable(),
  lastEventSeq: z.int(),
  error: zErrorInfo.nullable(),
});
/** A job as the API tells it: progress for people. What is paid and owed, ask the chain. */
export type JobProgress = z.output<typeof zJob>;

const QUESTION_FIELDS = `questionId state sealedAnswer receipt signature settlement { transaction } ${ERROR_FIELDS}`;
export const zQuestionState = z.object({
  questionId: zHex32<QuestionId>(),
  state: z.enum(['computing', 'settling', 'settled', 'failed']),
  sealedAnswer: zBase64(LIMITS.sealedAnswerBytes).nullable(),
  receipt: zBase64(2048).nullable(),
  signature: zBase64(64).nullable(),
  settlement: z.object({ transaction: zHex32<Digest>() }).nullable(),
  error: zErrorInfo.nullable(),
});
export type QuestionState = z.output<typeof zQuestionState>;

export const zJobEvent = z.object({
  seq: z.int(),
  name: z.string(),
  state: z.enum(JOB_STATES),
  atMs: zTimestampMs,
  questionId: zHex32<QuestionId>().nullable(),
  details: z.array(z.object({ key: z.string(), value: z.string() })),
  error: zErrorInfo.nullable(),
});
export type JobEvent = z.output<typeof zJobEvent>;

interface TermsInput {
  readonly datasetId: DatasetId;
  readonly purpose: string;
  readonly kind: string;
  readonly protection: string;
  readonly maxQuestions: number;
  readonly termMs: number;
}
export const QUOTE = operation<{ input: TermsInput }>()(
  `query Quote($input: QuoteInput!) { quote(input: $input) {
    __typename ... on Quote { ${QUOTE_FIELDS} } ${REFUSAL_FIELDS} } }`,
  z.object({ quote: resultOf(zQuote) }),
);
export const PREPARE_JOB = operation<{ input: TermsInput & { idempotencyKey: string; salt: string } }>()(
  `mutation PrepareJob($input: PrepareJobInput!) { prepareJob(input: $input) {
    __typename ... on PreparedJob { quote { ${QUOTE_FIELDS} } job { jobId } } ${REFUSAL_FIELDS} } }`,
  z.object({ prepareJob: resultOf(z.object({ quote: zQuote, job: z.object({ jobId: zHex32<JobId>() }) })) }),
);
export const SUBMIT_JOB = operation<{ jobId: JobId }>()(
  `mutation SubmitJob($jobId: Hex32!) { submitJob(jobId: $jobId) {
    __typename ... on Job { ${JOB_FIELDS} } ${REFUSAL_FIELDS} } }`,
  z.object({ submitJob: resultOf(zJob) }),
);
export const JOB = operation<{ jobId: JobId }>()(
  `query Job($jobId: Hex32!) { job(jobId: $jobId) { ${JOB_FIELDS} } }`,
  z.object({ job: zJob.nullable() }),
);
export const JOB_EVENTS = operation<{ jobId: JobId; after: number }>()(
  `query JobEvents($jobId: Hex32!, $after: Int!) { jobEventsPage(jobId: $jobId, after: $after) {
    ended hasMore lastSeq events { seq name state atMs questionId details { key value } ${ERROR_FIELDS} } } }`,
  z.object({
    jobEventsPage: z.object({
      ended: z.boolean(),
      hasMore: z.boolean(),
      lastSeq: z.int(),
      events: z.array(zJobEvent),
    }),
  }),
);
/** What the API's own appraisal went by: whoever relays it cannot make it say anything, see `inspectRunner`. */
const zCollateral = z.object({
  teePolicy: z
    .string()
    .max(1024 ** 2)
    .nullable(),
  missing: z.array(z.object({ name: z.string().max(256), reason: z.string().max(1024) })).max(64),
  endorsements: z.array(z.object({ name: z.string().max(256), bytes: zBase64(1024 ** 2) })).max(64),
});
export const ATTESTATION = operation<{ jobId: JobId; nonce: string }>()(
  `query Attestation($jobId: Hex32!, $nonce: Base64!) { attestation(jobId: $jobId, nonce: $nonce) {
    __typename ... on Attestation { bundle appraisal { teePolicy missing { name reason } endorsements { name bytes } } }
    ${REFUSAL_FIELDS} } }`,
  z.object({ attestation: resultOf(z.object({ bundle: z.string().max(1024 ** 2), appraisal: zCollateral })) }),
);
export interface AskInput {
  readonly jobId: JobId;
  readonly questionId: QuestionId;
  readonly sealedQuestion: string;
  readonly authorization: string;
  readonly idempotencyKey: string;
}
export const ASK_QUESTION = operation<{ input: AskInput }>()(
  `mutation AskQuestion($input: AskQuestionInput!) { askQuestion(input: $input) {
    __typename ... on Question { ${QUESTION_FIELDS} } ${REFUSAL_FIELDS} } }`,
  z.object({ askQuestion: resultOf(zQuestionState) }),
);
export const QUESTION = operation<{ jobId: JobId; questionId: QuestionId }>()(
  `query Question($jobId: Hex32!, $questionId: Hex32!) { question(jobId: $jobId, questionId: $questionId) {
    ${QUESTION_FIELDS} } }`,
  z.object({ question: zQuestionState.nullable() }),
);
