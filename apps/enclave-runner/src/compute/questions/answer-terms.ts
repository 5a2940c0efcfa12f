import { refuse, type ContributionId } from '@usufruct/kernel';
import type { AnswerRules, Question } from '@usufruct/protocol';
import type { RunnerContext } from '../../context.js';
import { guardFor } from '../extraction/monitor.js';
import type { AnswerOptions, Corpus, GeneratedAnswer } from '../rag/index.js';
import type { Allowed } from '../session/consent.js';
import type { Session } from '../session/session.js';
import type { Standing } from '../session/standing.js';

export interface AnswerTermsFor {
  readonly question: Question;
  readonly standing: Standing;
  readonly allowed: Allowed;
  readonly corpus: Corpus;
  readonly session: Pick<Session, 'contributionIds'>;
}
export interface AnswerTerms {
  readonly options: AnswerOptions;
  /** Refuses `REACH_LIMIT` where the asker has seen enough of the dataset for there to be an answer. */
  requireSomething(answer: GeneratedAnswer): void;
}

/**
 * What an answer is to keep to: what the asker wants, and what the DAO has set. Who asks about what is his own pays
 * nobody for it, himself least: where that is all that was used, nothing is used, and the answer is free, since the
 * contract takes no price for an answer that used nobody. Refuses `INVALID_ARGUMENT` for a filter that the dataset does
 * not allow.
 */
export async function answerTerms(context: RunnerContext, about: AnswerTermsFor): Promise<AnswerTerms> {
  const { question, standing, allowed, corpus, session } = about;
  const { job, dao, dataset } = standing;
  const { filter, attribution } = question;
  requireNoNames(filter, dataset.answerRules);
  // Whatever is in the index is allowed, and so has an owner here.
  const ownerOf = (id: ContributionId): string => allowed.owners.get(id) ?? id;
  const held = () => session.contributionIds;
  const guard = await guardFor(context, { job, dataset, question: question.text, corpus, ownerOf, held });
  const options = {
    attribution,
    ...(filter === undefined ? {} : { filter }),
    ownerOf,
    ...(dao.policy.selfQueriesPay ? {} : { unpaid: job.requester }),
    ...(guard === null ? {} : { review: guard.review }),
  };
  return { options, requireSomething: ({ isKnown }) => guard?.requireSomething(isKnown) };
}

/** Where nobody is to be known, names are not told; by a filter they could be asked for, letter by letter, for nothing. */
function requireNoNames(filter: Question['filter'], { minContributors }: AnswerRules): void {
  if (minContributors <= 1 || filter === undefined) return;
  const named = (['author', 'title'] as const).find((name) => filter[name] !== undefined);
  if (named === undefined) return;
  throw refuse('INVALID_ARGUMENT', {
    field: `filter.${named}`,
    expected: 'none: this dataset asks for several people',
  });
}
