import { refuse, type Digest } from '@usufruct/kernel';
import {
  embeddingsRequest,
  readEmbeddings,
  readRerank,
  rerankRequest,
  type Embedder,
  type Reranker,
} from '@usufruct/retrieval';
import type { ModelServerAddress } from './address.js';
import { postForJson } from './post.js';

const TIMEOUT_MS = 60_000;
/** A number takes some 25 bytes as text, and a vector at most 4,096 of them. */
const BYTES_A_TEXT = 128 * 1024;

export interface ModelOptions {
  readonly address: ModelServerAddress;
  /** What the server calls the model, and the SHA-256 of its files. */
  readonly model: { readonly name: string; readonly sha256: Digest };
}

/**
 * Vectors by a model server in the same guest. Refuses as `postForJson`, and `UPSTREAM_INVALID` for an answer that is not
 * one vector of finite numbers for each text.
 */
export const serverEmbedder = ({ address, model }: ModelOptions): Embedder => ({
  modelHash: model.sha256,
  embed: async (texts) => {
    const answer = await postForJson(address, {
      endpoint: 'embeddings',
      body: embeddingsRequest(model.name, texts),
      signal: new AbortController().signal,
      timeoutMs: TIMEOUT_MS,
      bytesAtMost: (texts.length + 1) * BYTES_A_TEXT,
    });
    const vectors = readEmbeddings(answer, texts.length);
    if (vectors === null) throw refuse('UPSTREAM_INVALID', { upstream: 'embedder', field: 'data' });
    return vectors;
  },
});

/** Scores by a model server in the same guest, refused as vectors are. */
export const serverReranker = ({ address, model }: ModelOptions): Reranker => ({
  rerank: async (question, texts) => {
    const answer = await postForJson(address, {
      endpoint: 'rerank',
      body: rerankRequest(model.name, question, texts),
      signal: new AbortController().signal,
      timeoutMs: TIMEOUT_MS,
      // Some send the texts back.
      bytesAtMost: (texts.length + 1) * BYTES_A_TEXT,
    });
    const scores = readRerank(answer, texts.length);
    if (scores === null) throw refuse('UPSTREAM_INVALID', { upstream: 'reranker', field: 'results' });
    return scores;
  },
});
