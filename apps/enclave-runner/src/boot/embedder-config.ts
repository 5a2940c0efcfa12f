import { refuse, toHex32, type Digest } from '@usufruct/kernel';
import type { Embedder, Reranker } from '@usufruct/retrieval';
import { readSettings, type Environment } from '@usufruct/service';
import { z } from 'zod';
import type { MeasuredModel } from '../attest/devices/hardware-device.js';
import { readModelServerAddress, type ModelServerAddress } from '../compute/model-server/address.js';
import { serverEmbedder, serverReranker, type ModelOptions, type Prefixes } from '../compute/model-server/embedder.js';
import { hashModel } from '../compute/model-server/hash-model.js';

/** What makes vectors of passages and questions, or puts passages in order; `null`: nothing does. */
export interface SearchModelConfig {
  readonly address: ModelServerAddress;
  /** What the server calls the model. */
  readonly name: string;
  /** Its file, or the folder of its files: hashed before anything is served. */
  readonly modelPath: string;
}
export interface EmbedderConfig extends SearchModelConfig {
  readonly prefixes: Prefixes;
}

const zName = z.string().regex(/^[!-~]{1,128}$/);
const zPath = z.string().regex(/^\/[^\0]*$/);
const zPrefix = z.string().max(1_000);
const zModels = z.object({
  EMBEDDER_URL: z.string().optional(),
  EMBEDDER_MODEL: zName.optional(),
  EMBEDDER_MODEL_PATH: zPath.optional(),
  EMBEDDER_QUESTION_PREFIX: zPrefix.optional(),
  EMBEDDER_PASSAGE_PREFIX: zPrefix.optional(),
  RERANKER_URL: z.string().optional(),
  RERANKER_MODEL: zName.optional(),
  RERANKER_MODEL_PATH: zPath.optional(),
});
type Kind = 'EMBEDDER' | 'RERANKER';

/** Prefixes without an embedder mean nothing, and are refused with the first setting that is missing. */
export function readEmbedderConfig(environment: Environment): EmbedderConfig | null {
  const env = readSettings(zModels, environment);
  const [question, passage] = [env.EMBEDDER_QUESTION_PREFIX, env.EMBEDDER_PASSAGE_PREFIX];
  const config = readModelConfig('EMBEDDER', environment);
  if (config !== null) return { ...config, prefixes: { question: question ?? '', passage: passage ?? '' } };
  if (question !== undefined || passage !== undefined) throw refuse('CONFIG_INVALID', { setting: 'EMBEDDER_URL' });
  return null;
}
export const readRerankerConfig = (environment: Environment): SearchModelConfig | null =>
  readModelConfig('RERANKER', environment);

/** All three settings or none. Refuses `CONFIG_INVALID` with the name of the first that is bad or missing. */
function readModelConfig(kind: Kind, environment: Environment): SearchModelConfig | null {
  const env = readSettings(zModels, environment);
  const [url, name, modelPath] = [env[`${kind}_URL`], env[`${kind}_MODEL`], env[`${kind}_MODEL_PATH`]];
  if (url === undefined && name === undefined && modelPath === undefined) return null;
  if (url === undefined) throw refuse('CONFIG_INVALID', { setting: `${kind}_URL` });
  if (name === undefined) throw refuse('CONFIG_INVALID', { setting: `${kind}_MODEL` });
  if (modelPath === undefined) throw refuse('CONFIG_INVALID', { setting: `${kind}_MODEL_PATH` });
  return { address: readModelServerAddress(`${kind}_URL`, url), name, modelPath };
}

export const openEmbedder = (config: EmbedderConfig | null) =>
  openModel<Embedder>('EMBEDDER', config, (options) =>
    serverEmbedder({ ...options, prefixes: config?.prefixes ?? { question: '', passage: '' } }),
  );
export const openReranker = (config: SearchModelConfig | null) =>
  openModel<Reranker>('RERANKER', config, serverReranker);

/** Hashes the model's files, for the evidence: a DAO's policy names it, or refuses the runner. */
async function openModel<T>(
  kind: Kind,
  config: SearchModelConfig | null,
  open: (options: ModelOptions) => T,
): Promise<{ readonly model: T; readonly measured: MeasuredModel } | null> {
  if (config === null) return null;
  const { address, name, modelPath } = config;
  const sha256 = await hashModel(`${kind}_MODEL_PATH`, modelPath);
  return {
    model: open({ address, model: { name, sha256: toHex32<Digest>(sha256) } }),
    measured: { role: kind.toLowerCase(), sha256 },
  };
}
