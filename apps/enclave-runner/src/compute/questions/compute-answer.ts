import { digestOf, seal } from '@usufruct/crypto';
import { fromBase64, refuse, utf8, type GrantId } from '@usufruct/kernel';
import {
  answerInfo,
  toWireJson,
  type Answer,
  type AskRequest,
  type ChainInfo,
  type JobView,
  type Question,
  type Use,
} from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { prepareSettlement } from '../../receipt/settler.js';
import { randomSalt, signReceipt } from '../../receipt/sign-receipt.js';
import type { NewAnswer } from '../../receipt/store.js';
import { answerQuestion, ATTRIBUTION_METHOD, type Corpus, type ExtractedAnswer } from '../rag/index.js';
import { allowedContributions, type Allowed } from '../session/consent.js';
import type { Session } from '../session/session.js';
import { openQuestion, questionContext } from './open-question.js';

/**
 * From a sealed question to a sealed answer with its signed receipt and the signed transaction that settles it, ready
 * to be stored. The grants are read from the chain first; what is no longer allowed leaves the index before anything
 * is searched. The receipt's time lies before that reading, so that a grant revoked after it was read still counts.
 */
export async function computeAnswer(
  context: RunnerContext,
  session: Session,
  job: JobView,
  request: AskRequest,
): Promise<NewAnswer> {
  const { chain, clock, keys } = context;
  const info = await chain.info();
  const { evidenceDigest } = await session.use();
  const issuedAtMs = clock.nowMs();
  const [question, { corpus, allowed }] = await Promise.all([
    openQuestion(info, job, request, keys),
    currentCorpus(context, session, job),
  ]);
  const extracted = answerQuestion(corpus, question.text, question.topK);
  const answer = answerOf(extracted, allowed, context);
  const receipt = await signReceipt(context, {
    info,
    job,
    questionId: request.questionId,
    answer,
    attributionMethod: ATTRIBUTION_METHOD,
    evidenceDigest,
    issuedAtMs,
  });
  const { uses, usesSalt } = answer;
  const settlement = { receipt: receipt.bytes, signature: receipt.signature, usesSalt, uses };
  return {
    jobId: job.id,
    questionId: request.questionId,
    sealedQuestionSha256: digestOf(fromBase64(request.sealedQuestion)),
    signerPublicKey: keys.signing.publicKey,
    sealedAnswer: await sealAnswer(context, info, job, request, question, answer),
    receipt: receipt.bytes,
    signature: receipt.signature,
    issuedAtMs,
    transaction: await prepareSettlement(context, settlement),
    preparedAtMs: clock.nowMs(),
  };
}

/** The session's index without what the chain no longer allows. */
async function currentCorpus(
  context: RunnerContext,
  session: Session,
  job: JobView,
): Promise<{ corpus: Corpus; allowed: Allowed }> {
  const { corpus } = await session.use();
  const { chain, clock } = context;
  const [dao, dataset, contributions] = await Promise.all([
    chain.dao(job.daoId),
    chain.dataset(job.datasetId),
    chain.contributionsOf(job.datasetId),
  ]);
  const held = contributions.filter(({ id }) => corpus.contributionIds.has(id));
  const allowed = await allowedContributions(context, { job, dao, dataset }, held, clock.nowMs());
  const current = corpus.restrictedTo(new Set(allowed.grants.keys()));
  if (current !== corpus) session.replaceCorpus(current);
  if (current.documentCount === 0) throw refuse('NO_USABLE_DATA', { datasetId: job.datasetId });
  return { corpus: current, allowed };
}

function answerOf(extracted: ExtractedAnswer, { grants }: Allowed, { random }: RunnerContext): Answer {
  const uses = extracted.weights.map(({ contributionId, weight }): Use => ({
    contributionId,
    // Whatever is in the index has a grant: the corpus was restricted to these.
    grantId: grants.get(contributionId) as GrantId,
    weight,
  }));
  return {
    text: extracted.text,
    generator: extracted.generator,
    sentences: extracted.sentences.map(({ text, citations }) => ({ text, citations: [...citations] })),
    citations: extracted.citations.map(({ contributionId, fileName, locator, quote }) => ({
      contributionId,
      fileName,
      locator,
      quote,
    })),
    uses,
    usesSalt: randomSalt(random),
    resultSalt: randomSalt(random),
  };
}

function sealAnswer(
  { keys }: RunnerContext,
  info: ChainInfo,
  job: JobView,
  { questionId }: AskRequest,
  question: Question,
  answer: Answer,
): Promise<Uint8Array> {
  return seal({
    recipientPublicKey: fromBase64(question.responsePublicKey),
    info: answerInfo(questionContext(info, job, questionId, keys)),
    aad: new Uint8Array(),
    plaintext: utf8(toWireJson(answer)),
  });
}
