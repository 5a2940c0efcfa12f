import { refuse } from '@usufruct/kernel';
import { z } from 'zod';

export type Environment = Readonly<Record<string, string | undefined>>;

/** An http(s) address without slashes at its end. */
export const zUrl = z
  .string()
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ''), 'expected an http(s) URL')
  .transform((text) => text.replace(/\/+$/, ''));

/** A list separated by commas; spaces around its members and empty members do not count. */
const zList = z.string().transform((text) =>
  text
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== ''),
);

/** The settings that processes share (docs/ARCHITECTURE.md); each picks those that it has and adds its own. */
export const zSharedSettings = z.object({
  PORT: z
    .string()
    .regex(/^[0-9]{1,5}$/)
    .transform(Number)
    .refine((port) => port <= 65_535),
  HOST: z.string().min(1).default('127.0.0.1'),
  DATA_DIR: z.string().min(1),
  SUI_NETWORK: z.string().min(1).default('local'),
  CHAIN_URL: zUrl.optional(),
  ALLOWED_ORIGINS: z.string().default('').pipe(zList),
});

/** Refuses `CONFIG_INVALID` with the name of the first bad setting, never its value. */
export function readSettings<S extends z.ZodType>(schema: S, environment: Environment): z.output<S> {
  const parsed = schema.safeParse(environment);
  if (parsed.success) return parsed.data;
  throw refuse('CONFIG_INVALID', { setting: String(parsed.error.issues[0]?.path[0] ?? 'environment') });
}
