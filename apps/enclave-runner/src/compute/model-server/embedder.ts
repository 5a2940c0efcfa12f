import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '@usufruct/crypto';
import { refuse, toUsufructError, utf8, type Digest } from '@usufruct/kernel';
import {
  embeddingsRequest,
  embedWhole,
  readEmbeddings,
  readRerank,
  rerankRequest,
  rerankWhole,
  type Embedder,
  type Reranker,
  type TextRole,
} from '@usufruct/retrieval';
import type { ModelServerAddress } from './address.js';
import { postForJson } from './post.js';

const TIMEOUT_MS = 60_000;
const TRIES = 6;
const PAUSE_MS = 500;
/** A number takes some 25 bytes as text, and a vector at most 4,096 of them. */
const BYTES_A_TEXT = 128 * 1024;

export interface ModelOptions {
  readonly address: ModelServerAddress;
  /** What the server calls the model, and the SHA-256 of its files. */
  readonly model: { readonly name: string; readonly sha256: Digest };
}

/** What a model wants to read before a text of each kind ("query: ", "passage: "); empty for many. */
export type Prefixes = Readonly<Record<TextRole, string>>;

export interface EmbedderOptions extends ModelOptions {
  readonly prefixes: Prefixes;
  /** Before passages are sent again to a server that is away; each pause is twice the last. */
  readonly pauseMs?: number;
}

/**
 * Vectors by a model server in the same guest, of texts of any length (`embedWhole`). A server that is started again
 * while it reads thousands of passages is waited for, some 15 s, for whoever begins anew begins with the first; a question
 * is not kept waiting. Refuses as `postForJson`, and `UPSTREAM_INVALID` for an answer that is not one vector of finite
 * numbers for each text.
 */
export const serverEmbedder = ({ prefixes, pauseMs = PAUSE_MS, ...options }: EmbedderOptions): Embedder => ({
  modelHash: vectorsHash(options.model.sha256, prefixes.passage),
  embed: (texts, role) =>
    embedWhole(
      (some) => patiently(role === 'passage' ? TRIES : 1, pauseMs, () => vectorsOf(options, some, prefixes[role])),
      texts,
    ),
});

async function vectorsOf({ address, model }: ModelOptions, texts: readonly string[], prefix: string) {
  const body = embeddingsRequest(model.name, texts.map((text) => prefix + text)); // prettier-ignore
  const answer = await answerAbout(texts, address, 'embeddings', body);
  const vectors = readEmbeddings(answer, texts.length);
  if (vectors === null) throw refuse('UPSTREAM_INVALID', { upstream: 'embedder', field: 'data' });
  return vectors;
}

async function patiently<T>(tries: number, pauseMs: number, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (tries <= 1 || toUsufructError(error).code !== 'UPSTREAM_UNAVAILABLE') throw error;
    await sleep(pauseMs);
    return patiently(tries - 1, 2 * pauseMs, run);
  }
}

/** Vectors that are kept are of passages as they were read: with other words before them they are others. */
const vectorsHash = (modelHash: Digest, prefix: string): string =>
  prefix === '' ? modelHash : digestOf(utf8(`${modelHash} ${prefix}`));

/** Scores by a model server in the same guest, refused as vectors are; of the beginnings of what is too long for it. */
export const serverReranker = ({ address, model }: ModelOptions): Reranker => ({
  rerank: (question, texts) =>
    rerankWhole(
      async (asked, some) => {
        const body = rerankRequest(model.name, asked, some);
        const scores = readRerank(await answerAbout(some, address, 'rerank', body), some.length);
        if (scores === null) throw refuse('UPSTREAM_INVALID', { upstream: 'reranker', field: 'results' });
        return scores;
      },
      question,
      texts,
    ),
});

/** No longer than vectors of these texts; a reranker may send the texts back. */
const answerAbout = (
  texts: readonly string[],
  address: ModelServerAddress,
  endpoint: 'embeddings' | 'rerank',
  body: object,
): Promise<unknown> =>
  postForJson(address, {
    endpoint,
    body,
    signal: new AbortController().signal,
    timeoutMs: TIMEOUT_MS,
    bytesAtMost: (texts.length + 1) * BYTES_A_TEXT,
  });
