import { systemRandom, toHex32, type Digest } from '@usufruct/kernel';
import type { MeasuredModel } from '../attest/devices/hardware-device.js';
import { hashModel } from '../compute/model-server/hash-model.js';
import { modelGenerator, modelServerWriter, type Generator } from '../compute/rag/index.js';
import type { GeneratorConfig } from './generator-config.js';

export interface OpenedGenerator {
  readonly generator: Generator;
  /** For the evidence: a DAO's policy names it, or refuses the runner. */
  readonly measured: MeasuredModel;
}

/** Hashes the model's files, which takes its time; the server is not asked before a question is. Refuses `CONFIG_INVALID`. */
export async function openGenerator(config: GeneratorConfig): Promise<OpenedGenerator> {
  const { address, name, modelPath, timeoutMs, maxTokens } = config;
  const sha256 = await hashModel('GENERATOR_MODEL_PATH', modelPath);
  const model = { name, sha256: toHex32<Digest>(sha256) };
  const writer = modelServerWriter({ address, model, timeoutMs, maxTokens });
  return { generator: modelGenerator(writer, systemRandom), measured: { role: 'generator', sha256 } };
}
