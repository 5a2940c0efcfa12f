/** Looks at a question and a passage together, which finds better and takes longer; so it is given the first few only. */
export interface Reranker {
  /** One score a text, the higher the better; comparable within one call. Rejects where the model does not answer. */
  rerank(question: string, texts: readonly string[]): Promise<readonly number[]>;
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
