import { refuse } from '@usufruct/kernel';
import { embeddingsRequest, readEmbeddings } from '@usufruct/retrieval';

const TEXTS_AT_ONCE = 32;
const TIMEOUT_MS = 120_000;

/**
 * Vectors of texts by a server that speaks OpenAI's `/v1/embeddings`, named by whoever evaluates: the folder is his, and
 * so is where its text goes. Refuses `UPSTREAM_UNAVAILABLE` and `UPSTREAM_INVALID`.
 */
export async function embedAll(url: string, model: string, texts: readonly string[]): Promise<Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (let from = 0; from < texts.length; from += TEXTS_AT_ONCE) {
    const some = texts.slice(from, from + TEXTS_AT_ONCE);
    const read = readEmbeddings(await post(url, embeddingsRequest(model, some)), some.length);
    if (read === null) throw refuse('UPSTREAM_INVALID', { url, field: 'data' });
    vectors.push(...read);
  }
  return vectors;
}

async function post(url: string, body: object): Promise<unknown> {
  const response = await fetch(`${url.replace(/\/+$/, '')}/embeddings`, {
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
