import { chainInfoOf } from '@usufruct/chain';
import { toBase64, toHex32, utf8, type Digest, type Hex32, type JobId, type QuestionId } from '@usufruct/kernel';
import { generateKeyPair, seal, sha256, sign } from '@usufruct/crypto';
import {
  ATTRIBUTIONS,
  deriveId,
  GENERATOR_KINDS,
  LIMITS,
  parseAt,
  questionInfo,
  QuestionAuthorizationBcs,
  TAGS,
  toWireJson,
  zBase64,
  zHex32,
  zQuestion,
  zSourceFilter,
  type Attribution,
  type Claims,
  type GeneratorKind,
  type Question,
  type SourceFilter,
} from '@usufruct/protocol';
import { z } from 'zod';
import type { ClientContext } from '../context.js';
import { readRecord, recordOnce, writeRecord } from '../journal.js';
import type { AskedFor } from '../receipt/asked.js';
import { clientKey } from './fund.js';

const zAttempt = z.object({
  /** The runner that this attempt was sealed to. */
  runnerSigningKey: zBase64(32),
  sealedQuestion: zBase64(LIMITS.sealedQuestionBytes),
  authorization: zBase64(64),
  idempotencyKey: z.string(),
});
export type Attempt = z.output<typeof zAttempt>;

/**
 * `ask/<job>/<question>`: SECRET, because the response key opens the answer and the text is the question. Kept until
 * the caller says that the answer was read. Each attempt is stored before it is sent.
 */
const zQuestionRecord = z.object({
  questionId: zHex32<QuestionId>(),
  text: z.string(),
  topK: z.int(),
  generator: z.enum(GENERATOR_KINDS).optional(),
  stream: z.boolean().optional(),
  filter: zSourceFilter.optional(),
  /** A record of an earlier version has none: the runner chose, and nobody said by what. */
  attribution: z.enum(ATTRIBUTIONS).optional(),
  responsePublicKey: zBase64(32),
  responsePrivateKey: zBase64(32),
  attempts: z.array(zAttempt),
});
export type QuestionRecord = z.output<typeof zQuestionRecord>;

export interface QuestionParams {
  /** Names this question in the journal: the same key never asks, or pays, a second time. */
  readonly key: string;
  readonly text: string;
  readonly topK?: number;
  /** What must make the answer: another one is refused and not put in its place. Missing: what the runner has first. */
  readonly generator?: GeneratorKind;
  /** Whether its pieces are to be had, too: `askStream` says so by itself. */
  readonly stream?: boolean;
  /** What the answer may be taken from, by what documents are and say of themselves. */
  readonly filter?: SourceFilter;
  /** How contributors are paid for it: by what was cited, or by what each passage did for the answer. */
  readonly attribution?: Attribution;
}

const recordKey = (jobId: JobId, questionId: QuestionId): string => `ask/${jobId}/${questionId}`;

/** The id that a key gives a question of this job: the same one on every device of this wallet. */
export const questionIdOf = ({ signer }: ClientContext, jobId: JobId, key: string): QuestionId =>
  deriveId<QuestionId>('question', jobId, signer.address, toHex32<Hex32>(sha256(utf8(key))));

/** Refuses `INVALID_ARGUMENT` for an empty or too long question. */
export async function questionRecord(
  context: ClientContext,
  jobId: JobId,
  { key, ...asked }: QuestionParams,
): Promise<QuestionRecord> {
  const response = await generateKeyPair(context.random);
  const question = parseAt(zQuestion, { ...asked, responsePublicKey: toBase64(response.publicKey) }, 'question');
  const questionId = questionIdOf(context, jobId, key);
  return recordOnce(context.journal, recordKey(jobId, questionId), zQuestionRecord, () => ({
    questionId,
    ...question,
    responsePrivateKey: toBase64(response.privateKey),
    attempts: [],
  }));
}

/** Whether a record is of this question: the same key must never give the answer to another one. */
export function isSameQuestion(record: QuestionRecord, { key: _key, ...asked }: QuestionParams): boolean {
  const { responsePublicKey } = record;
  const question = parseAt(zQuestion, { ...asked, responsePublicKey }, 'question');
  // In pieces or not, it is the same answer.
  const of = (one: Question): string => toWireJson({ ...plaintextOf(one), stream: undefined });
  return of(question) === of(questionIn(record));
}

/** As it is sealed and compared: a record without the choice is of a question that was asked before there was one. */
const questionIn = (record: QuestionRecord): Question => ({ ...record, attribution: record.attribution ?? 'score' });

/** What its receipt is held against. */
export const askedFor = ({ attribution, generator }: QuestionRecord): AskedFor => ({
  attribution: attribution ?? null,
  generator: generator ?? null,
});

/** What is sealed to the runner, its fields always in this order. */
const plaintextOf = ({
  text,
  topK,
  generator,
  stream,
  filter,
  attribution,
  responsePublicKey,
}: Question): Question => ({
  text,
  topK,
  generator,
  stream,
  filter,
  attribution,
  responsePublicKey,
});

export const knownQuestion = (
  context: ClientContext,
  jobId: JobId,
  questionId: QuestionId,
): Promise<QuestionRecord | null> => readRecord(context.journal, recordKey(jobId, questionId), zQuestionRecord);

export async function pendingQuestions(context: ClientContext, jobId: JobId): Promise<QuestionRecord[]> {
  const keys = await context.journal.keys(`ask/${jobId}/`);
  const records = await Promise.all(keys.map((key) => readRecord(context.journal, key, zQuestionRecord)));
  return records.filter((record) => record !== null);
}

export const forgetQuestion = (context: ClientContext, jobId: JobId, questionId: QuestionId): Promise<void> =>
  context.journal.delete(recordKey(jobId, questionId));

/** Seal the question to the key of a runner that was attested, authorise it with the job's client key, and store all that. */
export async function newAttempt(
  context: ClientContext,
  jobId: JobId,
  record: QuestionRecord,
  claims: Pick<Claims, 'signingPublicKey' | 'hpkePublicKey'>,
): Promise<QuestionRecord> {
  const { questionId } = record;
  const { chainId, packageId } = await chainInfoOf(context.chain);
  const sealed = await seal({
    recipientPublicKey: claims.hpkePublicKey,
    info: questionInfo({ chainId, packageId, jobId, questionId, runnerSigningKey: claims.signingPublicKey }),
    aad: new Uint8Array(),
    plaintext: utf8(toWireJson(plaintextOf(questionIn(record)))),
  });
  const sealedQuestionSha256 = toHex32<Digest>(sha256(sealed));
  const authorization = await sign({
    secretKey: await clientKey(context, jobId),
    domainTag: TAGS.questionAuthorization,
    message: QuestionAuthorizationBcs.serialize({ jobId, questionId, sealedQuestionSha256 }).toBytes(),
  });
  const attempt: Attempt = {
    runnerSigningKey: toBase64(claims.signingPublicKey),
    sealedQuestion: toBase64(sealed),
    authorization: toBase64(authorization),
    idempotencyKey: toBase64(context.random(24)),
  };
  const next = { ...record, attempts: [...record.attempts, attempt] };
  await writeRecord(context.journal, recordKey(jobId, questionId), next);
  return next;
}
