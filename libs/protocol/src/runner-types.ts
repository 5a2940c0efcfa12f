import { bcs } from '@mysten/bcs';
import type { ContributionId, DatasetId, Digest, Hex32, JobId, QuestionId, RunnerId } from '@usufruct/kernel';
import { lengthPrefixed, utf8 } from '@usufruct/kernel';
import { z } from 'zod';
import { byteVector, bytes32 } from './bcs-types.js';
import { JOB_STATES } from './codes.js';
import { TAGS } from './domain-tags.js';
import { LIMITS } from './limits.js';
import { zUse } from './chain-views.js';
import { zSourceFilter } from './source-filter.js';
import { zBase64, zHex32 } from './wire.js';

/**
 * The runner's HTTP interface (reached by the API, which relays ciphertext). All POSTs are idempotent.
 *
 * GET  /v1/runner                                  → zRunnerIdentity
 * GET  /v1/load                                    → zRunnerLoad    for whoever chooses between runners
 * GET  /v1/walks?daoId=                            → zWalkNotices   askers who seem to walk through a dataset
 * GET  /v1/attestation?nonce=<base64url 32>&jobId= → EvidenceBundle with challenges = [clientChallenge(nonce)]
 * POST /v1/jobs { jobId }                          → zRunnerJob   starts (or continues) the session of a funded job
 * GET  /v1/jobs/{jobId}                            → zRunnerJob
 * POST /v1/jobs/{jobId}/questions zAskRequest      → zAskAnswer   answers when the receipt is settled or known pending
 * GET  /v1/jobs/{jobId}/questions/{questionId}     → zAskAnswer
 * GET  /v1/jobs/{jobId}/questions/{questionId}/stream → the settled answer in pieces (answer-stream.ts)
 */
/** How the text of an answer is made; `extractive` says that no language model wrote it. */
export const GENERATOR_KINDS = ['extractive', 'model'] as const;
export type GeneratorKind = (typeof GENERATOR_KINDS)[number];
/** A language model: what it is called, and the SHA-256 of its file or of its list of files, as in the receipt. */
export const zModel = z.object({ name: z.string().regex(/^[!-~]{1,128}$/), sha256: zHex32<Digest>() });
export type Model = z.output<typeof zModel>;
const zGenerator = z.object({ kind: z.enum(GENERATOR_KINDS), model: zModel.optional() });

export const zRunnerIdentity = z.object({
  runnerId: zHex32<RunnerId>(),
  signingPublicKey: zBase64(32),
  hpkePublicKey: zBase64(32),
  measurement: z.string(),
  profile: z.string(),
  standIns: z.array(z.string()),
  /** What answers can be made by here, the first one where the asker names none. */
  generators: z.array(zGenerator).optional(),
});
export type RunnerIdentity = z.output<typeof zRunnerIdentity>;

export const zRunnerJob = z.object({
  jobId: zHex32<JobId>(),
  state: z.enum(JOB_STATES),
  runnerId: zHex32<RunnerId>(),
  /** Documents in the index; which ones is the asker's business only through citations. */
  documents: z.int(),
  chunks: z.int(),
  /** Contributions left out and why (a catalogue code). */
  leftOut: z.array(z.object({ contributionId: zHex32<ContributionId>(), code: z.string() })),
  error: z
    .object({ code: z.string(), message: z.string(), remedy: z.string(), details: z.record(z.string(), z.string()) })
    .nullable(),
});
export type RunnerJob = z.output<typeof zRunnerJob>;

/** What a runner says of itself to whoever spreads jobs over runners. Nobody has to believe it: a lie costs time only. */
export const zRunnerLoad = z.object({
  /** Of all jobs, those that are being prepared included, and the most that it opens. */
  sessions: z.int().min(0).max(1_000_000),
  sessionsAtMost: z.int().min(0).max(1_000_000),
  questionsUnderWay: z.int().min(0).max(1_000_000),
  /** Whose index it has in memory. */
  datasets: z.array(zHex32<DatasetId>()).max(1_024),
});
export type RunnerLoad = z.output<typeof zRunnerLoad>;

/**
 * `sealedQuestion`: HPKE to the runner's attested key, info = questionInfo(…), plaintext JSON zQuestion.
 * `authorization`: Ed25519 by the job's client key, tag `questionAuthorization`, over QuestionAuthorizationBcs.
 */
