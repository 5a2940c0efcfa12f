import { isDeepStrictEqual } from 'node:util';
import { chainInfoOf } from '@usufruct/chain';
import { digestOf } from '@usufruct/crypto';
import {
  assertInvariant,
  fromBase64,
  refuse,
  toUsufructError,
  type GrantId,
  type Hex32,
  type TimestampMs,
} from '@usufruct/kernel';
import {
  ATTRIBUTION_METHODS,
  LIMITS,
  type Answer,
  type AskRequest,
  type ChainInfo,
  type JobView,
  type Opening,
  type Question,
  type StreamRecord,
  type Use,
} from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { sealOpening } from '../../receipt/seal-opening.js';
import { prepareSettlement } from '../../receipt/settler.js';
import { randomSalt, signReceipt } from '../../receipt/sign-receipt.js';
import type { NewAnswer, Settlement } from '../../receipt/store.js';
import { chooseGenerator, EXTRACTIVE, type Corpus, type GeneratedAnswer } from '../rag/index.js';
import type { Allowed } from '../session/consent.js';
import type { Session } from '../session/session.js';
import type { Reading } from '../session/standing-memory.js';
import { endOf, type Standing } from '../session/standing.js';
import { cancelJob, withdrawalOf } from '../session/withdrawal.js';
import { sealPieces } from './answer-pieces.js';
import { answerTerms } from './answer-terms.js';
import { openQuestion, questionContext, type OpenedQuestion } from './open-question.js';

/**
 * From a sealed question to a sealed answer with its signed receipt, ready to be stored: with the signed transaction that
 * settles it, or, where its uses are private, with its opening for the holders who must have it first. The chain is read
 * first: a session that stands on nothing any more ends, and what is no longer allowed leaves the index before anything is
 * searched. A session that ends meanwhile gives no answer. The receipt's time lies before that reading, so that a grant revoked after it was read still counts.
 */
export async function computeAnswer(
  context: RunnerContext,
  { session, begun }: AskedSession,
  request: AskRequest,
): Promise<ComputedAnswer> {
  const { chain, clock, keys } = context;
  const info = await chainInfoOf(chain);
  // Before the session is waited for: whoever sealed to another runner's key is told at once, and finds this one prepared.
  // Whatever else is refused is refused with the session's evidence.
  const opening = begun?.opening ?? beginOpening(context, session.job, request);
  const { question, sealAnswer } = await opening.catch(async (error: unknown) => {
    if (toUsufructError(error).code !== 'ATTESTATION_STALE') await session.use();
    throw error;
  });
  const { evidenceDigest } = await session.use();
  const { issuedAtMs, reading } = begun?.read ?? (await beginReading(context, session));
  const { standing, allowed } = reading;
  const { job } = standing;
  const generated = await generate(context, session, question, reading);
  const { uses, usesSalt } = usesOf(generated, allowed, context);
  const answer = answerOf(generated, job.payoutMode === 'direct' ? { uses, usesSalt } : PRIVATE_USES, context);
  const sealing = sealAnswer(answer);
  // What fails first is told; the other must not end the process.
  sealing.catch(() => undefined);
  const { bytes, signature } = await signReceipt(context, {
    info,
    job,
    questionId: request.questionId,
    answer,
    uses,
    usesSalt,
    attributionMethod: ATTRIBUTION_METHODS[question.attribution],
    evidenceDigest,
    issuedAtMs,
  });
  const settlement = await settlementOf(context, job, { receipt: bytes, signature, usesSalt, uses });
  const pieces = await piecesOf(context, info, job, request, question, answer, bytes);
  const sealedAnswer = await sealing;
  // Nobody would take it, and it would be paid for.
  assertInvariant(sealedAnswer.length <= LIMITS.sealedAnswerBytes, 'an answer is no longer than an asker takes');
  const newAnswer: NewAnswer = {
    jobId: job.id,
    questionId: request.questionId,
    sealedQuestionSha256: digestOf(fromBase64(request.sealedQuestion)),
    signerPublicKey: keys.signing.publicKey,
    receipt: bytes,
    signature,
    issuedAtMs,
    settlement,
    transaction:
      settlement.kind === 'direct'
        ? await prepareSettlement(context, { receipt: bytes, signature, by: settlement })
        : null,
    sealedAnswer,
    preparedAtMs: clock.nowMs(),
  };
  return { newAnswer, pieces };
}

/** By what the asker demands, from what the session may use now. What is refused or taken back meanwhile is no answer. */
async function generate(
  context: RunnerContext,
  session: Session,
  question: Question,
  reading: Reading,
): Promise<GeneratedAnswer> {
  const { standing, allowed } = reading;
  const generator = chooseGenerator(context.generators ?? [EXTRACTIVE], question.generator);
  const corpus = await currentCorpus(context, session, reading);
  const terms = await answerTerms(context, { question, standing, allowed, corpus, session });
  const { text, topK } = question;
  const { options } = terms;
  const generated = await generator.answer({ corpus, question: text, topK, options, signal: session.signal });
  session.requireOpen();
  // Models take their time, those that search too: what was taken back meanwhile is not given out.
  const { embedder, reranker } = context.retrieval ?? {};
  const isSlow = generator.kind === 'model' || embedder !== undefined || reranker !== undefined;
  if (isSlow) await requireStillAllowed(context, session, standing, generated);
  terms.requireSomething(generated);
  return generated;
}

