import { refuse } from '@usufruct/kernel';
import { readSettings, type Environment } from '@usufruct/service';
import { z } from 'zod';
import { readModelServerAddress, type ModelServerAddress } from '../compute/model-server/address.js';

/** What makes answers here; `null`: sentences of the documents alone. */
export interface GeneratorConfig {
  readonly address: ModelServerAddress;
  /** What the server calls the model. */
  readonly name: string;
  /** Its file, or the folder of its files: hashed before anything is served. */
  readonly modelPath: string;
  readonly timeoutMs: number;
  readonly maxTokens: number;
}

const zGenerator = z.object({
  GENERATOR: z.enum(['extractive', 'model-server']).default('extractive'),
  GENERATOR_URL: z.string().optional(),
  GENERATOR_MODEL: z
    .string()
    .regex(/^[!-~]{1,128}$/)
    .optional(),
  GENERATOR_MODEL_PATH: z
    .string()
    .regex(/^\/[^\0]*$/)
    .optional(),
  GENERATOR_TIMEOUT_MS: z.coerce.number().int().min(1_000).max(600_000).optional(),
  GENERATOR_MAX_TOKENS: z.coerce.number().int().min(16).max(4_096).optional(),
});
type Settings = z.output<typeof zGenerator>;

const TIMEOUT_MS = 60_000;
const MAX_TOKENS = 512;
const OF_SERVER = [
  'GENERATOR_URL',
  'GENERATOR_MODEL',
  'GENERATOR_MODEL_PATH',
  'GENERATOR_TIMEOUT_MS',
  'GENERATOR_MAX_TOKENS',
] as const satisfies readonly (keyof Settings)[];

/** Refuses `CONFIG_INVALID` with the name of the first setting that is bad, missing, or means nothing here. */
export function readGeneratorConfig(environment: Environment): GeneratorConfig | null {
  const env = readSettings(zGenerator, environment);
  if (env.GENERATOR === 'extractive') {
    const stray = OF_SERVER.find((setting) => env[setting] !== undefined);
    if (stray === undefined) return null;
    throw refuse('CONFIG_INVALID', { setting: stray, expected: 'nothing: it means nothing with GENERATOR=extractive' });
  }
  return {
    address: readModelServerAddress('GENERATOR_URL', needed(env, 'GENERATOR_URL')),
    name: needed(env, 'GENERATOR_MODEL'),
    modelPath: needed(env, 'GENERATOR_MODEL_PATH'),
    timeoutMs: env.GENERATOR_TIMEOUT_MS ?? TIMEOUT_MS,
    maxTokens: env.GENERATOR_MAX_TOKENS ?? MAX_TOKENS,
  };
}

function needed(env: Settings, setting: 'GENERATOR_URL' | 'GENERATOR_MODEL' | 'GENERATOR_MODEL_PATH'): string {
  const value = env[setting];
  if (value === undefined) throw refuse('CONFIG_INVALID', { setting });
  return value;
}