export const zAskRequest = z.object({
  questionId: zHex32<QuestionId>(),
  sealedQuestion: zBase64(LIMITS.sealedQuestionBytes),
  authorization: zBase64(64),
});
export type AskRequest = z.output<typeof zAskRequest>;
export const QuestionAuthorizationBcs = bcs.struct('QuestionAuthorization', {
  jobId: bytes32<JobId>(),
  questionId: bytes32<QuestionId>(),
  sealedQuestionSha256: bytes32<Digest>(),
});
/** HPKE info of question and answer: serialise, then lengthPrefixed with the tag (`question` or `answer`). */
export const QuestionContextBcs = bcs.struct('QuestionContext', {
  chainId: bcs.string(),
  packageId: bytes32<Hex32>(),
  jobId: bytes32<JobId>(),
  questionId: bytes32<QuestionId>(),
  runnerSigningKey: byteVector(),
});
type QuestionContext = typeof QuestionContextBcs.$inferInput;
/** HPKE `info` of a sealed question (aad empty), sealed to the runner's attested key. */
export const questionInfo = (context: QuestionContext): Uint8Array =>
  lengthPrefixed(utf8(TAGS.question), QuestionContextBcs.serialize(context).toBytes());
/** HPKE `info` of a sealed answer (aad empty), sealed to the question's response key. */
export const answerInfo = (context: QuestionContext): Uint8Array =>
  lengthPrefixed(utf8(TAGS.answer), QuestionContextBcs.serialize(context).toBytes());

/** By retrieval score, or by the Shapley value of what each passage did for the answer. */
export const ATTRIBUTIONS = ['score', 'max-shapley'] as const;
export type Attribution = (typeof ATTRIBUTIONS)[number];
/** What the receipt's `attributionMethod` says of each: the asker holds it against what was asked. */
export const ATTRIBUTION_METHODS: Readonly<Record<Attribution, string>> = {
  score: 'cited-score/v1',
  'max-shapley': 'max-shapley/v1',
};

export const zQuestion = z.object({
  text: z.string().min(1).max(LIMITS.questionChars).regex(/\S/, 'expected a question'),
  /** X25519; the answer is sealed to it. The client keeps the private half until it has read the answer. */
  responsePublicKey: zBase64(32),
  topK: z.int().min(1).max(32).default(8),
  /** What must make the answer: another one is refused and never put in its place. Missing: what the runner has first. */
  generator: z.enum(GENERATOR_KINDS).optional(),
  /** Whether the answer is to be had in pieces, too (answer-stream.ts). */
  stream: z.boolean().optional(),
  /** What the answer may be taken from; what does not pass is not scored. */
  filter: zSourceFilter.optional(),
  /** How weights are made: the receipt's `attributionMethod` names it. */
  attribution: z.enum(ATTRIBUTIONS).default('score'),
});
export type Question = z.output<typeof zQuestion>;

export const zCitation = z.object({
  contributionId: zHex32<ContributionId>(),
  fileName: z.string(),
  /** Where in the document: heading path, page or row. */
  locator: z.string(),
  quote: z.string(),
});
export const zAnswer = z.object({
  text: z.string(),
  generator: z.enum(GENERATOR_KINDS),
  /** Which model wrote it; its digest is the receipt's `modelHash`. Missing where none did. */
  model: zModel.optional(),
  sentences: z.array(z.object({ text: z.string(), citations: z.array(z.int()) })),
  citations: z.array(zCitation),
  /**
   * Which contributions were used, how much, and the salt of the commitment to that; both null where the DAO pays in
   * epochs: weights are then between the runner and the key holders.
   */
  uses: z.array(zUse).nullable(),
  usesSalt: zHex32().nullable(),
  resultSalt: zHex32(),
});
export type Answer = z.output<typeof zAnswer>;

const AnswerResultBcs = bcs.struct('AnswerResult', {
  text: bcs.string(),
  generator: bcs.string(),
  sentences: bcs.vector(bcs.struct('AnsweredSentence', { text: bcs.string(), citations: bcs.vector(bcs.u32()) })),
  citations: bcs.vector(
    bcs.struct('Citation', {
      contributionId: bytes32<ContributionId>(),
      fileName: bcs.string(),
      locator: bcs.string(),
      quote: bcs.string(),
    }),
  ),
});
/** What a receipt's `resultCommitment` covers: all that the asker is shown, canonically. */
export const answerResultBytes = (answer: Omit<Answer, 'uses' | 'usesSalt' | 'resultSalt'>): Uint8Array =>
  AnswerResultBcs.serialize(answer).toBytes();

export const zAskAnswer = z.object({
  questionId: zHex32<QuestionId>(),
  state: z.enum(['computing', 'settling', 'settled', 'failed']),
  /** HPKE to the response key, plaintext JSON zAnswer. */
  sealedAnswer: zBase64(LIMITS.sealedAnswerBytes).nullable(),
  /**
   * UsageReceiptBcs bytes and the runner's signature (tag `receipt`); of a question that failed because it was refused
   * for good, RefusalReceiptBcs bytes (tag `refusalReceipt`).
   */
  receipt: zBase64(2048).nullable(),
  signature: zBase64(64).nullable(),
  settlement: z.object({ transaction: zHex32<Digest>() }).nullable(),
  error: z
    .object({ code: z.string(), message: z.string(), remedy: z.string(), details: z.record(z.string(), z.string()) })
    .nullable(),
});
export type AskAnswer = z.output<typeof zAskAnswer>;
