import { refuse, toHex32, type Digest } from '@usufruct/kernel';
import { readSettings, type Environment } from '@usufruct/service';
import type { Embedder } from '@usufruct/retrieval';
import { z } from 'zod';
import type { MeasuredModel } from '../attest/devices/hardware-device.js';
import { readModelServerAddress, type ModelServerAddress } from '../compute/model-server/address.js';
import { serverEmbedder } from '../compute/model-server/embedder.js';
import { hashModel } from '../compute/model-server/hash-model.js';

/** What makes vectors of passages and questions; `null`: nothing, BM25 and LSA search. */
export interface EmbedderConfig {
  readonly address: ModelServerAddress;
  /** What the server calls the model. */
  readonly name: string;
  /** Its file, or the folder of its files: hashed before anything is served. */
  readonly modelPath: string;
}

const zEmbedder = z.object({
  EMBEDDER_URL: z.string().optional(),
  EMBEDDER_MODEL: z
    .string()
    .regex(/^[!-~]{1,128}$/)
    .optional(),
  EMBEDDER_MODEL_PATH: z
    .string()
    .regex(/^\/[^\0]*$/)
    .optional(),
});

/** All three settings or none. Refuses `CONFIG_INVALID` with the name of the first that is bad or missing. */
export function readEmbedderConfig(environment: Environment): EmbedderConfig | null {
  const env = readSettings(zEmbedder, environment);
  const { EMBEDDER_URL: url, EMBEDDER_MODEL: name, EMBEDDER_MODEL_PATH: modelPath } = env;
  if (url === undefined && name === undefined && modelPath === undefined) return null;
  if (url === undefined) throw refuse('CONFIG_INVALID', { setting: 'EMBEDDER_URL' });
  if (name === undefined) throw refuse('CONFIG_INVALID', { setting: 'EMBEDDER_MODEL' });
  if (modelPath === undefined) throw refuse('CONFIG_INVALID', { setting: 'EMBEDDER_MODEL_PATH' });
  return { address: readModelServerAddress('EMBEDDER_URL', url), name, modelPath };
}

/** Hashes the model's files, for the evidence: a DAO's policy names it, or refuses the runner. */
export async function openEmbedder(
  config: EmbedderConfig | null,
): Promise<{ readonly embedder: Embedder; readonly measured: MeasuredModel } | null> {
  if (config === null) return null;
  const { address, name, modelPath } = config;
  const sha256 = await hashModel('EMBEDDER_MODEL_PATH', modelPath);
  return {
    embedder: serverEmbedder({ address, model: { name, sha256: toHex32<Digest>(sha256) } }),
    measured: { role: 'embedder', sha256 },
  };
}
