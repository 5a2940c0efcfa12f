import { toUsufructError } from '@usufruct/kernel';
import type { PaidAnswer, SeveralAnswers } from '@usufruct/sdk';
import { formatCoins } from '../amounts.js';
import { signedRefusalOf, standInsOf, type Backend } from '../openai/backend.js';
import { TITLE_CHARS, WORDS_NOTICE, wordsOfOthers } from './words-of-others.js';

/** More than that fills an agent's memory; several answers share it. */
const ANSWER_CHARS = 20_000;
const QUOTE_CHARS = 600;

/**
 * A refusal for an agent: its code, what it means, what would satisfy it, and the runner's word where there is one. What it
 * says besides may be the words of whoever has sent it.
 */
export function refusalBody(thrown: unknown): object {
  const { code, entry, details } = toUsufructError(thrown);
  const said = Object.entries(details).map(([name, value]) => [
    wordsOfOthers(name, TITLE_CHARS),
    wordsOfOthers(value, TITLE_CHARS),
  ]);
  return {
    code,
    message: entry.message,
    remedy: entry.remedy,
    details_by_others: Object.fromEntries(said) as object,
    signed_refusal: signedRefusalOf(thrown),
  };
}

export function answerBody(paid: PaidAnswer, { standIns }: Backend, shared = 1): object {
  const { answer, evidence, receiptId, isRepeat, datasetId } = paid;
  const quoteChars = Math.max(TITLE_CHARS, Math.floor(QUOTE_CHARS / shared));
  return {
    notice: WORDS_NOTICE,
    dataset: datasetId,
    known: answer.sentences.length > 0,
    answer_by_others: wordsOfOthers(answer.text, Math.floor(ANSWER_CHARS / shared)),
    citations: answer.citations.map(({ contributionId, fileName, locator, quote }, i) => ({
      number: i + 1,
      contribution: contributionId,
      file_by_others: wordsOfOthers(fileName, TITLE_CHARS),
      place_by_others: wordsOfOthers(locator, TITLE_CHARS),
      quote_by_others: wordsOfOthers(quote, quoteChars),
    })),
    generator: answer.generator,
    generator_means:
      answer.generator === 'extractive'
        ? 'sentences of the documents, word for word; no language model wrote this'
        : 'written by a language model in the attested runner, from the cited passages',
    receipt_id: receiptId,
    receipt_verified: true,
    paid_before: isRepeat,
    stand_ins: standInsOf(standIns, evidence),
  };
}

/** Each answer stays by itself, with its receipt and its price; one that refused says why among the others. */
export function severalBody({ parts, passages }: SeveralAnswers, backend: Backend): object {
  const answers = parts.map(({ datasetId, paid, error }) =>
    paid === null
      ? { dataset: datasetId, refused: refusalBody(error) }
      : { ...answerBody(paid, backend, parts.length), cost: formatCoins(paid.costUnits, backend.coin) },
  );
  return {
    notice: WORDS_NOTICE,
    answered: parts.filter(({ paid }) => paid !== null).length,
    answers,
    cited_best_first: passages.map(({ places }) =>
      places.map(({ datasetId, citation }) => ({ dataset: datasetId, number: citation + 1 })),
    ),
    stand_ins: [
      ...new Set(
        parts.flatMap(({ paid }) => (paid === null ? backend.standIns : standInsOf(backend.standIns, paid.evidence))),
      ),
    ],
  };
}
