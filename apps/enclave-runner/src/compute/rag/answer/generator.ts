import { refuse } from '@usufruct/kernel';
import type { GeneratorKind, Model } from '@usufruct/protocol';
import type { Corpus } from '../retrieve/corpus.js';
import { answerQuestion, type AnswerOptions } from './answer-question.js';
import type { ContributionWeight } from './attribute.js';

export interface Citation {
  readonly contributionId: ContributionWeight['contributionId'];
  readonly fileName: string;
  readonly locator: string;
  /** The chunk within the document, from 0. */
  readonly ordinal: number;
  /** The cited sentence, white space collapsed. */
  readonly quote: string;
}

/** An answer, whoever made it. */
export interface GeneratedAnswer {
  readonly text: string;
  readonly generator: GeneratorKind;
  /** Where a model wrote it. */
  readonly model?: Model;
  readonly isKnown: boolean;
  /** `citations` are positions in the list below, from 0; the text shows them from 1. None is without. */
  readonly sentences: readonly { readonly text: string; readonly citations: readonly number[] }[];
  readonly citations: readonly Citation[];
  readonly weights: readonly ContributionWeight[];
}

export interface AnswerTask {
  readonly corpus: Corpus;
  readonly question: string;
  /** How many passages are looked at. */
  readonly topK: number;
  /** The dataset's rules, what may be looked at, and how weights are made. */
  readonly options: AnswerOptions;
  /** The session's end: nothing is worked out after it. */
  readonly signal: AbortSignal;
}

/** What makes answers. One that cannot refuses; it never lets another one answer in its place. */
export interface Generator {
  readonly kind: GeneratorKind;
  readonly model?: Model;
  answer(task: AnswerTask): Promise<GeneratedAnswer>;
}

/** The default: sentences of the documents, word for word. It says that it is one. */
export const EXTRACTIVE: Generator = {
  kind: 'extractive',
  answer: ({ corpus, question, topK, options }) => answerQuestion(corpus, question, topK, options),
};

/** What the asker demands, or the first. Refuses `INVALID_ARGUMENT` naming what there is. */
export function chooseGenerator(generators: readonly Generator[], wanted: GeneratorKind | undefined): Generator {
  const chosen = wanted === undefined ? generators[0] : generators.find(({ kind }) => kind === wanted);
  if (chosen !== undefined) return chosen;
  throw refuse('INVALID_ARGUMENT', {
    field: 'generator',
    expected: [...new Set(generators.map(({ kind }) => kind))].join(' or '),
  });
}
