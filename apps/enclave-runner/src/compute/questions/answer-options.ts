import type { Question } from '@usufruct/protocol';
import type { AnswerOptions } from '../rag/index.js';
import type { Allowed } from '../session/consent.js';
import type { Standing } from '../session/standing.js';

/**
 * What an answer is to keep to: what the asker wants, and what the DAO has set. Who asks about what is his own pays
 * nobody for it, himself least: where that is all that was used, nothing is used, and the answer is free, since the
 * contract takes no price for an answer that used nobody.
 */
export function answerOptions(question: Question, { job, dao }: Standing, { owners }: Allowed): AnswerOptions {
  const { filter, attribution } = question;
  return {
    attribution,
    ...(filter === undefined ? {} : { filter }),
    // Whatever is in the index is allowed, and so has an owner here.
    ownerOf: (contributionId) => owners.get(contributionId) ?? contributionId,
    ...(selfQueriesPay(dao.policy) ? {} : { unpaid: job.requester }),
  };
}

const selfQueriesPay = (policy: object): boolean => 'selfQueriesPay' in policy && policy.selfQueriesPay === true;
