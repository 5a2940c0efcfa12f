import { refuse } from '@usufruct/kernel';
import { refuseStandIns } from '@usufruct/chain';
import { z } from 'zod';

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  readonly allowedOrigins: readonly string[];
}

const zEnvironment = z.object({
  PORT: z
    .string()
    .regex(/^[0-9]{1,5}$/)
    .transform(Number)
    .refine((port) => port <= 65_535),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATA_DIR: z.string().min(1),
  SUI_NETWORK: z.string().min(1).default('local'),
  ALLOWED_ORIGINS: z
    .string()
    .default('')
    .transform((text) => text.split(',').filter((origin) => origin !== '')),
});

/** Refuses `CONFIG_INVALID` with the setting's name, and `STAND_IN_FORBIDDEN` with a real network. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const parsed = zEnvironment.safeParse(environment);
  if (!parsed.success) {
    throw refuse('CONFIG_INVALID', { setting: String(parsed.error.issues[0]?.path[0] ?? 'environment') });
  }
  const { PORT, HOST, DATA_DIR, SUI_NETWORK, ALLOWED_ORIGINS } = parsed.data;
  refuseStandIns({ suiNetwork: SUI_NETWORK, standIns: ['local chain'] });
  return { host: HOST, port: PORT, dataDir: DATA_DIR, allowedOrigins: ALLOWED_ORIGINS };
}
