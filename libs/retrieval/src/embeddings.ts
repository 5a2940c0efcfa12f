/** The two ends of `POST /v1/embeddings` as OpenAI and the servers that speak like it have it; who sends it is elsewhere. */
export const embeddingsRequest = (model: string, texts: readonly string[]): object => ({
  model,
  input: texts,
  encoding_format: 'float',
});

const MOST_DIMENSIONS = 4_096;

/** One vector a text, in their order and all of one width; null for anything else. */
export function readEmbeddings(answer: unknown, count: number): Float32Array[] | null {
  if (!isRecord(answer) || !Array.isArray(answer['data']) || answer['data'].length !== count) return null;
  const vectors: (Float32Array | undefined)[] = Array.from({ length: count });
  for (const entry of answer['data'] as unknown[]) {
    if (!isRecord(entry) || !isVector(entry['embedding'])) return null;
    const index = entry['index'];
    if (typeof index !== 'number' || !(index in vectors) || vectors[index] !== undefined) return null;
    vectors[index] = Float32Array.from(entry['embedding']);
  }
  const whole = vectors.filter((vector) => vector !== undefined);
  const isOneWidth = whole.every((vector) => vector.length === whole[0]!.length && vector.every(Number.isFinite));
  return isOneWidth ? whole : null;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

const isVector = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MOST_DIMENSIONS &&
  value.every((entry) => typeof entry === 'number' && Number.isFinite(entry));
