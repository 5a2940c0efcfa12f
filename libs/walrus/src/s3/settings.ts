import { refuse, type Clock } from '@usufruct/kernel';
import { z } from 'zod';
import type { S3BlobStoreOptions } from './s3-blob-store.js';

/** Environment variables of a process that keeps blobs in an object store. */
export const S3_SETTINGS = {
  S3_ENDPOINT: z.url({ protocol: /^https?$/ }),
  S3_REGION: z.string().regex(/^[a-z0-9-]{1,64}$/),
  S3_BUCKET: z.string().min(3).max(63),
  S3_PREFIX: z.string().default(''),
  S3_ACCESS_KEY_ID: z.string().min(1).max(128),
  S3_SECRET_ACCESS_KEY: z.string().min(1).max(256),
  S3_SESSION_TOKEN: z.string().min(1).max(4_096).optional(),
};
const zSettings = z.object(S3_SETTINGS);

/** Refuses `CONFIG_INVALID` with the setting's name, never its value; plain http only to this machine. */
export function s3OptionsFrom(
  environment: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): S3BlobStoreOptions {
  const parsed = zSettings.safeParse(environment);
  if (!parsed.success) {
    throw refuse('CONFIG_INVALID', { setting: String(parsed.error.issues[0]?.path[0] ?? 'S3_ENDPOINT') });
  }
  const env = parsed.data;
  const { protocol, hostname } = new URL(env.S3_ENDPOINT);
  if (protocol !== 'https:' && !['127.0.0.1', 'localhost', '[::1]'].includes(hostname)) {
    throw refuse('CONFIG_INVALID', { setting: 'S3_ENDPOINT', reason: 'https is needed' });
  }
  return {
    endpoint: env.S3_ENDPOINT,
    region: env.S3_REGION,
    bucket: env.S3_BUCKET,
    prefix: env.S3_PREFIX,
    clock,
    credentials: {
      accessKeyId: env.S3_ACCESS_KEY_ID,
      secretAccessKey: env.S3_SECRET_ACCESS_KEY,
      ...(env.S3_SESSION_TOKEN !== undefined && { sessionToken: env.S3_SESSION_TOKEN }),
    },
  };
}
