import { isInputRefused, SHORT_CHARS } from './embedder.js';

/** So many of the first are given to a reranker. */
export const RERANKED = 32;

/** Looks at a question and a passage together, which finds better and takes longer; so it is given the first few only. */
export interface Reranker {
  /** One score a text, the higher the better; comparable within one call. Rejects where the model does not answer. */
  rerank(question: string, texts: readonly string[]): Promise<readonly number[]>;
}

/**
 * The places of the first `RERANKED` in the order of the model, ties as they were; those of the rest stay. Rejects as it does.
 */
export async function rerankedPlaces(
  reranker: Reranker,
  question: string,
  texts: readonly string[],
): Promise<number[]> {
  const places = [...texts.keys()];
  const first = places.slice(0, RERANKED);
  if (first.length < 2) return places;
  const scores = await reranker.rerank(question, texts.slice(0, RERANKED));
  return [...first.sort((a, b) => scores[b]! - scores[a]! || a - b), ...places.slice(RERANKED)];
}

/**
 * Scores of texts of which some may be longer, with the question, than the model takes: where the server refuses its
 * input, the beginnings are tried, half as long each time, of all that are longer, for only scores of one call can be
 * compared. `rerank` rejects as that of `embedWhole`.
 */
export async function rerankWhole(
  rerank: (question: string, texts: readonly string[]) => Promise<readonly number[]>,
  question: string,
  texts: readonly string[],
): Promise<readonly number[]> {
  let chars = texts.reduce((longest, text) => Math.max(longest, text.length), question.length);
  for (;;) {
    const begins = (text: string): string => (text.length <= chars ? text : text.slice(0, chars).toWellFormed());
    try {
      return await rerank(begins(question), texts.map(begins));
    } catch (error) {
      if (!isInputRefused(error) || chars < 2 * SHORT_CHARS) throw error;
    }
    chars >>= 1;
  }
}

/** The two ends of `POST /v1/rerank` as llama.cpp, vLLM and others have it; who sends it is elsewhere. */
export const rerankRequest = (model: string, question: string, texts: readonly string[]): object => ({
  model,
  query: question,
  documents: texts,
  top_n: texts.length,
});

/** One score a text, in their order; null for anything else. */
export function readRerank(answer: unknown, count: number): number[] | null {
  if (typeof answer !== 'object' || answer === null || !('results' in answer)) return null;
  const { results } = answer;
  if (!Array.isArray(results) || results.length !== count) return null;
  const scores = new Map<number, number>();
  for (const entry of results as unknown[]) {
    if (typeof entry !== 'object' || entry === null || !('index' in entry) || !('relevance_score' in entry))
      return null;
    const { index, relevance_score: score } = entry;
    if (typeof index !== 'number' || typeof score !== 'number' || !Number.isFinite(score)) return null;
    scores.set(index, score);
  }
  const inOrder = Array.from({ length: count }, (_, i) => scores.get(i));
  return inOrder.every((score) => score !== undefined) ? inOrder : null;
}
