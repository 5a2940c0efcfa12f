import { createHash, hkdfSync } from 'node:crypto';
import { fromHex } from '@usufruct/kernel';

/** One key per use, derived from the API's secret (HKDF-SHA256, RFC 5869), so that no key serves two ends. */
export const deriveKey = (authSecret: string, use: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', fromHex(authSecret), new Uint8Array(), `usufruct/api/${use}/v1`, 32));

/** Bearer secrets are 32 random bytes, so a plain hash is enough: there is nothing to guess. */
export const secretHash = (secret: string): string => createHash('sha256').update(secret).digest('hex');
