import { digestOf, generateKeyPair, open, seal, sign, type HpkeKeyPair, type SigningKey } from '@usufruct/crypto';
import {
  fromBase64,
  fromUtf8,
  systemRandom,
  toBase64,
  toHex32,
  utf8,
  type Hex32,
  type QuestionId,
} from '@usufruct/kernel';
import {
  answerInfo,
  QuestionAuthorizationBcs,
  questionInfo,
  TAGS,
  zAnswer,
  type Answer,
  type AskAnswer,
  type AskRequest,
  type JobView,
  type Use,
} from '@usufruct/protocol';
import type { Life } from './life.js';
import { codeOf, until } from './values.js';

export interface Asked {
  readonly request: AskRequest;
  readonly response: HpkeKeyPair;
  readonly info: Parameters<typeof questionInfo>[0];
}

/** `written` is what the asker's client makes of the question. */
export async function sealed(
  life: Life,
  job: JobView,
  clientKey: SigningKey,
  text: string,
  id?: QuestionId,
  written: (question: object) => string = JSON.stringify,
): Promise<Asked> {
  const { chainId, packageId } = await life.context.chain.info();
  const questionId = id ?? toHex32<QuestionId>(systemRandom(32));
  const response = await generateKeyPair(systemRandom);
  const info = {
    chainId,
    packageId,
    jobId: job.id,
    questionId,
    runnerSigningKey: life.context.keys.bound.signingPublicKey,
  };
  const question = { text, responsePublicKey: toBase64(response.publicKey), topK: 8 };
  const sealedQuestion = await seal({
    recipientPublicKey: life.context.keys.bound.hpkePublicKey,
    info: questionInfo(info),
    aad: new Uint8Array(),
    plaintext: utf8(written(question)),
  });
  const message = QuestionAuthorizationBcs.serialize({
    jobId: job.id,
    questionId,
    sealedQuestionSha256: digestOf(sealedQuestion),
  }).toBytes();
  const authorization = await sign({
    secretKey: clientKey.secretKey,
    domainTag: TAGS.questionAuthorization,
    message,
  });
  const request = { questionId, sealedQuestion: toBase64(sealedQuestion), authorization: toBase64(authorization) };
  return { request, response, info };
}

/** Where payout is direct, the asker is told who was used. */
export type DirectAnswer = Answer & { readonly uses: Use[]; readonly usesSalt: Hex32 };

export async function opened(answer: AskAnswer, { response, info }: Asked): Promise<DirectAnswer> {
  const plaintext = await open({
    privateKey: response.privateKey,
    info: answerInfo(info),
    aad: new Uint8Array(),
    sealed: fromBase64(answer.sealedAnswer!),
  });
  const parsed = zAnswer.parse(JSON.parse(fromUtf8(plaintext)));
  const { uses, usesSalt } = parsed;
  if (uses === null || usesSalt === null) throw new Error('the uses were kept back');
  return { ...parsed, uses, usesSalt };
}

export async function ask(
  life: Life,
  job: JobView,
  clientKey: SigningKey,
  text: string,
): Promise<{ state: AskAnswer; answer: DirectAnswer }> {
  const asked = await sealed(life, job, clientKey, text);
  const state = await life.desk.ask(job.id, asked.request);
  return { state, answer: await opened(state, asked) };
}

export const questionWith = (more: object) => (question: object) => JSON.stringify({ ...question, ...more });
export const streaming = questionWith({ stream: true });
export const by = (generator: 'extractive' | 'model') => questionWith({ generator });

export async function untilKnown(life: Life, job: JobView, { request }: Asked): Promise<void> {
  const read = () => codeOf(Promise.resolve().then(() => life.desk.read(job.id, request.questionId)));
  await until(async () => (await read()) !== 'QUESTION_UNKNOWN');
}
