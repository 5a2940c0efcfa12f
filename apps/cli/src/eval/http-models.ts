import { refuse } from '@usufruct/kernel';
import {
  embeddingsRequest,
  embedWhole,
  readEmbeddings,
  readRerank,
  rerankRequest,
  rerankWhole,
  type Reranker,
} from '@usufruct/retrieval';

const TEXTS_AT_ONCE = 32;
const TIMEOUT_MS = 120_000;

/** Servers refuse a list for a text without a token; the runner gives them none that is blank either. */
const readable = (text: string): string => (text.trim() === '' ? '-' : text);

/** A server that speaks like OpenAI's, named by whoever evaluates: the folder is his, and so is where its text goes. */
export interface ModelServer {
  readonly url: string;
  /** What it calls the model. */
  readonly model: string;
}

/**
 * Vectors of texts by `/embeddings`, of any length and all of one width; `prefix` is read before each. Refuses
 * `UPSTREAM_UNAVAILABLE` and `UPSTREAM_INVALID`.
 */
export async function embedAll(
  { url, model }: ModelServer,
  texts: readonly string[],
  prefix = '',
): Promise<Float32Array[]> {
  const embed = async (some: readonly string[]): Promise<Float32Array[]> => {
    const answer = await post(url, 'embeddings', embeddingsRequest(model, some.map((text) => prefix + readable(text)))); // prettier-ignore
    const read = readEmbeddings(answer, some.length);
    if (read === null) throw refuse('UPSTREAM_INVALID', { url, field: 'data' });
    return read;
  };
  const vectors: Float32Array[] = [];
  for (let from = 0; from < texts.length; from += TEXTS_AT_ONCE) {
    vectors.push(...(await embedWhole(embed, texts.slice(from, from + TEXTS_AT_ONCE))));
  }
  const width = vectors[0]?.length;
  if (vectors.some(({ length }) => length !== width)) throw refuse('UPSTREAM_INVALID', { url, field: 'dimensions' });
  return vectors;
}

/** Scores by `/rerank`, refused as vectors are. */
export const httpReranker = ({ url, model }: ModelServer): Reranker => ({
  rerank: (question, texts) =>
    rerankWhole(
      async (asked, some) => {
        const read = readRerank(
          await post(url, 'rerank', rerankRequest(model, asked, some.map(readable))),
          some.length,
        );
        if (read === null) throw refuse('UPSTREAM_INVALID', { url, field: 'results' });
        return read;
      },
      question,
      texts,
    ),
});

async function post(url: string, endpoint: string, body: object): Promise<unknown> {
  const response = await fetch(`${url.replace(/\/+$/, '')}/${endpoint}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((cause: unknown) => {
    throw refuse('UPSTREAM_UNAVAILABLE', { url }, cause);
  });
  if (!response.ok) throw refuse('UPSTREAM_INVALID', { url, status: String(response.status) });
  return response.json().catch((cause: unknown) => {
    throw refuse('UPSTREAM_INVALID', { url, field: 'json' }, cause);
  });
}