/** None where the asker wants none. */
async function piecesOf(
  { keys }: RunnerContext,
  info: ChainInfo,
  job: JobView,
  { questionId }: AskRequest,
  { stream, responsePublicKey }: Question,
  answer: Answer,
  receipt: Uint8Array,
): Promise<StreamRecord[]> {
  if (stream !== true) return [];
  return sealPieces({
    context: questionContext(info, job, questionId, keys),
    keys,
    responsePublicKey,
    answer,
    receipt,
  });
}

export interface ComputedAnswer {
  readonly newAnswer: NewAnswer;
  /** The same answer as a stream, where the asker wants one. */
  readonly pieces: readonly StreamRecord[];
}

/**
 * Refuses with the decision's code when a contribution that the answer cites, whether it is paid for that or not, may not
 * be used any more, what ended the session, and `POLICY_OUTDATED` where the answer was judged by other rules than the
 * dataset's are now. It does not say which contribution: whoever relays it would read whose document answers the question.
 */
async function requireStillAllowed(
  context: RunnerContext,
  session: Session,
  before: Standing,
  { weights, citations }: GeneratedAnswer,
): Promise<void> {
  const reading = await session.memory.read();
  await currentCorpus(context, session, reading);
  const isUnderSameRules = isDeepStrictEqual(reading.standing.dataset.answerRules, before.dataset.answerRules);
  if (!isUnderSameRules) throw refuse('POLICY_OUTDATED', { field: 'answerRules' });
  const { allowed } = reading;
  const gone = [...weights, ...citations].find(({ contributionId }) => !allowed.grants.has(contributionId));
  if (gone === undefined) return;
  throw refuse(allowed.refused.get(gone.contributionId) ?? 'TOMBSTONED');
}

/** What a question is asked of. */
export interface AskedSession {
  readonly session: Session;
  /** Where the chain was read for this question already, and the question opened meanwhile. */
  readonly begun: { readonly read: BegunReading; readonly opening: Promise<OpenedQuestion> } | null;
}
export interface BegunReading {
  /** Before the reading. */
  readonly issuedAtMs: TimestampMs;
  readonly reading: Reading;
}

/** Of a question whose authorisation was checked; whoever awaits it is told why it cannot be opened. */
export function beginOpening(
  { chain, keys }: RunnerContext,
  job: JobView,
  request: AskRequest,
): Promise<OpenedQuestion> {
  const opening = chainInfoOf(chain).then((info) => openQuestion(info, job, request, keys));
  opening.catch(() => undefined);
  return opening;
}

export async function beginReading({ clock }: RunnerContext, { memory }: Session): Promise<BegunReading> {
  const issuedAtMs = clock.nowMs();
  return { issuedAtMs, reading: await memory.read() };
}

/** In epoch mode the asker sees what is cited and not what it weighed. */
const PRIVATE_USES = { uses: null, usesSalt: null } as const;

async function settlementOf(context: RunnerContext, job: JobView, opening: Opening): Promise<Settlement> {
  const { usesSalt, uses } = opening;
  if (job.payoutMode === 'direct') return { kind: 'direct', usesSalt, uses };
  return { kind: 'private', holders: null, ...(await sealOpening(context, job.daoId, opening)) };
}

/** The session's index without what the chain no longer allows. Refuses why the session is over, and ends it. */
async function currentCorpus(
  context: RunnerContext,
  session: Session,
  { standing, allowed }: Reading,
): Promise<Corpus> {
  const over = endOf(standing, context.clock.nowMs());
  if (over !== null) {
    session.end(over);
    throw over;
  }
  const withdrawn = withdrawalOf(session, standing, allowed);
  if (withdrawn !== null) {
    cancelJob(context, session, withdrawn);
    throw withdrawn;
  }
  const current = await session.restrictTo(new Set(allowed.grants.keys()));
  if (current.documentCount === 0) throw refuse('NO_USABLE_DATA', { datasetId: standing.job.datasetId });
  return current;
}

interface Uses {
  readonly uses: readonly Use[];
  readonly usesSalt: Hex32;
}

function usesOf({ weights }: GeneratedAnswer, { grants }: Allowed, { random }: RunnerContext): Uses {
  const uses = weights.map(({ contributionId, weight }): Use => ({
    contributionId,
    // Whatever is in the index has a grant: the corpus was restricted to these.
    grantId: grants.get(contributionId) as GrantId,
    weight,
  }));
  return { uses, usesSalt: randomSalt(random) };
}

function answerOf(
  generated: GeneratedAnswer,
  { uses, usesSalt }: Uses | typeof PRIVATE_USES,
  { random }: RunnerContext,
): Answer {
  return {
    text: generated.text,
    generator: generated.generator,
    ...(generated.model !== undefined && { model: generated.model }),
    sentences: generated.sentences.map(({ text, citations }) => ({ text, citations: [...citations] })),
    citations: generated.citations.map(({ contributionId, fileName, locator, quote }) => ({
      contributionId,
      fileName,
      locator,
      quote,
    })),
    uses: uses === null ? null : [...uses],
    usesSalt,
    resultSalt: randomSalt(random),
  };
}
