import { beginSeal, digestOf, open, verify } from '@usufruct/crypto';
import { fromBase64, fromUtf8, refuse, utf8, type QuestionId } from '@usufruct/kernel';
import {
  answerInfo,
  parseAt,
  QuestionAuthorizationBcs,
  questionInfo,
  TAGS,
  toWireJson,
  zQuestion,
  type Answer,
  type AskRequest,
  type ChainInfo,
  type JobView,
  type Question,
} from '@usufruct/protocol';
import type { RunnerKeys } from '../../attest/runner-keys.js';

/** Context of question and answer: what both HPKE messages are bound to. */
export const questionContext = (info: ChainInfo, job: JobView, questionId: QuestionId, keys: RunnerKeys) => ({
  chainId: info.chainId,
  packageId: info.packageId,
  jobId: job.id,
  questionId,
  runnerSigningKey: keys.signing.publicKey,
});

/** The job's client key signed exactly these sealed bytes: nobody else can spend the escrow. Refuses `SIGNATURE_INVALID`. */
export async function requireAuthorization(job: JobView, request: AskRequest): Promise<void> {
  const sealedQuestionSha256 = digestOf(fromBase64(request.sealedQuestion));
  const valid = await verify({
    publicKey: fromBase64(job.clientPublicKey),
    domainTag: TAGS.questionAuthorization,
    message: QuestionAuthorizationBcs.serialize({
      jobId: job.id,
      questionId: request.questionId,
      sealedQuestionSha256,
    }).toBytes(),
    signature: fromBase64(request.authorization),
  });
  if (!valid) throw refuse('SIGNATURE_INVALID', { field: 'authorization' });
}

export interface OpenedQuestion {
  readonly question: Question;
  /** To the asker alone, once. */
  readonly sealAnswer: (answer: Answer) => Promise<Uint8Array>;
}

/**
 * Open a question whose authorisation was checked, and agree on a key for its answer: that does not wait for the answer.
 * Refuses `ATTESTATION_STALE` when it was sealed to another key or context (the signature rules out that it was changed
 * on the way), `MALFORMED_REQUEST` and `INVALID_ARGUMENT` for what is inside.
 */
export async function openQuestion(
  info: ChainInfo,
  job: JobView,
  request: AskRequest,
  keys: RunnerKeys,
): Promise<OpenedQuestion> {
  const context = questionContext(info, job, request.questionId, keys);
  const plaintext = await open({
    privateKey: keys.hpke.privateKey,
    info: questionInfo(context),
    aad: new Uint8Array(),
    sealed: fromBase64(request.sealedQuestion),
  }).catch((cause: unknown) => {
    throw refuse('ATTESTATION_STALE', { runnerId: keys.runnerId }, cause);
  });
  const question = parseAt(zQuestion, parseJson(plaintext), 'question');
  const recipientPublicKey = fromBase64(question.responsePublicKey);
  const sealer = await beginSeal({ recipientPublicKey, info: answerInfo(context) });
  return {
    question,
    sealAnswer: (answer) => sealer({ plaintext: utf8(toWireJson(answer)), aad: new Uint8Array() }),
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes)) as unknown;
  } catch {
    throw refuse('MALFORMED_REQUEST', { boundary: 'question' });
  }
}
