import type { ContributionId } from '@usufruct/kernel';
import type { Question } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { guardFor } from '../extraction/monitor.js';
import type { AnswerOptions, Corpus, GeneratedAnswer } from '../rag/index.js';
import type { Allowed } from '../session/consent.js';
import type { Standing } from '../session/standing.js';

export interface AnswerTermsFor {
  readonly question: Question;
  readonly standing: Standing;
  readonly allowed: Allowed;
  readonly corpus: Corpus;
}
export interface AnswerTerms {
  readonly options: AnswerOptions;
  /** Refuses `REACH_LIMIT` where the asker has seen enough of the dataset for there to be an answer. */
  requireSomething(answer: GeneratedAnswer): void;
}

/**
 * What an answer is to keep to: what the asker wants, and what the DAO has set. Who asks about what is his own pays
 * nobody for it, himself least: where that is all that was used, nothing is used, and the answer is free, since the
 * contract takes no price for an answer that used nobody.
 */
export async function answerTerms(context: RunnerContext, about: AnswerTermsFor): Promise<AnswerTerms> {
  const { question, standing, allowed, corpus } = about;
  const { job, dao, dataset } = standing;
  const { filter, attribution } = question;
  // Whatever is in the index is allowed, and so has an owner here.
  const ownerOf = (id: ContributionId): string => allowed.owners.get(id) ?? id;
  const passages = corpus.passages.length;
  const guard = await guardFor(context, { job, dataset, question: question.text, passages, ownerOf });
  const options = {
    attribution,
    ...(filter === undefined ? {} : { filter }),
    ownerOf,
    ...(dao.policy.selfQueriesPay ? {} : { unpaid: job.requester }),
    ...(guard === null ? {} : { review: guard.review }),
  };
  return { options, requireSomething: ({ isKnown }) => guard?.requireSomething(isKnown) };
}
